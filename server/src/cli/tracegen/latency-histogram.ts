// SPDX-License-Identifier: Apache-2.0

/** Steps within a factor of two: a bucket is about 1 % wide. */
const STEPS = 64;
/** From 1 µs to 2^33 µs, which is more than two hours. */
const BUCKETS = 33 * STEPS;

/** Counts durations in buckets of about 1 %, in a fixed 17 kB, however many there are. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #maxMs = 0;

  record(ms: number): void {
    const micros = Math.max(1, ms * 1000);
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(micros) * STEPS));
    this.#counts[bucket]!++;
    this.#total++;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  get count(): number {
    return this.#total;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** The duration that this share of all did not exceed, ms, to 1 %; 0 when there are none. */
  quantileMs(ratio: number): number {
    if (this.#total === 0) return 0;
    const rank = Math.max(1, Math.ceil(ratio * this.#total));
    let seen = 0;
    // The last bucket has no upper end.
    for (let bucket = 0; bucket < BUCKETS - 1; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= rank) return Math.min(this.#maxMs, 2 ** ((bucket + 1) / STEPS) / 1000);
    }
    return this.#maxMs;
  }
}
