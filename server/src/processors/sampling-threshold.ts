// SPDX-License-Identifier: Apache-2.0

/** Hexadecimal digits of a threshold and of a random value: 56 bits. */
const THRESHOLD_DIGITS = 14;

const ALL = 1n << 56n;
const TWO_56 = 2 ** 56;

/**
 * The **rejection threshold** of a sampling probability, 0 to 2^56: a trace is kept when its random value, 0 to 2^56 - 1, is not
 * below it. 2^56 keeps nothing. A higher probability has a lower threshold, so it keeps all that a lower one keeps.
 * @param probability 0 to 1
 * @param precision digits that are not zero at most; more where the probability is next to 0 or 1
 * @see https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
export function thresholdOf(probability: number, precision: number): bigint {
  if (probability >= 1) return 0n;
  const threshold = ALL - BigInt(Math.round(probability * TWO_56));
  if (threshold === ALL) return ALL;
  const digits = Math.min(
    THRESHOLD_DIGITS,
    precision + Math.max(leadingDigits(probability), leadingDigits(1 - probability)),
  );
  const shift = BigInt(4 * (THRESHOLD_DIGITS - digits));
  if (shift === 0n) return threshold;
  return ((threshold + (1n << (shift - 1n))) >> shift) << shift;
}

/** Share of traces that a threshold keeps, 0 to 1. */
export function probabilityOf(threshold: bigint): number {
  return Number(ALL - threshold) / TWO_56;
}

/** Digits that the threshold of a fraction has before those that tell it from others: the higher, the nearer to 0 it is. */
function leadingDigits(fraction: number): number {
  return Math.max(0, Math.floor(-Math.log2(fraction) / 4));
}

/** The value of `th` in a trace state: zeros at the end are left out. Not for 2^56, which keeps nothing. */
export function formatThreshold(threshold: bigint): string {
  const digits = threshold.toString(16).padStart(THRESHOLD_DIGITS, '0');
  return digits.replace(/0+$/, '') || '0';
}

/** Reads `th`, 1 to 14 lower-case digits; undefined when it is something else. */
export function parseThreshold(text: string): bigint | undefined {
  if (!/^[0-9a-f]{1,14}$/.test(text)) return undefined;
  return BigInt(`0x${text.padEnd(THRESHOLD_DIGITS, '0')}`);
}

/** Reads `rv`, 14 lower-case digits; undefined when it is something else. */
export function parseRandomValue(text: string): bigint | undefined {
  return /^[0-9a-f]{14}$/.test(text) ? BigInt(`0x${text}`) : undefined;
}
