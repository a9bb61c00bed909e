// SPDX-License-Identifier: Apache-2.0

/**
 * Sort keys are doubles, which sort fast: 32 bits of what is sorted by, its **head**, times this, plus the item, which is below
 * this. Both share the 53 bits of a double.
 */
export const MAX_SORT_ITEMS = 2 ** 21;

/** Where the keys before `end` end that have the head of the one at `at`. */
export function endOfHead(keys: Float64Array, at: number, end: number): number {
  const next = (Math.floor(keys[at]! / MAX_SORT_ITEMS) + 1) * MAX_SORT_ITEMS;
  let last = at + 1;
  while (last < end && keys[last]! < next) last++;
  return last;
}

/** Fills a list with the items of the keys from `first` on. */
export function takeItems(keys: Float64Array, first: number, items: Uint32Array): void {
  for (let i = 0; i < items.length; i++) items[i] = keys[first + i]! % MAX_SORT_ITEMS;
}
