// SPDX-License-Identifier: Apache-2.0

/** Halves of a 64-bit number of ns, made from other units; exact, and without bigint. */
export class Nanos {
  lo = 0;
  hi = 0;

  /**
   * An epoch time in µs.
   * @returns false when it is after the year 2554, the last that 64 bits of ns reach
   */
  ofMicros(lo: number, hi: number): boolean {
    const low = lo * 1000;
    const high = hi * 1000 + Math.floor(low / TWO_32);
    this.lo = low >>> 0;
    this.hi = high >>> 0;
    return high < TWO_32;
  }

  /**
   * A duration in µs, both numbers in two's complement.
   * @returns false when it is longer than 292 years
   */
  ofSignedMicros(lo: number, hi: number): boolean {
    if (hi < TWO_31) return this.ofMicros(lo, hi) && this.hi < TWO_31;
    const fits = this.ofMicros(-lo >>> 0, (~hi + (lo === 0 ? 1 : 0)) >>> 0) && this.hi < TWO_31;
    this.#negate();
    return fits;
  }

  /**
   * A duration of seconds and ns, which may be of different signs.
   * @param seconds an integer
   * @param nanos -999,999,999 to 999,999,999
   * @returns false when it is longer than 292 years
   */
  ofSignedSeconds(seconds: number, nanos: number): boolean {
    if (seconds < 0 || (seconds === 0 && nanos < 0)) {
      const fits = this.ofSignedSeconds(-seconds, -nanos);
      this.#negate();
      return fits;
    }
    const fits =
      nanos < 0
        ? this.ofSeconds(seconds - 1, nanos + NANOS_OF_SECOND)
        : this.ofSeconds(seconds, nanos);
    return fits && this.hi < TWO_31;
  }

  /**
   * An epoch time of seconds and ns.
   * @param seconds an integer from 0 on
   * @param nanos 0 to 999,999,999
   * @returns false when it is after the year 2554
   */
  ofSeconds(seconds: number, nanos: number): boolean {
    if (seconds > MAX_SECONDS) return false;
    // In two parts that are exact in a double, each times 10^9.
    const upper = Math.floor(seconds / TWO_16) * NANOS_OF_SECOND;
    const lower = (seconds % TWO_16) * NANOS_OF_SECOND + nanos;
    const low = (upper % TWO_16) * TWO_16 + lower;
    const high = Math.floor(upper / TWO_16) + Math.floor(low / TWO_32);
    this.lo = low >>> 0;
    this.hi = high >>> 0;
    return high < TWO_32;
  }

  #negate(): void {
    this.hi = (~this.hi + (this.lo === 0 ? 1 : 0)) >>> 0;
    this.lo = -this.lo >>> 0;
  }
}

const TWO_16 = 2 ** 16;
const TWO_31 = 2 ** 31;
const TWO_32 = 2 ** 32;
const NANOS_OF_SECOND = 1e9;
/** Of 2^64 ns. */
const MAX_SECONDS = 18_446_744_073;
