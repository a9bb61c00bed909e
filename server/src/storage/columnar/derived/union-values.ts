// SPDX-License-Identifier: Apache-2.0
import type { PlacedValues } from '@spoor/core/analysis/placed-values.ts';
import type { SpanUnion } from '../span-union.ts';

/** The attributes of what a block is written from. */
export function unionValues({ cells, cellStart, columns }: SpanUnion): PlacedValues {
  return {
    entry: (row, column, place) => {
      const code = cells[cellStart[row]! + place]!;
      return columns[column]!.ranks?.[code] ?? code;
    },
    table: (column) => columns[column]!.table,
  };
}
