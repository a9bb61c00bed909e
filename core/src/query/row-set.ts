// SPDX-License-Identifier: Apache-2.0

/** A set of the rows `[0, rows)`, one bit a row. */
export class RowSet {
  readonly rows: number;
  /** Row `r` is bit `r & 31` of word `r >>> 5`; bits from `rows` on are never set. */
  readonly words: Uint32Array;

  /** The empty set. */
  constructor(rows: number) {
    this.rows = rows;
    this.words = new Uint32Array((rows + 31) >>> 5);
  }

  /** The set of all rows. */
  static all(rows: number): RowSet {
    return new RowSet(rows).complement();
  }

  add(row: number): void {
    this.words[row >>> 5]! |= 1 << (row & 31);
  }

  has(row: number): boolean {
    return ((this.words[row >>> 5]! >>> (row & 31)) & 1) === 1;
  }

  /** Whether one of the rows `[start, end)` is in. */
  hasSome(start: number, end: number): boolean {
    for (let word = start >>> 5; word << 5 < end; word++) {
      if (this.#bitsOf(word, start, end) !== 0) return true;
    }
    return false;
  }

  /** How many of the rows `[start, end)` are in. */
  count(start: number, end: number): number {
    let count = 0;
    for (let word = start >>> 5; word << 5 < end; word++) {
      count += bitCount(this.#bitsOf(word, start, end));
    }
    return count;
  }

  /** Bits of a word that stand for the rows `[start, end)`. */
  #bitsOf(word: number, start: number, end: number): number {
    const first = word << 5;
    let bits = this.words[word]!;
    if (start > first) bits &= -1 << (start - first);
    if (end < first + 32) bits &= (1 << (end - first)) - 1;
    return bits;
  }

  get isEmpty(): boolean {
    const words = this.words;
    for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
    return true;
  }

  /** Keeps the rows that the other set has too. */
  intersect(other: RowSet): this {
    const { words } = this;
    for (let i = 0; i < words.length; i++) words[i]! &= other.words[i]!;
    return this;
  }

  /** Adds the rows of the other set. */
  unite(other: RowSet): this {
    const { words } = this;
    for (let i = 0; i < words.length; i++) words[i]! |= other.words[i]!;
    return this;
  }

  /** Swaps the rows that are in for those that are not. */
  complement(): this {
    const { words, rows } = this;
    for (let i = 0; i < words.length; i++) words[i] = ~words[i]!;
    if ((rows & 31) !== 0) words[words.length - 1]! &= (1 << (rows & 31)) - 1;
    return this;
  }

  /** The rows in ascending order. */
  toRows(): Uint32Array<ArrayBuffer> {
    const { words } = this;
    let count = 0;
    for (let i = 0; i < words.length; i++) count += bitCount(words[i]!);
    const rows = new Uint32Array(count);
    let at = 0;
    for (let i = 0; i < words.length; i++) {
      for (let word = words[i]!; word !== 0; word &= word - 1) {
        rows[at++] = i * 32 + 31 - Math.clz32(word & -word);
      }
    }
    return rows;
  }
}

/** Bits set in a 32-bit word. */
function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
