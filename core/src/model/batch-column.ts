// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, type ValueType } from './attributes.ts';
import type { ColumnInfo, SpanBatch } from './span-batch.ts';
import type { AttributeColumn, SymbolTable } from './span-columns.ts';

/** A column of a batch: its values are gathered from the rows when they are first asked for, and kept. */
export class BatchColumn implements AttributeColumn {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  readonly key: number;
  readonly count: number;
  /** Whether the values were found to be mostly distinct, and are not interned. */
  readonly isPlain: boolean;
  readonly #batch: SpanBatch;
  readonly #id: number;
  #gathered: { codes: Uint32Array | undefined; values: SymbolTable } | undefined;

  constructor(batch: SpanBatch, id: number, info: ColumnInfo) {
    this.level = info.level;
    this.type = info.type;
    this.key = info.key;
    this.count = info.count;
    this.isPlain = info.isPlain;
    this.#batch = batch;
    this.#id = id;
  }

  get codes(): Uint32Array | undefined {
    return (this.#gathered ??= this.#gather()).codes;
  }

  get values(): SymbolTable {
    return (this.#gathered ??= this.#gather()).values;
  }

  #gather(): { codes: Uint32Array | undefined; values: SymbolTable } {
    const entries = this.#entries();
    if (this.isPlain) return { codes: undefined, values: pick(this.#batch.values, entries) };
    // Entries of the batch's table, numbered anew in order of appearance.
    const local = new Int32Array(this.#batch.values.count).fill(-1);
    const codes = new Uint32Array(entries.length);
    const distinct: number[] = [];
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (local[entry]! < 0) local[entry] = distinct.push(entry) - 1;
      codes[i] = local[entry]!;
    }
    return { codes, values: pick(this.#batch.values, distinct) };
  }

  /** Entry in the batch's table of values of each value of the column. */
  #entries(): Uint32Array {
    const { cells, shapes, shape, events, links } = this.#batch;
    const [owners, starts] =
      this.level <= AttributeLevel.spanField
        ? [shape, cells.rowStart]
        : this.level <= AttributeLevel.eventField
          ? [events?.shape ?? NONE, cells.eventStart]
          : [links?.shape ?? NONE, cells.linkStart];
    // Per shape the first place of the column, 1 more than it, and 0 where it has none.
    const places = new Uint32Array(shapes.count);
    for (let s = 0; s < shapes.count; s++) {
      const first = shapes.offsets[s]!;
      const place = shapes.columns.subarray(first, shapes.offsets[s + 1]).indexOf(this.#id);
      places[s] = place + 1;
    }
    const entries = new Uint32Array(this.count);
    let count = 0;
    for (let i = 0; i < owners.length; i++) {
      const place = places[owners[i]!]!;
      if (place === 0) continue;
      const first = shapes.offsets[owners[i]!]!;
      const length = shapes.offsets[owners[i]! + 1]! - first;
      for (let k = place - 1; k < length; k++) {
        if (shapes.columns[first + k] === this.#id) entries[count++] = cells.codes[starts[i]! + k]!;
      }
    }
    return entries;
  }
}

/** A column that only spans had that were taken back may be of a level that the batch has nothing of. */
const NONE = new Uint32Array(0);

/** A table of some entries of another, in this order. */
function pick(table: SymbolTable, entries: ArrayLike<number>): SymbolTable {
  const count = entries.length;
  const offsets = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) {
    const entry = entries[i]!;
    offsets[i + 1] = offsets[i]! + table.offsets[entry + 1]! - table.offsets[entry]!;
  }
  const bytes = new Uint8Array(offsets[count]!);
  for (let i = 0; i < count; i++) {
    const start = table.offsets[entries[i]!]!;
    bytes.set(table.bytes.subarray(start, table.offsets[entries[i]! + 1]), offsets[i]);
  }
  return { count, offsets, bytes, hashes: undefined };
}
