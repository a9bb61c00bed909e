// SPDX-License-Identifier: Apache-2.0

/** Of this thread: who picks ids cannot know which of them fall together in a table. Nothing hashed may leave the thread. */
const seeds = crypto.getRandomValues(new Int32Array(2));
export const FIRST_SEED = seeds[0]!;
const LAST_SEED = seeds[1]!;

/** 32-bit hash of two words that a sender may have picked. */
export function hashTwo(a: number, b: number): number {
  let hash = Math.imul(b ^ FIRST_SEED, 0x9e3779b1) ^ a;
  hash = Math.imul(hash ^ (hash >>> 15) ^ LAST_SEED, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

/** As {@link hashTwo}, of four words. Ids may be counters, or end or begin alike: all words count. */
export function hashFour(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ FIRST_SEED, 0x9e3779b1) ^ b;
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ c;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ d;
  hash = Math.imul(hash ^ (hash >>> 16) ^ LAST_SEED, 0x45d9f3b);
  return hash ^ (hash >>> 15);
}
