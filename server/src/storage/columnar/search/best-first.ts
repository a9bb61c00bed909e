// SPDX-License-Identifier: Apache-2.0

/** A queue that gives back the item with the greatest bound first, of equal ones that with the least text (a binary heap). */
export class BestFirst<Item> {
  readonly #bounds: number[] = [];
  readonly #ties: string[] = [];
  readonly #items: Item[] = [];

  /** Bound of the best item; -Infinity when the queue is empty. */
  get bound(): number {
    return this.#bounds[0] ?? -Infinity;
  }

  /** Text of the best item; empty when the queue is. */
  get tie(): string {
    return this.#ties[0] ?? '';
  }

  /** @param tie what items of the same bound go by */
  push(bound: number, item: Item, tie = ''): void {
    let at = this.#items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBehind(parent, bound, tie)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, bound, tie, item);
  }

  /** Takes out the best item. */
  pop(): Item | undefined {
    const items = this.#items;
    const best = items[0];
    const bound = this.#bounds.pop();
    const tie = this.#ties.pop();
    const item = items.pop();
    const count = items.length;
    if (bound === undefined || tie === undefined || item === undefined || count === 0) return best;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= count) break;
      const next = child + 1;
      if (next < count && this.#isBehind(child, this.#bounds[next]!, this.#ties[next]!))
        child = next;
      if (this.#isBehind(child, bound, tie)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, bound, tie, item);
    return best;
  }

  /** Whether the item at a place comes after one with this bound and text. */
  #isBehind(at: number, bound: number, tie: string): boolean {
    const own = this.#bounds[at]!;
    return own < bound || (own === bound && this.#ties[at]! > tie);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#bounds[from]!, this.#ties[from]!, this.#items[from]!);
  }

  #put(at: number, bound: number, tie: string, item: Item): void {
    this.#bounds[at] = bound;
    this.#ties[at] = tie;
    this.#items[at] = item;
  }
}
