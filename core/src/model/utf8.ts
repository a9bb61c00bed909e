// SPDX-License-Identifier: Apache-2.0

const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });
const ENCODER = new TextEncoder();

/** Texts up to this length are decoded by hand when they are ASCII: the native call costs more than the loop. */
const SHORT_TEXT_BYTES = 24;

/**
 * Whether `bytes[start, end)` is well-formed UTF-8.
 * @see https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/#G27506 (table 3-7)
 */
export function isValidUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start;
  while (i < end) {
    const lead = bytes[i]!;
    if (lead < 0x80) {
      i++;
      // Most text is ASCII: go on with four bytes at once.
      while (
        i + 4 <= end &&
        ((bytes[i]! | bytes[i + 1]! | bytes[i + 2]! | bytes[i + 3]!) & 0x80) === 0
      ) {
        i += 4;
      }
      continue;
    }
    let rest: number;
    let low = 0x80;
    let high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) rest = 1;
    else if (lead >= 0xe0 && lead <= 0xef) {
      rest = 2;
      if (lead === 0xe0) low = 0xa0;
      else if (lead === 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      rest = 3;
      if (lead === 0xf0) low = 0x90;
      else if (lead === 0xf4) high = 0x8f;
    } else return false;
    if (i + rest >= end) return false;
    const second = bytes[i + 1]!;
    if (second < low || second > high) return false;
    for (let k = 2; k <= rest; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return false;
    i += rest + 1;
  }
  return true;
}

/** The same text with U+FFFD for each part that is not UTF-8. */
export function toValidUtf8(bytes: Uint8Array): Uint8Array {
  return ENCODER.encode(DECODER.decode(copied(bytes)));
}

/** Text of `bytes[start, end)`, U+FFFD for what is not UTF-8. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_TEXT_BYTES) {
    let text = '';
    let i = start;
    for (; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (i === end) return text;
  }
  return DECODER.decode(copied(bytes.subarray(start, end)));
}

/** UTF-8 of a text; a lone surrogate becomes U+FFFD. */
export function encodeText(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** TextDecoder refuses views of shared memory (https://github.com/whatwg/encoding/issues/172). */
function copied(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
}
