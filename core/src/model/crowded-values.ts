// SPDX-License-Identifier: Apache-2.0

/**
 * Longest run of taken slots that a table of hashes looks through, at half load or less: with a million entries some forty are an
 * accident. Beyond it somebody picked values whose hashes fall together, and each new one would be compared with all of them.
 */
export const LONGEST_RUN = 64;

/**
 * Puts an entry of a table into the first free slot of its run.
 * @param slots two numbers each: the entry, -1 where it is free, and its hash; a power of two of them
 * @returns false where the run is too long
 */
export function takeSlot(slots: Int32Array, entry: number, hash: number): boolean {
  const mask = slots.length - 2;
  let slot = (hash << 1) & mask;
  for (let left = LONGEST_RUN; left > 0; left--) {
    if (slots[slot]! < 0) {
      slots[slot] = entry;
      slots[slot + 1] = hash;
      return true;
    }
    slot = (slot + 2) & mask;
  }
  return false;
}

/** Bytes that become a text at once, as arguments of a call. */
const CHUNK_BYTES = 1024;

/**
 * Entries of a table of hashes that found no place near their own. It looks them up by V8's hash of texts, which is seeded, so
 * that nobody can pick values that fall together here as well; but for those of 16 KiB and more, whose hash is their length, and of
 * which there is room for some 500 in a batch.
 */
export class CrowdedValues {
  readonly #entries = new Map<string, number>();

  /**
   * Entry of the value `bytes[start, end)`; -1 when it is not here.
   * @param owner what the value belongs to, where equal ones of others are no copies
   */
  get(owner: number, bytes: Uint8Array, start: number, end: number): number {
    return this.#entries.get(keyOf(owner, bytes, start, end)) ?? -1;
  }

  set(owner: number, bytes: Uint8Array, start: number, end: number, entry: number): void {
    this.#entries.set(keyOf(owner, bytes, start, end), entry);
  }

  delete(owner: number, bytes: Uint8Array, start: number, end: number): void {
    this.#entries.delete(keyOf(owner, bytes, start, end));
  }

  /** All entries, in the order in which they came. */
  entries(): Iterable<number> {
    return this.#entries.values();
  }
}

/** A byte a character. With a colon, since the hash of a text that is a number is that number, without a seed. */
function keyOf(owner: number, bytes: Uint8Array, start: number, end: number): string {
  let key = `${owner}:`;
  for (let at = start; at < end; at += CHUNK_BYTES) {
    key += String.fromCharCode(...bytes.subarray(at, Math.min(at + CHUNK_BYTES, end)));
  }
  return key;
}
