// SPDX-License-Identifier: Apache-2.0
import { type RateLimit, TokenBucket } from './token-bucket.ts';

/** A bounded number of token buckets by name. Names that find no place share one bucket. */
export class BucketTable {
  readonly #limit: RateLimit;
  readonly #maxBuckets: number;
  readonly #buckets = new Map<string, TokenBucket>();
  #shared: TokenBucket | undefined;
  /** Nothing is looked for before: a search that found no full bucket need not be repeated for each batch. */
  #nextSweepMs = 0;

  constructor(limit: RateLimit, maxBuckets: number) {
    this.#limit = limit;
    this.#maxBuckets = maxBuckets;
  }

  /** The bucket of a name; undefined where there is no limit. */
  of(name: string, nowMs: number): TokenBucket | undefined {
    if (this.#limit.perSecond === 0) return undefined;
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#maxBuckets) this.#sweep(nowMs);
    if (this.#buckets.size >= this.#maxBuckets) {
      return (this.#shared ??= new TokenBucket(this.#limit, nowMs));
    }
    const bucket = new TokenBucket(this.#limit, nowMs);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** Forgets full buckets: a new one is the same. */
  #sweep(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + SWEEP_INTERVAL_MS;
    for (const [name, bucket] of this.#buckets) {
      if (bucket.isFull(nowMs)) this.#buckets.delete(name);
    }
  }
}

const SWEEP_INTERVAL_MS = 1000;
