// SPDX-License-Identifier: Apache-2.0

/** JSON of tags, put in order one by one: for a few. */
export class SortedTags {
  readonly #orders: number[] = [];
  readonly #texts: string[] = [];
  #count = 0;

  /** Of equal ones what was added first stands first. */
  add(order: number, text: string): void {
    const orders = this.#orders;
    const texts = this.#texts;
    let at = this.#count++;
    for (; at > 0 && orders[at - 1]! > order; at--) {
      orders[at] = orders[at - 1]!;
      texts[at] = texts[at - 1]!;
    }
    orders[at] = order;
    texts[at] = text;
  }

  /** Forgets them all. */
  clear(): this {
    this.#count = 0;
    return this;
  }

  /** All of them, as a list in JSON. */
  toJson(): string {
    let text = '[';
    for (let i = 0; i < this.#count; i++) text += i === 0 ? this.#texts[i]! : `,${this.#texts[i]!}`;
    return `${text}]`;
  }
}
