// SPDX-License-Identifier: Apache-2.0

/** A growing list of 32-bit numbers. */
export class WordList {
  count = 0;
  words: Uint32Array;
  #max = Infinity;
  #refuse: (() => never) | undefined;

  constructor(expectedCount = 64) {
    this.words = new Uint32Array(expectedCount);
  }

  /** Has `refuse`, which throws, called by what would make it longer than `max`, a power of two. */
  limit(max: number, refuse: () => never): void {
    this.#max = max;
    this.#refuse = refuse;
  }

  /** Adds a number at the end. @throws see {@link limit} */
  push(word: number): void {
    if (this.count === this.words.length) this.#grow();
    this.words[this.count++] = word;
  }

  /** Copies the list to `target[at, …)`. */
  copyTo(target: Uint32Array, at: number): void {
    target.set(this.words.subarray(0, this.count), at);
  }

  #grow(): void {
    if (this.count >= this.#max) this.#refuse?.();
    const grown = new Uint32Array(this.count * 2);
    grown.set(this.words);
    this.words = grown;
  }
}
