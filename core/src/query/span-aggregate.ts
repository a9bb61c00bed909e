// SPDX-License-Identifier: Apache-2.0

/** Durations that are added up as numbers before they become one bigint: so many sums stay below 2^53. */
const NUMBERS_AT_ONCE = 2 ** 20;

/** Count and durations of some spans of a trace, exact. */
export class SpanAggregate {
  count = 0;
  #sum = 0n;
  /** Sums of the halves of what is not in `#sum` yet. */
  #lo = 0;
  #hi = 0;
  #pending = 0;
  #minLo = 0;
  #minHi = 0;
  #maxLo = 0;
  #maxHi = 0;

  /** Takes a span by its duration in ns, two's complement; `hi` are the high 32 bits, unsigned. */
  add(lo: number, hi: number): void {
    const high = hi | 0;
    if (this.count === 0 || high < this.#minHi || (high === this.#minHi && lo < this.#minLo)) {
      this.#minHi = high;
      this.#minLo = lo;
    }
    if (this.count === 0 || high > this.#maxHi || (high === this.#maxHi && lo > this.#maxLo)) {
      this.#maxHi = high;
      this.#maxLo = lo;
    }
    this.count++;
    this.#lo += lo;
    this.#hi += high;
    if (++this.#pending === NUMBERS_AT_ONCE) this.#settle();
  }

  /** Sum of the durations, 0 of none. */
  get sum(): bigint {
    this.#settle();
    return this.#sum;
  }

  /** The shortest; of no meaning when there is none. */
  get min(): bigint {
    return signed(this.#minLo, this.#minHi);
  }

  /** The longest; of no meaning when there is none. */
  get max(): bigint {
    return signed(this.#maxLo, this.#maxHi);
  }

  #settle(): void {
    this.#sum += BigInt(this.#hi) * 2n ** 32n + BigInt(this.#lo);
    this.#lo = 0;
    this.#hi = 0;
    this.#pending = 0;
  }
}

function signed(lo: number, hi: number): bigint {
  return BigInt(hi) * 2n ** 32n + BigInt(lo);
}
