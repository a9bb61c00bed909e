// SPDX-License-Identifier: Apache-2.0

/** A minute has 6 × 10¹⁰ ns: 2¹¹ × this. */
const MINUTE_ODD_PART = 29_296_875;

/** Nanoseconds of a minute. */
export const MINUTE_NANOS = 60_000_000_000n;

/**
 * Unix minute of a time in epoch ns, given as halves of 64 bits; exact. (The time without its lowest 11 bits fits a double,
 * and below 2²⁹ minutes a quotient that is no integer is never rounded to one.)
 */
export function unixMinute(lo: number, hi: number): number {
  return Math.floor((hi * 2097152 + (lo >>> 11)) / MINUTE_ODD_PART);
}
