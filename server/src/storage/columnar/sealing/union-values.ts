// SPDX-License-Identifier: Apache-2.0
import type { PlacedValues } from '@spoor/core/analysis/placed-values.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import type { SpanUnion } from './span-union.ts';

/** The attributes of what a block is written from. */
export function unionValues({ cells, cellStart, columns, values }: SpanUnion): PlacedValues {
  const dictionaries: SymbolTable[] = [];
  return {
    entry: (row, _column, place) => cells[cellStart[row]! + place]!,
    table: (column) => (dictionaries[column] ??= values.valuesOf(columns[column]!)),
  };
}
