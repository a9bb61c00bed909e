// SPDX-License-Identifier: Apache-2.0

/** A text that is the same for equal trees of plain values, whatever the order of their properties, and for no others. */
export function canonicalText(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  // JSON has no word for these.
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${canonicalText(one)}`).join()}}`;
}
