// SPDX-License-Identifier: Apache-2.0

/** Attributes remembered; a power of two. A busy service has some hundred pairs of key and value that come again and again. */
const SLOTS = 4096;

/** Longer ones are mostly unlike any other: statements, stack traces. With shorter ones the hash has nothing to read. */
const MAX_BYTES = 64;
const MIN_BYTES = 8;

/** Numbers of an entry, beside each other in memory: generation, level and length, column, code, the last four bytes, the others. */
const HEAD_WORDS = 4;
const ENTRY_WORDS = HEAD_WORDS + MAX_BYTES / 4;

/**
 * Attributes that came a moment ago, by the bytes in which key, type and value were sent: one comparison instead of reading
 * lengths and tags, finding the key and finding the value.
 */
export class RecentAttributes {
  /** What {@link find} found. */
  column = 0;
  code = 0;
  readonly #entries = new Int32Array(SLOTS * ENTRY_WORDS);
  /** Entries of other generations do not count. */
  #generation = 1;
  #slot = 0;

  /** Looks for an attribute of a level that was sent as `view[start, end)`; sets `column` and `code`. */
  find(level: number, view: DataView, start: number, end: number): boolean {
    const length = end - start;
    if (length < MIN_BYTES || length > MAX_BYTES) {
      this.#slot = -1;
      return false;
    }
    const last = view.getInt32(end - 4, true);
    let hash = Math.imul(last ^ (length + level * MAX_BYTES), 0x9e3779b1);
    hash = Math.imul(hash ^ view.getInt32(start + (length >>> 1), true), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15) ^ view.getInt32(start + 4, true), 0x9e3779b1);
    const entry = ((hash >>> 16) & (SLOTS - 1)) * ENTRY_WORDS;
    this.#slot = entry;
    const entries = this.#entries;
    if (entries[entry] !== this.#generation || entries[entry + 1] !== level * 256 + length) {
      return false;
    }
    let word = entry + HEAD_WORDS;
    if (entries[word++] !== last) return false;
    for (let at = start; at < end - 4; at += 4) {
      if (entries[word++] !== view.getInt32(at, true)) return false;
    }
    this.column = entries[entry + 2]!;
    this.code = entries[entry + 3]!;
    return true;
  }

  /** Remembers what was just looked for and not found. */
  put(
    level: number,
    view: DataView,
    start: number,
    end: number,
    column: number,
    code: number,
  ): void {
    const entry = this.#slot;
    if (entry < 0) return;
    const entries = this.#entries;
    entries[entry] = this.#generation;
    entries[entry + 1] = level * 256 + end - start;
    entries[entry + 2] = column;
    entries[entry + 3] = code;
    let word = entry + HEAD_WORDS;
    entries[word++] = view.getInt32(end - 4, true);
    for (let at = start; at < end - 4; at += 4) entries[word++] = view.getInt32(at, true);
  }

  /** Forgets everything: columns and codes have another meaning from now on. */
  clear(): void {
    this.#generation = (this.#generation + 1) | 0;
  }
}
