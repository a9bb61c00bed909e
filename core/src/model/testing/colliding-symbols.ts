// SPDX-License-Identifier: Apache-2.0
import { encodeText } from '../utf8.ts';

/** The second factor of `hashBytes`, and what undoes it modulo 2³². */
const FACTOR = 0x85ebca6b;
const INVERSE = inverseOf(FACTOR);

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-';

/** Distinct texts of eight ASCII characters that have one hash of `hashBytes`: for any first half there is a second. Some 600,000 exist. */
export function collidingSymbols(count: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  const letters = encodeText(ALPHABET);
  for (let i = 0; found.length < count; i++) {
    const first = [0, 6, 12, 18].map((shift) => letters[(i >>> shift) & 63]!);
    const second = secondHalf(first);
    if (second.every((byte) => byte < 128)) found.push(Uint8Array.from([...first, ...second]));
  }
  return found;
}

/** What makes the lanes of the hash the same for all. */
function secondHalf(first: readonly number[]): number[] {
  const [a, b, c, d] = first as [number, number, number, number];
  let hash = Math.imul(0x811c9dc5 ^ 8 ^ (a | (b << 8) | (c << 16) | (d << 24)), 0x9e3779b1);
  hash ^= hash >>> 15;
  let other = hash;
  for (let i = 0; i < 3; i++) other = hash ^ (other >>> 13);
  const word = Math.imul(other, INVERSE) ^ 0x2c1b3c6d;
  return [0, 8, 16, 24].map((shift) => (word >>> shift) & 255);
}

function inverseOf(odd: number): number {
  let inverse = 1;
  for (let i = 0; i < 6; i++) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  return inverse;
}
