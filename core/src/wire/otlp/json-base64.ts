// SPDX-License-Identifier: Apache-2.0

/** Value of each base64 digit, of the standard and of the URL alphabet; 255 for what is none. */
const DIGITS = new Uint8Array(128).fill(255);
Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').forEach(
  (digit, i) => {
    DIGITS[digit.charCodeAt(0)] = i;
  },
);
DIGITS['-'.charCodeAt(0)] = 62;
DIGITS['_'.charCodeAt(0)] = 63;

const PAD = 0x3d;

/**
 * Bytes of the base64 text `source[start, end)`, padded or not, of either alphabet (proto3 JSON asks parsers to read
 * all of these); undefined when it is not base64.
 * @see https://www.rfc-editor.org/rfc/rfc4648
 */
export function decodeBase64(
  source: Uint8Array,
  start: number,
  end: number,
): Uint8Array | undefined {
  let stop = end;
  while (stop > start && end - stop < 2 && source[stop - 1] === PAD) stop--;
  const digits = stop - start;
  if (digits % 4 === 1 || (stop < end && (end - start) % 4 !== 0)) return undefined;
  const bytes = new Uint8Array(Math.floor((digits * 3) / 4));
  let to = 0;
  let group = 0;
  for (let i = 0; i < digits; i++) {
    const digit = DIGITS[source[start + i]!] ?? 255;
    if (digit === 255) return undefined;
    group = (group << 6) | digit;
    if ((i & 3) === 3) {
      bytes[to++] = (group >> 16) & 255;
      bytes[to++] = (group >> 8) & 255;
      bytes[to++] = group & 255;
      group = 0;
    }
  }
  if ((digits & 3) === 2) bytes[to++] = (group >> 4) & 255;
  else if ((digits & 3) === 3) {
    bytes[to++] = (group >> 10) & 255;
    bytes[to++] = (group >> 2) & 255;
  }
  return bytes;
}
