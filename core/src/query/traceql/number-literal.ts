// SPDX-License-Identifier: Apache-2.0
import { parseGoDuration } from '#query/go-duration.ts';
import { named, traceqlError } from './traceql-error.ts';
import type { TraceqlValue } from './traceql-query.ts';

const NUMBER = String.raw`(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`;
/** A number with everything that sticks to it; what is no number and no duration is refused as a whole. */
const STUCK = new RegExp(String.raw`${NUMBER}[\p{L}\p{N}_.]*`, 'uy');
const INT = /^\d+$/;
const FLOAT = new RegExp(`^${NUMBER}$`);
/** Days and more, which Prometheus has and Go has not. */
const DAYS =
  /^(?=\d)(?:(\d{1,6})y)?(?:(\d{1,6})w)?(?:(\d{1,6})d)?((?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?)$/;
const DAY_NANOS = 86_400_000_000_000n;
const MAX_INT64 = (1n << 63n) - 1n;

/**
 * Reads a number or a duration without sign: `200`, `1.5`, `2e3`, `100ms`, `1h30m`, `1d12h`.
 * @param at of its first digit, or of the dot before that
 * @returns what it is worth, and where it ends
 * @throws {SpoorError} invalid_argument
 */
export function readNumber(query: string, at: number): { value: TraceqlValue; end: number } {
  STUCK.lastIndex = at;
  const text = STUCK.exec(query)?.[0] ?? '';
  const end = at + text.length;
  if (INT.test(text)) {
    const value = BigInt(text);
    if (value <= MAX_INT64) return { value: { type: 'int', value }, end };
    throw traceqlError(query, at, `${named(text)} is more than 64 bits hold`);
  }
  if (FLOAT.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return { value: { type: 'float', value }, end };
    throw traceqlError(query, at, `${named(text)} is more than a float holds`);
  }
  const value = durationNanos(text);
  if (value !== undefined) return { value: { type: 'duration', value }, end };
  throw traceqlError(query, at, `${named(text)} is no number and no duration such as 1.5s`);
}

function durationNanos(text: string): bigint | undefined {
  const match = DAYS.exec(text);
  if (match === null) return parseGoDuration(text);
  const [, years = '0', weeks = '0', days = '0', rest] = match;
  const more = rest === '' ? 0n : parseGoDuration(rest!);
  if (more === undefined) return undefined;
  const whole = BigInt(years) * 365n + BigInt(weeks) * 7n + BigInt(days);
  const nanos = whole * DAY_NANOS + more;
  return nanos <= MAX_INT64 ? nanos : undefined;
}
