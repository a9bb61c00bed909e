// SPDX-License-Identifier: Apache-2.0
import type { PlacedValues } from '@spoor/core/analysis/placed-values.ts';
import { grownBytes, grownWords } from '@spoor/core/model/column-arrays.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { ShapeTable, SymbolTable } from '@spoor/core/model/span-columns.ts';
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { GROUP_ROWS } from '../block/block-format.ts';
import type { WritableColumn, WritableSpans } from '../block/writable-spans.ts';
import { PlainValues } from './plain-values.ts';

/** Symbols, shapes and columns of the block that is made. */
export interface MergedSymbols extends Pick<
  WritableSpans,
  'names' | 'resources' | 'scopes' | 'eventNames' | 'keys'
> {
  readonly shapes: ShapeTable;
  readonly columns: readonly {
    readonly level: AttributeLevel;
    readonly type: ValueType;
    readonly key: number;
    readonly isPlain: boolean;
    /** Values of its dictionary, where they are at hand. */
    readonly values: SymbolTable | undefined;
  }[];
}

/** Of a column with a dictionary. */
const NO_VALUES = new PlainValues();

/** A column of the group under way. */
class MergedColumn implements WritableColumn {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  readonly key: number;
  readonly isPlain: boolean;
  /** Of a plain column the values in the group. */
  readonly table: PlainValues;
  readonly values: SymbolTable | undefined;

  constructor({ level, type, key, isPlain, values }: MergedSymbols['columns'][number]) {
    this.level = level;
    this.type = type;
    this.key = key;
    this.isPlain = isPlain;
    this.table = isPlain ? new PlainValues() : NO_VALUES;
    this.values = isPlain ? this.table : values;
  }
}

/** Events or links of the group under way, but for what only one of them has. */
class MergedItems {
  count = 0;
  rowOffsets: Uint32Array = new Uint32Array(64);
  shape = new Uint32Array(64);
  cellStart = new Uint32Array(64);
}

class MergedEvents extends MergedItems {
  timeLo = new Uint32Array(64);
  timeHi = new Uint32Array(64);
  name = new Uint32Array(64);

  /** Makes room for one more. */
  reserve(): void {
    if (this.count < this.shape.length) return;
    this.shape = grownWords(this.shape, this.shape.length * 2);
    this.cellStart = grownWords(this.cellStart, this.cellStart.length * 2);
    this.timeLo = grownWords(this.timeLo, this.timeLo.length * 2);
    this.timeHi = grownWords(this.timeHi, this.timeHi.length * 2);
    this.name = grownWords(this.name, this.name.length * 2);
  }
}

class MergedLinks extends MergedItems {
  traceId = new Uint8Array(64 * 16);
  spanId = new Uint8Array(64 * 8);
  flags = new Uint32Array(64);

  /** Makes room for one more. */
  reserve(): void {
    if (this.count < this.shape.length) return;
    this.shape = grownWords(this.shape, this.shape.length * 2);
    this.cellStart = grownWords(this.cellStart, this.cellStart.length * 2);
    this.flags = grownWords(this.flags, this.flags.length * 2);
    this.traceId = grownBytes(this.traceId, this.traceId.length * 2);
    this.spanId = grownBytes(this.spanId, this.spanId.length * 2);
  }
}

/**
 * The group that a merge puts together, in the order and under the symbols of the new block. Sources append to it; its memory is
 * used again for the next group.
 */
export class MergedGroup implements WritableSpans, PlacedValues {
  rows = 0;
  capacity = 0;
  traceWords!: Uint32Array;
  spanWords!: Uint32Array;
  parentWords!: Uint32Array;
  traceId!: Uint8Array;
  spanId!: Uint8Array;
  parentSpanId!: Uint8Array;
  startLo!: Uint32Array;
  startHi!: Uint32Array;
  durationLo!: Uint32Array;
  durationHi!: Uint32Array;
  flags!: Uint32Array;
  kind!: Uint8Array;
  status!: Uint8Array;
  name!: Uint32Array;
  resource!: Uint32Array;
  scope!: Uint32Array;
  shape!: Uint32Array;
  cellStart!: Uint32Array;
  cells = new Uint32Array(GROUP_ROWS * 8);
  cellCount = 0;
  readonly names: SymbolTable;
  readonly resources: SymbolTable;
  readonly scopes: SymbolTable;
  readonly eventNames: SymbolTable;
  readonly keys: SymbolTable;
  readonly shapes: ShapeTable;
  readonly columns: readonly MergedColumn[];
  readonly events = new MergedEvents();
  readonly links = new MergedLinks();

  constructor(symbols: MergedSymbols) {
    this.names = symbols.names;
    this.resources = symbols.resources;
    this.scopes = symbols.scopes;
    this.eventNames = symbols.eventNames;
    this.keys = symbols.keys;
    this.shapes = symbols.shapes;
    this.columns = symbols.columns.map((column) => new MergedColumn(column));
    this.#allocate(GROUP_ROWS * 2);
  }

  /** The group as it is now, under an identity of its own: what is remembered of one group is not true of the next. */
  view(): { columns: WritableSpans; values: PlacedValues } {
    return {
      columns: Object.assign({}, this),
      values: this,
    };
  }

  entry(row: number, _column: number, place: number): number {
    return this.cells[this.cellStart[row]! + place]!;
  }

  table(column: number): SymbolTable {
    const { values } = this.columns[column]!;
    if (values === undefined) {
      throw new SpoorError('internal', `merge: the values of column ${column} are not kept`);
    }
    return values;
  }

  /** Makes room for so many rows more. */
  reserve(count: number): void {
    if (this.rows + count > this.capacity) this.#allocate((this.rows + count) * 2);
  }

  /** Makes room for so many attributes more. */
  reserveCells(count: number): void {
    if (this.cellCount + count <= this.cells.length) return;
    const cells = new Uint32Array((this.cellCount + count) * 2);
    cells.set(this.cells);
    this.cells = cells;
  }

  /** Begins the next group. */
  clear(): void {
    this.rows = 0;
    this.cellCount = 0;
    this.events.count = 0;
    this.links.count = 0;
    for (const { isPlain, table } of this.columns) if (isPlain) table.clear();
  }

  #allocate(capacity: number): void {
    const words = (before: Uint32Array | undefined, each = 1): Uint32Array => {
      const made = new Uint32Array(capacity * each);
      if (before !== undefined) made.set(before);
      return made;
    };
    const octets = (before: Uint8Array | undefined): Uint8Array => {
      const made = new Uint8Array(capacity);
      if (before !== undefined) made.set(before);
      return made;
    };
    this.capacity = capacity;
    this.traceWords = words(this.traceWords, 4);
    this.spanWords = words(this.spanWords, 2);
    this.parentWords = words(this.parentWords, 2);
    this.traceId = new Uint8Array(this.traceWords.buffer);
    this.spanId = new Uint8Array(this.spanWords.buffer);
    this.parentSpanId = new Uint8Array(this.parentWords.buffer);
    this.startLo = words(this.startLo);
    this.startHi = words(this.startHi);
    this.durationLo = words(this.durationLo);
    this.durationHi = words(this.durationHi);
    this.flags = words(this.flags);
    this.kind = octets(this.kind);
    this.status = octets(this.status);
    this.name = words(this.name);
    this.resource = words(this.resource);
    this.scope = words(this.scope);
    this.shape = words(this.shape);
    this.cellStart = words(this.cellStart);
    for (const items of [this.events, this.links]) {
      const offsets = new Uint32Array(capacity + 1);
      offsets.set(items.rowOffsets.subarray(0, this.rows + 1));
      items.rowOffsets = offsets;
    }
  }
}
