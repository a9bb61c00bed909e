// SPDX-License-Identifier: Apache-2.0
import { grownWords } from '#model/column-arrays.ts';
import { hashTwo } from '#model/word-hash.ts';
import { WordSorter } from '#model/word-sorter.ts';
import { LATENCY_BUCKETS } from './latency-bucket.ts';

/**
 * Counts by key, minute and latency bucket, ascending, none of them zero. Series `s` is the key `key[s]` in the minute
 * `minutes[minute[s]]`; its counts are those at `[start[s], start[s + 1])`.
 */
export interface MinuteTable {
  /** Distinct Unix minutes, ascending. */
  readonly minutes: Uint32Array;
  readonly key: Uint32Array;
  readonly minute: Uint32Array;
  readonly start: Uint32Array;
  /** See `latencyBucket`. */
  readonly bucket: Uint32Array;
  readonly count: Int32Array;
}

/**
 * Counts spans by key, minute and latency bucket; keys are small numbers that the owner gives a meaning. Each span is noted
 * as one number, and equal ones are counted when the table is asked for: sorting them at once costs less than finding each
 * one's place when it comes.
 */
export class MinuteCounts {
  /** Keys and minutes of the series, in order of appearance; below 2²². */
  #key = new Uint32Array(256);
  #minute = new Uint32Array(256);
  #series = 0;
  #slots = new Int32Array(512).fill(-1);
  /** Series and bucket of each span, and of each that was taken back. */
  readonly #added = new CodeList();
  readonly #taken = new CodeList();

  /** @param weight 1, or -1 to take a span back */
  add(key: number, minute: number, bucket: number, weight = 1): void {
    const code = this.#seriesOf(key, minute) * LATENCY_BUCKETS + bucket;
    (weight === 1 ? this.#added : this.#taken).add(code);
  }

  /** All counts in order, which are forgotten. */
  take(): MinuteTable {
    const table = this.table();
    this.#series = 0;
    this.#slots.fill(-1);
    this.#added.clear();
    this.#taken.clear();
    return table;
  }

  /** All counts in order. */
  table(): MinuteTable {
    const minutes = Uint32Array.from(new Set(this.#minute.subarray(0, this.#series))).sort();
    const order = this.#order();
    const rank = new Uint32Array(order.length);
    for (let place = 0; place < order.length; place++) rank[order[place]!] = place;
    const added = this.#added.sorted(rank);
    const taken = this.#taken.sorted(rank);
    const bucket = new Uint32Array(added.length + taken.length);
    const count = new Int32Array(bucket.length);
    const key = new Uint32Array(order.length);
    const minute = new Uint32Array(order.length);
    const start = new Uint32Array(order.length + 1);
    const ranks = new Map<number, number>();
    minutes.forEach((value, place) => ranks.set(value, place));
    let cells = 0;
    let used = 0;
    let last = -1;
    for (let i = 0, back = 0; i < added.length || back < taken.length;) {
      const code = Math.min(added[i] ?? Infinity, taken[back] ?? Infinity);
      let left = 0;
      for (; added[i] === code; i++) left++;
      for (; taken[back] === code; back++) left--;
      if (left === 0) continue;
      const place = Math.floor(code / LATENCY_BUCKETS);
      if (place !== last) {
        const series = order[place]!;
        key[used] = this.#key[series]!;
        minute[used] = ranks.get(this.#minute[series]!)!;
        start[used++] = cells;
        last = place;
      }
      bucket[cells] = code % LATENCY_BUCKETS;
      count[cells++] = left;
    }
    start[used] = cells;
    return {
      minutes,
      key: key.slice(0, used),
      minute: minute.slice(0, used),
      start: start.slice(0, used + 1),
      bucket: bucket.slice(0, cells),
      count: count.slice(0, cells),
    };
  }

  /** The series by key, then minute. */
  #order(): Uint32Array {
    const order = Uint32Array.from({ length: this.#series }, (_, series) => series);
    const sorter = new WordSorter();
    sorter.sort(this.#minute.slice(0, this.#series), order);
    sorter.sort(
      order.map((series) => this.#key[series]!),
      order,
    );
    return order;
  }

  #seriesOf(key: number, minute: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashTwo(key, minute) & mask;
    for (let series = slots[slot]!; series >= 0; series = slots[slot]!) {
      if (this.#key[series] === key && this.#minute[series] === minute) return series;
      slot = (slot + 1) & mask;
    }
    const series = this.#series++;
    if (series === this.#key.length) {
      this.#key = grownWords(this.#key, series * 2);
      this.#minute = grownWords(this.#minute, series * 2);
    }
    this.#key[series] = key;
    this.#minute[series] = minute;
    slots[slot] = series;
    if (this.#series * 2 > slots.length) this.#growSlots();
    return series;
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (let series = 0; series < this.#series; series++) {
      let slot = hashTwo(this.#key[series]!, this.#minute[series]!) & (slots.length - 1);
      while (slots[slot]! >= 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = series;
    }
    this.#slots = slots;
  }
}

/** A growing list of codes: 1,024 × series + bucket. */
class CodeList {
  #codes = new Uint32Array(0);
  #count = 0;

  add(code: number): void {
    if (this.#count === this.#codes.length) {
      this.#codes = grownWords(this.#codes, Math.max(1024, this.#count * 2));
    }
    this.#codes[this.#count++] = code;
  }

  clear(): void {
    this.#count = 0;
  }

  /** The codes ascending, with the rank of each series in its place. */
  sorted(rank: Uint32Array): Uint32Array {
    const codes = this.#codes.subarray(0, this.#count);
    // First by bucket, then by rank, each time keeping the order: no comparisons.
    const byBucket = countingSort(codes, LATENCY_BUCKETS, 0, LATENCY_BUCKETS - 1);
    rankSeries(byBucket, rank);
    return countingSort(byBucket, rank.length, 10, -1);
  }
}

/** Sorts by the digit `(code >>> shift) & mask`, which is below `digits`; equal ones stay in their order. */
function countingSort(
  codes: Uint32Array,
  digits: number,
  shift: number,
  mask: number,
): Uint32Array<ArrayBuffer> {
  const next = digitStarts(codes, digits, shift, mask);
  const sorted = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    sorted[next[(code >>> shift) & mask]!++] = code;
  }
  return sorted;
}

function digitStarts(codes: Uint32Array, digits: number, shift: number, mask: number): Uint32Array {
  const starts = new Uint32Array(digits + 1);
  for (let i = 0; i < codes.length; i++) starts[((codes[i]! >>> shift) & mask) + 1]!++;
  for (let digit = 0; digit < digits; digit++) starts[digit + 1]! += starts[digit]!;
  return starts;
}

/** Puts the rank of each series in its place. */
function rankSeries(codes: Uint32Array, rank: Uint32Array): void {
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    codes[i] = rank[code >>> 10]! * LATENCY_BUCKETS + (code & (LATENCY_BUCKETS - 1));
  }
}
