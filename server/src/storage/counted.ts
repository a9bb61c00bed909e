// SPDX-License-Identifier: Apache-2.0
import type { EdgeKey } from '@spoor/core/analysis/edge-counts.ts';
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import type { RedKey } from '@spoor/core/analysis/red-counts.ts';
import type { MinuteRange } from './tracestore.ts';

/** Counted calls. */
export interface CountedEdges {
  /** What the numbers in `keys` stand for. */
  readonly texts: readonly string[];
  readonly keys: readonly EdgeKey[];
  readonly table: MinuteTable;
}

/** Counted spans. */
export interface CountedSpans {
  /** Text of a service or operation in `keys`. */
  readonly textOf: (number: number) => string;
  readonly keys: readonly RedKey[];
  readonly table: MinuteTable;
}

/** Goes through the series of a table in a range: key, Unix minute, and where its counts are, `[start, end)`. */
export function forEachSeries(
  { fromMinute, toMinute }: MinuteRange,
  { minutes, key, minute, start }: MinuteTable,
  visit: (key: number, minute: number, start: number, end: number) => void,
): void {
  for (let s = 0; s < key.length; s++) {
    const at = minutes[minute[s]!]!;
    if (at < fromMinute || at >= toMinute) continue;
    visit(key[s]!, at, start[s]!, start[s + 1]!);
  }
}
