// SPDX-License-Identifier: Apache-2.0
import { RowCursor } from '#model/row-cursor.ts';
import type { SpanColumns, SymbolTable } from '#model/span-columns.ts';

/** Looks up single attributes of spans. Rows in ascending order cost least. */
export interface PlacedValues {
  /**
   * Entry, in {@link table} of `column`, of the row's first value in the column.
   * @param place index in the row's shape at which the column first occurs
   */
  entry(row: number, column: number, place: number): number;
  table(column: number): SymbolTable;
}

/** The attributes of spans in columns. */
export function placedValues(columns: SpanColumns): PlacedValues {
  const { cells } = columns;
  if (cells !== undefined) {
    return {
      entry: (row, _column, place) => cells.codes[cells.rowStart[row]! + place]!,
      table: () => cells.values,
    };
  }
  let cursor: RowCursor | undefined;
  return {
    entry: (row, column) => {
      cursor ??= new RowCursor(columns);
      cursor.seek(row);
      const position = cursor.positions[column]!;
      return columns.columns[column]!.codes?.[position] ?? position;
    },
    table: (column) => columns.columns[column]!.values,
  };
}
