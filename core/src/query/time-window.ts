// SPDX-License-Identifier: Apache-2.0
import type { SpanColumns } from '#model/span-columns.ts';
import type { RowSet } from './row-set.ts';
import type { TraceQuery } from './trace-query.ts';

/** Starts of spans in `[startMinUnixNano, startMaxUnixNano)`. */
export type TimeWindow = Pick<TraceQuery, 'startMinUnixNano' | 'startMaxUnixNano'>;

const UINT64_END = 2n ** 64n;

/** Keeps the rows that start inside of the window. Bounds may be any integers. */
export function selectStarts(
  selected: RowSet,
  columns: SpanColumns,
  { startMinUnixNano, startMaxUnixNano }: TimeWindow,
): void {
  const { rows, words } = selected;
  if (startMinUnixNano >= UINT64_END || startMaxUnixNano <= 0n) {
    words.fill(0);
    return;
  }
  const min = startMinUnixNano < 0n ? 0n : startMinUnixNano;
  const last = (startMaxUnixNano > UINT64_END ? UINT64_END : startMaxUnixNano) - 1n;
  if (min === 0n && last === UINT64_END - 1n) return;
  const minLo = Number(min & 0xffffffffn);
  const minHi = Number(min >> 32n);
  const lastLo = Number(last & 0xffffffffn);
  const lastHi = Number(last >> 32n);
  const { startLo, startHi } = columns;
  for (let row = 0; row < rows; row++) {
    const lo = startLo[row]!;
    const hi = startHi[row]!;
    const inside =
      (hi > minHi || (hi === minHi && lo >= minLo)) &&
      (hi < lastHi || (hi === lastHi && lo <= lastLo));
    if (!inside) words[row >>> 5]! &= ~(1 << (row & 31));
  }
}
