// SPDX-License-Identifier: Apache-2.0

const NANOS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

const PART = /(\d{1,19}(?:\.\d{0,15})?|\.\d{1,15})(ns|us|µs|μs|ms|s|m|h)/gy;

/**
 * Reads a Go duration such as `1.5s`, `100ms`, `1h30m` or `0`, rounded down to whole ns.
 * @returns undefined when the text is no duration, is negative, or is over 292 years
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function parseGoDuration(text: string): bigint | undefined {
  if (/^\+?0$/.test(text)) return 0n;
  const unsigned = text.startsWith('+') ? text.slice(1) : text;
  let nanos = 0n;
  let end = 0;
  for (const [part, number, unit] of unsigned.matchAll(PART)) {
    const [whole = '', fraction = ''] = number!.split('.');
    const unitNanos = NANOS.get(unit!)!;
    nanos += BigInt(whole || '0') * BigInt(unitNanos);
    // Fractions stay far below 2^53 ns: an hour has 3.6e12.
    if (fraction !== '') nanos += BigInt(Math.floor(Number(`0.${fraction}`) * unitNanos + 1e-6));
    end += part.length;
  }
  if (end === 0 || end !== unsigned.length || nanos >= 1n << 63n) return undefined;
  return nanos;
}
