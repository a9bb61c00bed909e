// SPDX-License-Identifier: Apache-2.0
import { bucketMiddleNanos, LATENCY_BUCKETS } from './latency-bucket.ts';

/** Counts by latency bucket that are summed up, and may be taken back. */
export class LatencySum {
  /** Of all buckets together. */
  total = 0;
  readonly #counts = new Float64Array(LATENCY_BUCKETS);
  /** All that was ever added is in buckets `[#first, #end)`. */
  #first = LATENCY_BUCKETS;
  #end = 0;

  /** @param count below zero to take back */
  add(bucket: number, count: number): void {
    this.#counts[bucket]! += count;
    this.total += count;
    if (bucket < this.#first) this.#first = bucket;
    if (bucket >= this.#end) this.#end = bucket + 1;
  }

  /**
   * Quantile of durations, ns, by nearest rank: the middle of the bucket that has the duration of rank ⌈ratio × count⌉, so at
   * most 1/32 off. NaN for no durations. No count may be below zero.
   * @param ratio above 0, at most 1
   */
  quantileNanos(ratio: number): number {
    const rank = Math.ceil(ratio * this.total);
    if (rank === 0) return NaN;
    let bucket = this.#first;
    for (let below = this.#counts[bucket]!; below < rank; below += this.#counts[bucket]!) bucket++;
    return bucketMiddleNanos(bucket);
  }

  /** Buckets, ascending, with their counts, of those that are not zero. */
  cells(isWanted = isNotZero): {
    bucket: Uint32Array<ArrayBuffer>;
    count: Float64Array<ArrayBuffer>;
  } {
    const counts = this.#counts;
    const bucket = new Uint32Array(Math.max(0, this.#end - this.#first));
    const count = new Float64Array(bucket.length);
    let used = 0;
    for (let at = this.#first; at < this.#end; at++) {
      if (!isWanted(counts[at]!)) continue;
      bucket[used] = at;
      count[used++] = counts[at]!;
    }
    return { bucket: bucket.slice(0, used), count: count.slice(0, used) };
  }
}

function isNotZero(count: number): boolean {
  return count !== 0;
}
