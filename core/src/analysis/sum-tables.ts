// SPDX-License-Identifier: Apache-2.0
import { LATENCY_BUCKETS } from './latency-bucket.ts';
import type { MinuteTable } from './minute-counts.ts';

/** A table whose keys have other numbers in the sum. */
export interface RekeyedTable {
  readonly table: MinuteTable;
  /** By key of the table its number in the sum, below 2²². */
  readonly keys: Uint32Array;
}

/** Sums tables up. Counts of the same key, minute and bucket become one; none is kept that is zero then. */
export function sumTables(parts: readonly RekeyedTable[]): MinuteTable {
  const pairs = parts.map(pairsOf);
  const order = distinctSorted(pairs);
  const { first, next, part, series } = seriesByPair(pairs, order);
  const cells = parts.reduce((sum, { table }) => sum + table.count.length, 0);
  const sum = new CellSum(cells);
  const key = new Uint32Array(order.length);
  const minuteAt = new Float64Array(order.length);
  const start = new Uint32Array(order.length + 1);
  let used = 0;
  for (let place = 0; place < order.length; place++) {
    for (let at = first[place]!; at >= 0; at = next[at]!) {
      sum.add(parts[part[at]!]!.table, series[at]!);
    }
    if (!sum.take()) continue;
    key[used] = Math.floor(order[place]! / MINUTES);
    minuteAt[used] = order[place]! % MINUTES;
    start[++used] = sum.cells;
  }
  const minutes = Uint32Array.from(new Set(minuteAt.subarray(0, used))).sort();
  const places = new Map(Array.from(minutes, (minute, place) => [minute, place] as const));
  return {
    minutes,
    key: key.slice(0, used),
    minute: Uint32Array.from(minuteAt.subarray(0, used), (minute) => places.get(minute)!),
    start: start.slice(0, used + 1),
    bucket: sum.bucket.slice(0, sum.cells),
    count: sum.count.slice(0, sum.cells),
  };
}

/** A minute has 29 bits. */
const MINUTES = 2 ** 29;

/** Key and minute of each series as one number, which orders as they do. */
function pairsOf({ table: { key, minute, minutes }, keys }: RekeyedTable): Float64Array {
  const pairs = new Float64Array(key.length);
  for (let s = 0; s < pairs.length; s++) {
    pairs[s] = keys[key[s]!]! * MINUTES + minutes[minute[s]!]!;
  }
  return pairs;
}

function distinctSorted(lists: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0));
  let count = 0;
  for (const list of lists) {
    all.set(list, count);
    count += list.length;
  }
  all.sort();
  let distinct = 0;
  for (let i = 0; i < count; i++) {
    if (i === 0 || all[i] !== all[i - 1]) all[distinct++] = all[i]!;
  }
  return all.subarray(0, distinct);
}

/** Which series of which parts have a pair: those at `first[place]`, at `next` of it, …, until that is -1. */
interface SeriesByPair {
  readonly first: Int32Array;
  readonly next: Int32Array;
  readonly part: Uint32Array;
  readonly series: Uint32Array;
}

function seriesByPair(pairs: readonly Float64Array[], order: Float64Array): SeriesByPair {
  const count = pairs.reduce((sum, list) => sum + list.length, 0);
  const found = {
    first: new Int32Array(order.length).fill(-1),
    next: new Int32Array(count),
    part: new Uint32Array(count),
    series: new Uint32Array(count),
  };
  let at = 0;
  for (const [part, list] of pairs.entries()) {
    for (let series = 0; series < list.length; series++, at++) {
      const place = placeOf(order, list[series]!);
      found.part[at] = part;
      found.series[at] = series;
      found.next[at] = found.first[place]!;
      found.first[place] = at;
    }
  }
  return found;
}

/** Where a number is that is there. */
function placeOf(order: Float64Array, value: number): number {
  let low = 0;
  let high = order.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The counts of one series after the other. */
class CellSum {
  cells = 0;
  readonly bucket: Uint32Array;
  readonly count: Int32Array;
  readonly #byBucket = new Int32Array(LATENCY_BUCKETS);
  #least = LATENCY_BUCKETS;
  #greatest = -1;

  constructor(maxCells: number) {
    this.bucket = new Uint32Array(maxCells);
    this.count = new Int32Array(maxCells);
  }

  /** Adds a series of a table to the one under way. */
  add({ start, bucket, count }: MinuteTable, series: number): void {
    const byBucket = this.#byBucket;
    const from = start[series]!;
    const end = start[series + 1]!;
    for (let i = from; i < end; i++) byBucket[bucket[i]!]! += count[i]!;
    // Buckets of a series ascend.
    this.#least = Math.min(this.#least, bucket[from]!);
    this.#greatest = Math.max(this.#greatest, bucket[end - 1]!);
  }

  /** Ends the series under way. @returns whether it has counts */
  take(): boolean {
    const byBucket = this.#byBucket;
    const before = this.cells;
    for (let bucket = this.#least; bucket <= this.#greatest; bucket++) {
      if (byBucket[bucket] === 0) continue;
      this.bucket[this.cells] = bucket;
      this.count[this.cells++] = byBucket[bucket]!;
      byBucket[bucket] = 0;
    }
    this.#least = LATENCY_BUCKETS;
    this.#greatest = -1;
    return this.cells > before;
  }
}
