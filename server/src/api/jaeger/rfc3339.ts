// SPDX-License-Identifier: Apache-2.0

const TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/i;

/**
 * Reads a time such as `2026-01-31T23:59:59.123456789Z`, to the nanosecond.
 * @returns Unix epoch ns, or undefined when the text is no such time
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
export function parseRfc3339(text: string): bigint | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, date, time, fraction = '', zone] = match;
  const unixMs = Date.parse(`${date}T${time}${zone!.toUpperCase()}`);
  // Date.parse turns 31 February into 3 March.
  const day = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(unixMs) || new Date(day).toISOString().slice(0, 10) !== date) return undefined;
  return BigInt(unixMs) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
