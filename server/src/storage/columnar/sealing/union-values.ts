// SPDX-License-Identifier: Apache-2.0
import type { PlacedValues } from '@spoor/core/analysis/placed-values.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import type { SpanUnion } from './span-union.ts';

/** The attributes of what a block is written from. */
export class PlacedUnionValues implements PlacedValues {
  readonly #union: SpanUnion;
  readonly #dictionaries: SymbolTable[] = [];

  constructor(union: SpanUnion) {
    this.#union = union;
  }

  entry(row: number, _column: number, place: number): number {
    const { cells, cellStart } = this.#union;
    return cells[cellStart[row]! + place]!;
  }

  table(column: number): SymbolTable {
    const { columns, values } = this.#union;
    return (this.#dictionaries[column] ??= values.valuesOf(columns[column]!));
  }
}
