// SPDX-License-Identifier: Apache-2.0
import { LATENCY_BUCKETS } from '@spoor/core/analysis/latency-bucket.ts';
import type { MinuteColumns } from './span-metrics-table.ts';

/** Minutes that are summed up one after the other, of one series after the other. */
export class MinutesSum {
  /** Minutes that have ended and have spans. */
  count = 0;
  readonly #minute: Uint32Array<ArrayBuffer>;
  readonly #calls: Float64Array<ArrayBuffer>;
  readonly #errors: Float64Array<ArrayBuffer>;
  readonly #start: Uint32Array<ArrayBuffer>;
  readonly #bucket: Uint32Array<ArrayBuffer>;
  readonly #count: Float64Array<ArrayBuffer>;
  #cells = 0;
  /** The minute under way. */
  #nowErrors = 0;
  readonly #byBucket = new Float64Array(LATENCY_BUCKETS);
  #least = LATENCY_BUCKETS;
  #greatest = -1;

  /** @param maxMinutes that are ended, and counts in them */
  constructor(maxMinutes: number, maxCells: number) {
    this.#minute = new Uint32Array(maxMinutes);
    this.#calls = new Float64Array(maxMinutes);
    this.#errors = new Float64Array(maxMinutes);
    this.#start = new Uint32Array(maxMinutes + 1);
    this.#bucket = new Uint32Array(maxCells);
    this.#count = new Float64Array(maxCells);
  }

  /**
   * Adds counts to the minute under way.
   * @param buckets `[start, end)` of them are added, which ascend, and are some
   * @param counts with a sign, which the words do not show
   */
  add(
    buckets: Uint32Array,
    counts: Uint32Array,
    [start, end]: readonly [number, number],
    isError: boolean,
  ): void {
    const byBucket = this.#byBucket;
    let calls = 0;
    for (let i = start; i < end; i++) {
      const count = counts[i]! | 0;
      byBucket[buckets[i]!]! += count;
      calls += count;
    }
    if (isError) this.#nowErrors += calls;
    this.#least = Math.min(this.#least, buckets[start]!);
    this.#greatest = Math.max(this.#greatest, buckets[end - 1]!);
  }

  /** Ends the minute under way; one without spans is left out. */
  endMinute(minute: number): void {
    const byBucket = this.#byBucket;
    const first = this.#cells;
    let calls = 0;
    for (let bucket = this.#least; bucket <= this.#greatest; bucket++) {
      const count = byBucket[bucket]!;
      byBucket[bucket] = 0;
      calls += count;
      if (count <= 0) continue;
      this.#bucket[this.#cells] = bucket;
      this.#count[this.#cells++] = count;
    }
    if (calls > 0) {
      this.#minute[this.count] = minute;
      this.#calls[this.count] = calls;
      this.#errors[this.count] = this.#nowErrors;
      this.#start[++this.count] = this.#cells;
    } else this.#cells = first;
    this.#nowErrors = 0;
    this.#least = LATENCY_BUCKETS;
    this.#greatest = -1;
  }

  /** What was ended, in the memory of this object, which is of no use any more. */
  take(): MinuteColumns {
    const { count } = this;
    return {
      minute: new Uint32Array(cut(this.#minute, count)),
      calls: new Float64Array(cut(this.#calls, count)),
      errors: new Float64Array(cut(this.#errors, count)),
      start: new Uint32Array(cut(this.#start, count + 1)),
      bucket: new Uint32Array(cut(this.#bucket, this.#cells)),
      count: new Float64Array(cut(this.#count, this.#cells)),
    };
  }
}

/** The first entries of a list, without a copy of them. */
function cut(
  { buffer, BYTES_PER_ELEMENT: size }: Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>,
  count: number,
): ArrayBuffer {
  return buffer.transfer(count * size);
}
