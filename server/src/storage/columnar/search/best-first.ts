// SPDX-License-Identifier: Apache-2.0

/** A queue that gives back the item with the greatest bound first (a binary heap). */
export class BestFirst<Item> {
  readonly #bounds: number[] = [];
  readonly #items: Item[] = [];

  /** Bound of the best item; -Infinity when the queue is empty. */
  get bound(): number {
    return this.#bounds[0] ?? -Infinity;
  }

  push(bound: number, item: Item): void {
    const bounds = this.#bounds;
    const items = this.#items;
    let at = bounds.push(bound) - 1;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (bounds[parent]! >= bound) break;
      bounds[at] = bounds[parent]!;
      items[at] = items[parent]!;
      at = parent;
    }
    bounds[at] = bound;
    items[at] = item;
  }

  /** Takes out the best item. */
  pop(): Item | undefined {
    const bounds = this.#bounds;
    const items = this.#items;
    const best = items[0];
    const bound = bounds.pop();
    const item = items.pop();
    if (bound === undefined || item === undefined || bounds.length === 0) return best;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= bounds.length) break;
      if (child + 1 < bounds.length && bounds[child + 1]! > bounds[child]!) child++;
      if (bounds[child]! <= bound) break;
      bounds[at] = bounds[child]!;
      items[at] = items[child]!;
      at = child;
    }
    bounds[at] = bound;
    items[at] = item;
    return best;
  }
}
