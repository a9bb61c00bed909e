// SPDX-License-Identifier: Apache-2.0
import type { ChunkRef } from './block-format.ts';

/** Words of a column in a group: its number, values, and the three of its chunk. */
export const GROUP_COLUMN_WORDS = 5;

/** The columns that a group has values of, ascending, as the footer has them. */
export class GroupColumns {
  readonly length: number;
  readonly #words: Uint32Array;
  readonly #at: number;

  /** @param at where the words of the first one are */
  constructor(words: Uint32Array, at = 0, length = words.length / GROUP_COLUMN_WORDS) {
    this.#words = words;
    this.#at = at;
    this.length = length;
  }

  /** Number of the column in the block. */
  column(index: number): number {
    return this.#words[this.#at + index * GROUP_COLUMN_WORDS]!;
  }

  /** Values of the column in the group. */
  count(index: number): number {
    return this.#words[this.#at + index * GROUP_COLUMN_WORDS + 1]!;
  }

  /** Codes of the values, or the values themselves where the column is plain. */
  chunk(index: number): ChunkRef {
    const at = this.#at + index * GROUP_COLUMN_WORDS + 2;
    return [this.#words[at]!, this.#words[at + 1]!, this.#words[at + 2]!];
  }

  /** Index of a column of the block, or -1. */
  find(column: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.column(middle) < column) low = middle + 1;
      else high = middle;
    }
    return low < this.length && this.column(low) === column ? low : -1;
  }

  /** The words of all of them. */
  words(): Uint32Array {
    return this.#words.subarray(this.#at, this.#at + this.length * GROUP_COLUMN_WORDS);
  }
}
