// SPDX-License-Identifier: Apache-2.0
import type { ShapeTable } from '@spoor/core/model/span-columns.ts';

/** Which of some rows, events or links, and the shapes of them and of all before them. */
export interface ShapeRange {
  readonly shapes: Uint32Array;
  /** The range is `shapes[first, …)`. */
  readonly first: number;
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

  /** @param ranges of rows, events and links */
  constructor(block: ShapeTable, ranges: readonly ShapeRange[]) {
    for (const { shapes, first } of ranges) {
      for (let i = first; i < shapes.length; i++) {
        if (!this.#numbers.has(shapes[i]!)) this.#numbers.set(shapes[i]!, this.#numbers.size);
      }
    }
    this.count = this.#numbers.size;
    const numberOf = new Map<number, number>();
    const offsets = [0];
    const columns: number[] = [];
    for (const shape of this.#numbers.keys()) {
      for (let i = block.offsets[shape]!; i < block.offsets[shape + 1]!; i++) {
        const column = block.columns[i]!;
        const number = numberOf.get(column) ?? numberOf.size;
        numberOf.set(column, number);
        columns.push(number);
      }
      offsets.push(columns.length);
    }
    this.offsets = Uint32Array.from(offsets);
    this.columns = Uint32Array.from(columns);
    const counts = countValues(block, ranges, numberOf);
    this.used = [...numberOf].map(([column, number]) => ({
      column,
      count: counts.within[number]!,
      before: counts.before[number]!,
    }));
  }

  /** Shapes of the block as they are called here. */
  renumber(shapes: Uint32Array): Uint32Array {
    const numbers = new Uint32Array(shapes.length);
    for (let i = 0; i < shapes.length; i++) numbers[i] = this.#numbers.get(shapes[i]!)!;
    return numbers;
  }
}

/** By column here, how many values are in the ranges, and before them. */
function countValues(
  { count: shapeCount, offsets, columns }: ShapeTable,
  ranges: readonly ShapeRange[],
  numberOf: ReadonlyMap<number, number>,
): { before: Uint32Array; within: Uint32Array } {
  const before = new Uint32Array(numberOf.size);
  const within = new Uint32Array(numberOf.size);
  for (const { shapes, first } of ranges) {
    const times = new Uint32Array(shapeCount);
    for (let i = 0; i < first; i++) times[shapes[i]!]!++;
    for (let shape = 0; shape < shapeCount; shape++) {
      if (times[shape] === 0) continue;
      for (let k = offsets[shape]!; k < offsets[shape + 1]!; k++) {
        const number = numberOf.get(columns[k]!);
        if (number !== undefined) before[number]! += times[shape]!;
      }
    }
    for (let i = first; i < shapes.length; i++) {
      for (let k = offsets[shapes[i]!]!; k < offsets[shapes[i]! + 1]!; k++) {
        within[numberOf.get(columns[k]!)!]!++;
      }
    }
  }
  return { before, within };
}
