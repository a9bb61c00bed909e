// SPDX-License-Identifier: Apache-2.0

/** Comparison operators. */
export type ComparisonOp = 'eq' | 'lt' | 'le' | 'gt' | 'ge';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** The signed 64-bit integers from a least to a greatest one. Values are taken as halves, so a test allocates nothing. */
export class Int64Range {
  /** Inclusive, signed. */
  readonly min: bigint;
  /** Inclusive, signed. */
  readonly max: bigint;
  readonly #minLo: number;
  readonly #minHi: number;
  readonly #maxLo: number;
  readonly #maxHi: number;

  private constructor(min: bigint, max: bigint) {
    this.min = min;
    this.max = max;
    this.#minLo = Number(BigInt.asUintN(32, min));
    this.#minHi = Number(min >> 32n);
    this.#maxLo = Number(BigInt.asUintN(32, max));
    this.#maxHi = Number(max >> 32n);
  }

  /** The integers `v` for which `v op bound` holds, exactly, or undefined when there are none. */
  static of(op: ComparisonOp, bound: bigint | number): Int64Range | undefined {
    if (Number.isNaN(bound)) return undefined;
    const floor = roundDown(bound);
    const ceiling = -roundDown(-bound);
    let min = INT64_MIN;
    let max = INT64_MAX;
    if (op === 'eq') {
      min = ceiling;
      max = floor;
    } else if (op === 'lt') max = ceiling - 1n;
    else if (op === 'le') max = floor;
    else if (op === 'gt') min = floor + 1n;
    else min = ceiling;
    if (min < INT64_MIN) min = INT64_MIN;
    if (max > INT64_MAX) max = INT64_MAX;
    return min > max ? undefined : new Int64Range(min, max);
  }

  /**
   * Whether a number is in the range.
   * @param hi high 32 bits, signed or unsigned
   */
  has(lo: number, hi: number): boolean {
    const high = hi | 0;
    return (
      (high > this.#minHi || (high === this.#minHi && lo >= this.#minLo)) &&
      (high < this.#maxHi || (high === this.#maxHi && lo <= this.#maxLo))
    );
  }
}

/** The greatest integer that is not above; an infinity becomes a number far outside of 64 bits. */
function roundDown(value: bigint | number): bigint {
  if (typeof value === 'bigint') return value;
  if (value === Infinity) return 2n ** 70n;
  return value === -Infinity ? -(2n ** 70n) : BigInt(Math.floor(value));
}
