// SPDX-License-Identifier: Apache-2.0

/** Attributes remembered; a power of two. A busy service has some hundred pairs of key and value that come again and again. */
const SLOTS = 4096;

/** Longer ones are mostly unlike any other: statements, stack traces. With shorter ones the hash has nothing to read. */
const MAX_BYTES = 64;
const MIN_BYTES = 8;

/** Numbers of an entry: generation, level and length, column, code. */
const ENTRY_WORDS = 4;

/**
 * Attributes that came a moment ago, by the bytes in which key, type and value were sent: one comparison instead of reading
 * lengths and tags, finding the key and finding the value.
 */
export class RecentAttributes {
  /** What {@link find} found. */
  column = 0;
  code = 0;
  readonly #entries = new Int32Array(SLOTS * ENTRY_WORDS);
  readonly #view = new DataView(new ArrayBuffer(SLOTS * MAX_BYTES));
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
    const slot = (hash >>> 16) & (SLOTS - 1);
    this.#slot = slot;
    const entries = this.#entries;
    const entry = slot * ENTRY_WORDS;
    if (entries[entry] !== this.#generation || entries[entry + 1] !== level * 256 + length) {
      return false;
    }
    const known = this.#view;
    const at = slot * MAX_BYTES;
    if (known.getInt32(at + length - 4, true) !== last) return false;
    for (let i = 0; i < length - 4; i += 4) {
      if (known.getInt32(at + i, true) !== view.getInt32(start + i, true)) return false;
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
    const slot = this.#slot;
    if (slot < 0) return;
    const length = end - start;
    const entry = slot * ENTRY_WORDS;
    this.#entries[entry] = this.#generation;
    this.#entries[entry + 1] = level * 256 + length;
    this.#entries[entry + 2] = column;
    this.#entries[entry + 3] = code;
    const at = slot * MAX_BYTES;
    for (let i = 0; i < length - 4; i += 4) {
      this.#view.setInt32(at + i, view.getInt32(start + i, true), true);
    }
    this.#view.setInt32(at + length - 4, view.getInt32(end - 4, true), true);
  }

  /** Forgets everything: columns and codes have another meaning from now on. */
  clear(): void {
    this.#generation = (this.#generation + 1) | 0;
  }
}
