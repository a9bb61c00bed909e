// SPDX-License-Identifier: Apache-2.0
import { grownWords } from '@spoor/core/model/column-arrays.ts';
import { hashFour } from '@spoor/core/model/word-hash.ts';

/**
 * Numbers distinct trace ids in the order in which they come; a number that was taken back is given again first. Ids are given as four
 * words, and no text is made of them.
 */
export class TraceNumbers {
  /** All numbers are below this. */
  count = 0;
  /** Those that were taken back. */
  readonly #free: number[] = [];
  /** Four a number. */
  #words: Uint32Array;
  /** Always at least half of them are free: -1. */
  #slots: Int32Array;

  /** @param expected ids there is room for at once */
  constructor(expected = 32) {
    this.#words = new Uint32Array(expected * 4);
    let slots = 16;
    while (slots < expected * 2) slots *= 2;
    this.#slots = new Int32Array(slots).fill(-1);
  }

  /** The number of the id at word `at`, a new one where it has none. */
  add(words: Uint32Array, at: number): number {
    const slot = this.#slotOf(words, at);
    const known = this.#slots[slot]!;
    if (known >= 0) return known;
    const number = this.#free.pop() ?? this.count++;
    if (number * 4 === this.#words.length) this.#words = grownWords(this.#words, number * 8 + 64);
    for (let k = 0; k < 4; k++) this.#words[number * 4 + k] = words[at + k]!;
    this.#slots[slot] = number;
    if (this.count * 2 > this.#slots.length) this.#grow();
    return number;
  }

  /** The number of the id at word `at`; -1 where it has none. */
  find(words: Uint32Array, at: number): number {
    return this.#slots[this.#slotOf(words, at)]!;
  }

  /** Takes a number back from its id. */
  remove(number: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let free = this.#slotOf(this.#words, number * 4);
    // What would not be found behind a free slot moves there.
    for (let slot = (free + 1) & mask; slots[slot]! >= 0; slot = (slot + 1) & mask) {
      const home = hashAt(this.#words, slots[slot]! * 4) & mask;
      if (((slot - home) & mask) < ((slot - free) & mask)) continue;
      slots[free] = slots[slot]!;
      free = slot;
    }
    slots[free] = -1;
    this.#free.push(number);
  }

  /** Ids by number, four words each. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.count * 4);
  }

  /** Order of the ids of two numbers by their bytes. */
  compare(a: number, b: number): number {
    const words = this.#words;
    for (let k = 0; k < 4; k++) {
      const difference = inByteOrder(words[a * 4 + k]!) - inByteOrder(words[b * 4 + k]!);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Where the number of an id is, or the free slot where it belongs. */
  #slotOf(words: Uint32Array, at: number): number {
    const known = this.#words;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashAt(words, at) & mask;
    for (let number = slots[slot]!; number >= 0; number = slots[slot]!) {
      const own = number * 4;
      if (
        known[own] === words[at] &&
        known[own + 1] === words[at + 1] &&
        known[own + 2] === words[at + 2] &&
        known[own + 3] === words[at + 3]
      ) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (let number = 0; number < this.count; number++) {
      let slot = hashAt(this.#words, number * 4) & (slots.length - 1);
      while (slots[slot]! >= 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}

function hashAt(words: Uint32Array, at: number): number {
  return hashFour(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
}

/** The bytes of a word as a number whose first byte counts most. In a word, as it is in memory, the last one does. */
function inByteOrder(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
