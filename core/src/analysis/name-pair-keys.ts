// SPDX-License-Identifier: Apache-2.0

/** Names of a block stay far below this number, so that a pair of them with a few bits fits a double. */
const MAX_NAMES = 2 ** 22;

/** Numbers that the bits have. */
const BITS = 16;

/** Two numbers of names and four bits as one number. */
export function packNamePair(first: number, second: number, bits: number): number {
  return (first * MAX_NAMES + second) * BITS + bits;
}

/** Numbers what is counted by, in the order in which it is met. */
export class NamePairKeys<Key> {
  /** By number. */
  readonly list: Key[] = [];
  readonly #numbers = new Map<number, number>();
  readonly #make: (first: number, second: number, bits: number) => Key;

  constructor(make: (first: number, second: number, bits: number) => Key) {
    this.#make = make;
  }

  /** @param packed by {@link packNamePair} */
  numberOf(packed: number): number {
    let number = this.#numbers.get(packed);
    if (number === undefined) {
      const pair = Math.floor(packed / BITS);
      const key = this.#make(Math.floor(pair / MAX_NAMES), pair % MAX_NAMES, packed % BITS);
      number = this.list.push(key) - 1;
      this.#numbers.set(packed, number);
    }
    return number;
  }
}
