// SPDX-License-Identifier: Apache-2.0
import type { ShapeTable } from '@spoor/core/model/span-columns.ts';

/** Some rows, events or links that follow one another in a group. */
export interface ShapeRange {
  /** Of each of them, as the block calls it. */
  readonly shapes: Uint32Array;
  /** By shape of the block, how many are before them. */
  readonly shapesBefore: Uint32Array;
}

/**
 * The shapes that a few rows of a block have, and the columns in these, numbered anew: a block may have tens of thousands of columns,
 * of which a trace needs a few.
 */
export class SliceShapes implements ShapeTable {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly columns: Uint32Array;
  /** Per column here: its number in the block, its values, and how many come before them. */
  readonly used: readonly {
    readonly column: number;
    readonly count: number;
    readonly before: number;
  }[];
  readonly #numbers = new Map<number, number>();

  /**
   * @param block its shapes
   * @param columnCount of the block
   * @param ranges of rows, events and links
   */
  constructor(block: ShapeTable, columnCount: number, ranges: readonly ShapeRange[]) {
    for (const { shapes } of ranges) {
      for (const shape of shapes) {
        if (!this.#numbers.has(shape)) this.#numbers.set(shape, this.#numbers.size);
      }
    }
    this.count = this.#numbers.size;
    // By column of the block, 1 more than its number here.
    const numberOf = new Uint32Array(columnCount);
    const used: number[] = [];
    const offsets = [0];
    const columns: number[] = [];
    for (const shape of this.#numbers.keys()) {
      for (let i = block.offsets[shape]!; i < block.offsets[shape + 1]!; i++) {
        const column = block.columns[i]!;
        if (numberOf[column] === 0) numberOf[column] = used.push(column);
        columns.push(numberOf[column]! - 1);
      }
      offsets.push(columns.length);
    }
    this.offsets = Uint32Array.from(offsets);
    this.columns = Uint32Array.from(columns);
    const within = new Uint32Array(used.length + 1);
    const before = new Uint32Array(used.length + 1);
    for (const { shapes, shapesBefore } of ranges) {
      countValues(block, shapesBefore, numberOf, before);
      const times = new Uint32Array(block.count);
      for (const shape of shapes) times[shape]!++;
      countValues(block, times, numberOf, within);
    }
    this.used = used.map((column, number) => ({
      column,
      count: within[number + 1]!,
      before: before[number + 1]!,
    }));
  }

  /** Shapes of the block as they are called here. */
  renumber(shapes: Uint32Array): Uint32Array {
    const numbers = new Uint32Array(shapes.length);
    for (let i = 0; i < shapes.length; i++) numbers[i] = this.#numbers.get(shapes[i]!)!;
    return numbers;
  }
}

/** Adds, by column, the values of so many of each shape. */
function countValues(
  { count, offsets, columns }: ShapeTable,
  times: Uint32Array,
  numberOf: Uint32Array,
  sums: Uint32Array,
): void {
  for (let shape = 0; shape < count; shape++) {
    const some = times[shape]!;
    if (some === 0) continue;
    const end = offsets[shape + 1]!;
    for (let k = offsets[shape]!; k < end; k++) sums[numberOf[columns[k]!]!]! += some;
  }
}
