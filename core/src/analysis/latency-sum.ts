// SPDX-License-Identifier: Apache-2.0
import { bucketMiddleNanos } from './latency-bucket.ts';

/** Room for counts comes by so many buckets: there may be a sum for each of a hundred thousand peers. */
const ROOM = 16;

/** Counts by latency bucket, which ascend. */
interface BucketCounts {
  readonly bucket: Uint32Array;
  readonly count: Float64Array | Int32Array;
}

/** Counts by latency bucket that are summed up, and may be taken back. */
export class LatencySum {
  /** Of all buckets together. */
  total = 0;
  /** Of buckets from `#first` on. */
  #counts = new Float64Array(0);
  #first = 0;

  /** Buckets that there is memory for. */
  get room(): number {
    return this.#counts.length;
  }

  /** @param count below zero to take back */
  add(bucket: number, count: number): void {
    this.#makeRoom(bucket);
    this.#counts[bucket - this.#first]! += count;
    this.total += count;
  }

  /** Adds counts `[start, end)`: room is made once for all of them. */
  addAll({ bucket, count }: BucketCounts, start = 0, end = bucket.length): void {
    if (start >= end) return;
    this.#makeRoom(bucket[start]!);
    this.#makeRoom(bucket[end - 1]!);
    for (let i = start; i < end; i++) {
      this.#counts[bucket[i]! - this.#first]! += count[i]!;
      this.total += count[i]!;
    }
  }

  /**
   * Quantile of durations, ns, by nearest rank: the middle of the bucket that has the duration of rank ⌈ratio × count⌉, so at
   * most 1/32 off. NaN for no durations. No count may be below zero.
   * @param ratio above 0, at most 1
   */
  quantileNanos(ratio: number): number {
    const rank = Math.ceil(ratio * this.total);
    if (rank === 0) return NaN;
    let at = 0;
    for (let below = this.#counts[at]!; below < rank; below += this.#counts[at]!) at++;
    return bucketMiddleNanos(this.#first + at);
  }

  /** Buckets, ascending, with their counts, of those that are not zero. */
  cells(isWanted = isNotZero): {
    bucket: Uint32Array<ArrayBuffer>;
    count: Float64Array<ArrayBuffer>;
  } {
    const counts = this.#counts;
    const bucket = new Uint32Array(counts.length);
    const count = new Float64Array(counts.length);
    let used = 0;
    for (let at = 0; at < counts.length; at++) {
      if (!isWanted(counts[at]!)) continue;
      bucket[used] = this.#first + at;
      count[used++] = counts[at]!;
    }
    return { bucket: bucket.slice(0, used), count: count.slice(0, used) };
  }

  #makeRoom(bucket: number): void {
    const at = bucket - this.#first;
    if (at >= 0 && at < this.#counts.length) return;
    const known = this.#counts;
    const isEmpty = known.length === 0;
    const start = isEmpty ? bucket : Math.min(bucket, this.#first);
    const end = isEmpty ? bucket + 1 : Math.max(bucket + 1, this.#first + known.length);
    const first = start - (start % ROOM);
    this.#counts = new Float64Array(Math.ceil((end - first) / ROOM) * ROOM);
    if (!isEmpty) this.#counts.set(known, this.#first - first);
    this.#first = first;
  }
}

function isNotZero(count: number): boolean {
  return count !== 0;
}
