// SPDX-License-Identifier: Apache-2.0

/** A growing list of 32-bit numbers. */
export class WordList {
  count = 0;
  words: Uint32Array;

  constructor(expectedCount = 64) {
    this.words = new Uint32Array(expectedCount);
  }

  /** Adds a number at the end. */
  push(word: number): void {
    if (this.count === this.words.length) this.#grow();
    this.words[this.count++] = word;
  }

  /** Copies the list to `target[at, …)`. */
  copyTo(target: Uint32Array, at: number): void {
    target.set(this.words.subarray(0, this.count), at);
  }

  #grow(): void {
    const grown = new Uint32Array(this.count * 2);
    grown.set(this.words);
    this.words = grown;
  }
}
