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
    const length = sequenceLength(bytes, i, end);
    if (length < 0) return false;
    i += length;
  }
  return true;
}

/**
 * Bytes of the character at `i`, whose first byte is no ASCII; where none is well-formed, minus the bytes that stand for one U+FFFD: as
 * many as a character could begin with, or one.
 */
function sequenceLength(bytes: Uint8Array, i: number, end: number): number {
  const lead = bytes[i]!;
  let length: number;
  let low = 0x80;
  let high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead === 0xe0) low = 0xa0;
    else if (lead === 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead === 0xf0) low = 0x90;
    else if (lead === 0xf4) high = 0x8f;
  } else return -1;
  if (i + 1 >= end || bytes[i + 1]! < low || bytes[i + 1]! > high) return -1;
  for (let k = 2; k < length; k++) {
    if (i + k >= end || (bytes[i + k]! & 0xc0) !== 0x80) return -k;
  }
  return length;
}

/** The same text with U+FFFD for each part that is not UTF-8. */
export function toValidUtf8(bytes: Uint8Array): Uint8Array {
  const mended = new Uint8Array(bytes.length * MENDED_GROWTH);
  return mended.subarray(0, mendUtf8(bytes, 0, bytes.length, mended, 0));
}

/** One byte that is not UTF-8 becomes three that are. */
export const MENDED_GROWTH = 3;

/**
 * Writes the text `bytes[start, end)` with U+FFFD for each part that is not UTF-8, as `TextDecoder` has it; calls of that cost much for
 * short texts.
 * @param mended has room for {@link MENDED_GROWTH} times the text from `to` on
 * @returns where it ends
 */
export function mendUtf8(
  bytes: Uint8Array,
  start: number,
  end: number,
  mended: Uint8Array,
  to: number,
): number {
  for (let i = start; i < end;) {
    if (bytes[i]! < 0x80) {
      mended[to++] = bytes[i++]!;
      continue;
    }
    const length = sequenceLength(bytes, i, end);
    if (length < 0) {
      mended[to++] = 0xef;
      mended[to++] = 0xbf;
      mended[to++] = 0xbd;
      i -= length;
    } else for (const next = i + length; i < next;) mended[to++] = bytes[i++]!;
  }
  return to;
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
