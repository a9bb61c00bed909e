// SPDX-License-Identifier: Apache-2.0

/** Between a number and its unit: U+2009 THIN SPACE. */
const THIN_SPACE = '\u2009';

/** Units of time from small to large; `sizeUs` is one of it in µs. */
const UNITS = [
  { name: 'ns', sizeUs: 1e-3 },
  { name: 'µs', sizeUs: 1 },
  { name: 'ms', sizeUs: 1e3 },
  { name: 's', sizeUs: 1e6 },
  { name: 'min', sizeUs: 60e6 },
  { name: 'h', sizeUs: 3600e6 },
  { name: 'd', sizeUs: 86_400e6 },
] as const;

/**
 * A duration with three significant digits and a thin space: `873 µs`, `1.24 s`, `1.50 min`.
 * Whole microseconds below 100 stay whole (`5 µs`), since that is all the API tells.
 */
export function formatDuration(durationUs: number): string {
  if (!Number.isFinite(durationUs)) return '–';
  if (durationUs === 0) return `0${THIN_SPACE}µs`;
  const sign = durationUs < 0 ? '−' : '';
  const size = Math.abs(durationUs);
  let unit = 0;
  for (let i = 1; i < UNITS.length; i++) {
    // Rounding first, so that 999.9 µs is not written as "1000 µs".
    if (roundTo3Digits(size / UNITS[i]!.sizeUs) >= 1) unit = i;
  }
  const { name, sizeUs } = UNITS[unit]!;
  const value = roundTo3Digits(size / sizeUs);
  const whole = (name === 'µs' && Number.isInteger(value)) || value >= 100;
  const digits = whole ? 0 : value >= 10 ? 1 : 2;
  return `${sign}${value.toFixed(digits)}${THIN_SPACE}${name}`;
}

function roundTo3Digits(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(3));
}

/** µs of each unit that can be typed, as in Go's duration texts. */
const TYPED_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-3,
  us: 1,
  µs: 1,
  μs: 1,
  ms: 1e3,
  s: 1e6,
  m: 60e6,
  h: 3600e6,
};

/** Result of reading something that a person typed. */
export type Parsed<T> = { readonly value: T } | { readonly error: string };

/**
 * Reads a duration as Go writes it: `1.2s`, `100ms`, `500us`, `1m30s`. Spaces are ignored.
 * @returns the duration in µs, or what is wrong with the text.
 */
export function parseDuration(text: string): Parsed<number> {
  const compact = text.replaceAll(/\s/g, '');
  const number = /(\d+(?:\.\d*)?|\.\d+)([a-zµμ]*)/y;
  let totalUs = 0;
  if (compact === '') return { error: 'Write a duration such as 100ms or 1.2s.' };
  while (number.lastIndex < compact.length) {
    const at = number.lastIndex;
    const match = number.exec(compact);
    if (match === null) {
      return { error: `“${compact.slice(at, at + 20)}” is not a duration. Write 100ms or 1.2s.` };
    }
    const unit = match[2] ?? '';
    const sizeUs = Object.hasOwn(TYPED_UNITS, unit) ? TYPED_UNITS[unit] : undefined;
    if (sizeUs === undefined) {
      const problem = unit === '' ? `“${match[0]}” has no unit` : `There is no unit “${unit}”`;
      return { error: `${problem}. Units are us, ms, s, m and h.` };
    }
    totalUs += Number(match[1]) * sizeUs;
  }
  return { value: totalUs };
}
