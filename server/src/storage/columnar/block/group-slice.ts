// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import {
  NO_SYMBOLS,
  type AttributeColumn,
  type EventColumns,
  type LinkColumns,
  type SpanColumns,
  type SymbolTable,
} from '@spoor/core/model/span-columns.ts';
import type { BlockColumns } from './block-columns.ts';
import { type BlockGroup, chunkOf, type GroupChunk } from './block-format.ts';
import type { BlockReader } from './block-reader.ts';
import { countCodes, decodeCodes, decodePlanes, type Halves, sumCodes } from './chunk-codec.ts';
import type { FrameScratch } from './frame-scratch.ts';
import { PARENT_ELSEWHERE, PARENT_ROW } from './parent-finder.ts';
import { type ShapeRange, SliceShapes } from './slice-shapes.ts';
import { allEntries, decodeValues } from './values-chunk.ts';

/** With more values than this the whole dictionary is read; with fewer only the pages that have them. */
const MAX_GATHERED = 1024;

/** So many columns are read all at once, in the order in which they are on disk: in any other each would have to be unpacked anew. */
const MANY_COLUMNS = 256;

/** Where a slice lies. */
export interface SlicePlace {
  readonly block: BlockReader;
  readonly group: BlockGroup;
  /** First row of each trace of the group, and the number of rows at the end. */
  readonly traceStarts: Uint32Array;
  /** Rows of the group, `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** What is read is there until it is cleared; without one it is kept in the cache. */
  readonly scratch: FrameScratch | undefined;
}

/**
 * A few rows of a group, most often one trace, as columns of their own: of each chunk only what belongs to the rows is decoded. Row 0
 * is the first of them.
 */
export class GroupSlice implements SpanColumns {
  readonly rows: number;
  readonly cells = undefined;
  readonly #block: BlockReader;
  readonly #group: BlockGroup;
  readonly #scratch: FrameScratch | undefined;
  readonly #traceStarts: Uint32Array;
  readonly #start: number;
  /** The trace of the first row, and the number of traces. */
  readonly #firstTrace: number;
  readonly #traces: number;
  readonly #words = new Map<GroupChunk, Uint32Array>();
  readonly #tables = new Map<
    'names' | 'resources' | 'scopes' | 'eventNames' | 'keys',
    SymbolTable
  >();
  #traceId: Uint8Array | undefined;
  #spanId: Uint8Array | undefined;
  #parentSpanId: Uint8Array | undefined;
  #kind: Uint8Array | undefined;
  #status: Uint8Array | undefined;
  #starts: Halves | undefined;
  #durations: Halves | undefined;
  #events: EventColumns | undefined;
  #links: LinkColumns | undefined;
  readonly #ownedBy: { eventCount?: Owned; linkCount?: Owned } = {};
  #shapes: SliceShapes | undefined;
  #shape: Uint32Array | undefined;
  #columns: readonly SliceColumn[] | undefined;

  constructor({ block, group, traceStarts, start, end, scratch }: SlicePlace) {
    this.#block = block;
    this.#scratch = scratch;
    this.#group = group;
    this.#traceStarts = traceStarts;
    this.#start = start;
    this.rows = end - start;
    let first = 0;
    while (traceStarts[first + 1]! <= start) first++;
    let traces = 1;
    while (traceStarts[first + traces]! < end) traces++;
    this.#firstTrace = first;
    this.#traces = traces;
  }

  get traceId(): Uint8Array {
    if (this.#traceId === undefined) {
      const ids = new Uint8Array(this.rows * 16);
      const all = this.#chunk('traceIds');
      this.#eachTrace((trace, from, to) => {
        const id = all.subarray(trace * 16, trace * 16 + 16);
        for (let row = from; row < to; row++) ids.set(id, row * 16);
      });
      this.#traceId = ids;
    }
    return this.#traceId;
  }
  get spanId(): Uint8Array {
    this.#spanId ??= this.#chunk('spanIds').subarray(
      this.#start * 8,
      (this.#start + this.rows) * 8,
    );
    return this.#spanId;
  }
  get parentSpanId(): Uint8Array {
    return (this.#parentSpanId ??= this.#parents());
  }
  /** Per row: 0 when it has no parent; see `FORMAT.md` for the others. */
  get parentPlace(): Uint32Array {
    return this.#codes('parent', this.#start, this.rows);
  }
  get startLo(): Uint32Array {
    return this.#startTimes().lo;
  }
  get startHi(): Uint32Array {
    return this.#startTimes().hi;
  }
  get durationLo(): Uint32Array {
    return this.#durationTimes().lo;
  }
  get durationHi(): Uint32Array {
    return this.#durationTimes().hi;
  }
  get flags(): Uint32Array {
    return this.#codes('flags', this.#start, this.rows);
  }
  get kind(): Uint8Array {
    return (this.#kind ??= Uint8Array.from(this.#codes('kind', this.#start, this.rows)));
  }
  get status(): Uint8Array {
    return (this.#status ??= Uint8Array.from(this.#codes('status', this.#start, this.rows)));
  }
  get name(): Uint32Array {
    return this.#codes('name', this.#start, this.rows);
  }
  get resource(): Uint32Array {
    return this.#codes('resource', this.#start, this.rows);
  }
  get scope(): Uint32Array {
    return this.#codes('scope', this.#start, this.rows);
  }
  get shape(): Uint32Array {
    return (this.#shape ??= this.shapes.renumber(this.#codes('shape', this.#start, this.rows)));
  }
  get names(): SymbolTable {
    return this.#table('names');
  }
  get resources(): SymbolTable {
    return this.#table('resources');
  }
  get scopes(): SymbolTable {
    return this.#table('scopes');
  }
  get eventNames(): SymbolTable {
    return this.#table('eventNames');
  }
  get keys(): SymbolTable {
    return this.#table('keys');
  }
  get shapes(): SliceShapes {
    return (this.#shapes ??= this.#makeShapes());
  }

  get events(): EventColumns | undefined {
    if (this.#group.events === 0) return undefined;
    if (this.#events === undefined) {
      const { before, rowOffsets, count } = this.#owned('eventCount');
      const { lo, hi } = this.#planes('eventTime', this.#group.events, before, count);
      const { lo: startLo, hi: startHi } = this.#startTimes();
      for (let row = 0; row < this.rows; row++) {
        for (let e = rowOffsets[row]!; e < rowOffsets[row + 1]!; e++) {
          const sum = lo[e]! + startLo[row]!;
          hi[e] = hi[e]! + startHi[row]! + (sum > 0xffffffff ? 1 : 0);
          lo[e] = sum;
        }
      }
      this.#events = {
        count,
        rowOffsets,
        timeLo: lo,
        timeHi: hi,
        name: this.#codes('eventName', before, count),
        shape: this.shapes.renumber(this.#codes('eventShape', before, count)),
      };
    }
    return this.#events;
  }

  get links(): LinkColumns | undefined {
    if (this.#group.links === 0) return undefined;
    if (this.#links === undefined) {
      const { before, rowOffsets, count } = this.#owned('linkCount');
      this.#links = {
        count,
        rowOffsets,
        traceId: this.#chunk('linkTraceIds').subarray(before * 16, (before + count) * 16),
        spanId: this.#chunk('linkSpanIds').subarray(before * 8, (before + count) * 8),
        flags: this.#codes('linkFlags', before, count),
        shape: this.shapes.renumber(this.#codes('linkShape', before, count)),
      };
    }
    return this.#links;
  }

  get columns(): readonly AttributeColumn[] {
    if (this.#columns === undefined) {
      const columns = this.#makeColumns();
      if (columns.length > MANY_COLUMNS) readInOrder(columns, this.shapes);
      this.#columns = columns;
    }
    return this.#columns;
  }

  #chunk(what: GroupChunk): Uint8Array {
    return this.#block.chunk(chunkOf(this.#group, what), this.#scratch);
  }

  #table(what: 'names' | 'resources' | 'scopes' | 'eventNames' | 'keys'): SymbolTable {
    let table = this.#tables.get(what);
    if (table === undefined) {
      table = this.#block.table(this.#block.footer[what]);
      this.#tables.set(what, table);
    }
    return table;
  }

  /** Numbers `[from, from + count)` of a chunk, which are always the same ones. */
  #codes(what: GroupChunk, from: number, count: number): Uint32Array {
    let values = this.#words.get(what);
    if (values === undefined) {
      values = count === 0 ? NO_CODES : decodeCodes(this.#chunk(what), count, from);
      this.#words.set(what, values);
    }
    return values;
  }

  #planes(what: GroupChunk, all: number, from: number, count: number): Halves {
    return decodePlanes(this.#chunk(what), all, count, from);
  }

  #eachTrace(use: (trace: number, from: number, to: number) => void): void {
    for (let t = this.#firstTrace; t < this.#firstTrace + this.#traces; t++) {
      const from = Math.max(0, this.#traceStarts[t]! - this.#start);
      use(t, from, Math.min(this.rows, this.#traceStarts[t + 1]! - this.#start));
    }
  }

  #durationTimes(): Halves {
    const { rows } = this.#group;
    return (this.#durations ??= this.#planes('duration', rows, this.#start, this.rows));
  }

  #startTimes(): Halves {
    if (this.#starts === undefined) {
      const { rows, traces } = this.#group;
      const base = this.#planes('traceStart', traces, this.#firstTrace, this.#traces);
      const { lo, hi } = this.#planes('start', rows, this.#start, this.rows);
      this.#eachTrace((trace, from, to) => {
        const baseLo = base.lo[trace - this.#firstTrace]!;
        const baseHi = base.hi[trace - this.#firstTrace]!;
        for (let row = from; row < to; row++) {
          const sum = lo[row]! + baseLo;
          lo[row] = sum;
          hi[row] = hi[row]! + baseHi + (sum > 0xffffffff ? 1 : 0);
        }
      });
      this.#starts = { lo, hi };
    }
    return this.#starts;
  }

  #parents(): Uint8Array {
    const ids = new Uint8Array(this.rows * 8);
    const places = this.parentPlace;
    const spans = this.#chunk('spanIds');
    const elsewhere = this.#chunk('otherParents');
    let other = 0;
    if (elsewhere.length > 0) {
      for (const place of decodeCodes(this.#chunk('parent'), this.#start)) {
        if (place === PARENT_ELSEWHERE) other += 8;
      }
    }
    this.#eachTrace((trace, from, to) => {
      for (let row = from; row < to; row++) {
        const place = places[row]!;
        if (place === PARENT_ELSEWHERE) {
          ids.set(elsewhere.subarray(other, other + 8), row * 8);
          other += 8;
        } else if (place >= PARENT_ROW) {
          const parent = (this.#traceStarts[trace]! + place - PARENT_ROW) * 8;
          ids.set(spans.subarray(parent, parent + 8), row * 8);
        }
      }
    });
    return ids;
  }

  #owned(what: 'eventCount' | 'linkCount'): Owned {
    return (this.#ownedBy[what] ??= this.#countOwned(what));
  }

  #countOwned(what: 'eventCount' | 'linkCount'): Owned {
    const before = sumCodes(this.#chunk(what), this.#start);
    const counts = this.#codes(what, this.#start, this.rows);
    const rowOffsets = new Uint32Array(this.rows + 1);
    for (let row = 0; row < this.rows; row++) {
      rowOffsets[row + 1] = rowOffsets[row]! + counts[row]!;
    }
    return { before, rowOffsets, count: rowOffsets[this.rows]! };
  }

  #makeShapes(): SliceShapes {
    const ranges: ShapeRange[] = [this.#shapeRange('shape', this.#start, this.rows)];
    for (const [shape, count] of [
      ['eventShape', 'eventCount'],
      ['linkShape', 'linkCount'],
    ] as const) {
      if (chunkOf(this.#group, shape) === null) continue;
      const owned = this.#owned(count);
      ranges.push(this.#shapeRange(shape, owned.before, owned.count));
    }
    return new SliceShapes(this.#block.shapes, this.#block.footer.columns.length, ranges);
  }

  #shapeRange(what: GroupChunk, first: number, count: number): ShapeRange {
    const chunk = this.#chunk(what);
    const shapesBefore = new Uint32Array(this.#block.shapes.count);
    countCodes(chunk, first, shapesBefore);
    return { shapes: this.#codes(what, first, count), shapesBefore };
  }

  #makeColumns(): SliceColumn[] {
    const { columns } = this.#block.footer;
    const parts = this.#group.columns;
    return this.shapes.used.map(({ column, count, before }) => {
      const part = parts.find(column);
      const read = part < 0 ? undefined : () => this.#values(column, part, before, count);
      return new SliceColumn(columns, column, count, read);
    });
  }

  /** Values `[from, from + count)` of a column. */
  #values(column: number, part: number, from: number, count: number): Values {
    const { columns } = this.#block.footer;
    const bytes = this.#block.chunk(this.#group.columns.chunk(part), this.#scratch);
    if (columns.isPlain(column)) {
      const values = decodeValues(bytes, this.#group.columns.count(part));
      const offsets = values.offsets.subarray(from);
      return { codes: undefined, values: { ...values, count, offsets } };
    }
    const codes = decodeCodes(bytes, count, from);
    const dictionary = this.#block.dictionary(column);
    if (dictionary.isOnePage || count > MAX_GATHERED) return { codes, values: dictionary.table };
    const { numbers, distinct } = numberAnew(codes);
    return { codes: numbers, values: dictionary.gather(distinct, this.#scratch) };
  }
}

/** Codes numbered anew in the order in which they are first used; `distinct` has the code of each number. */
export function numberAnew(codes: Uint32Array): { numbers: Uint32Array; distinct: Uint32Array } {
  const numbers = new Uint32Array(codes.length);
  const distinct: number[] = [];
  const numberOf = new Map<number, number>();
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    let number = numberOf.get(code);
    if (number === undefined) {
      number = distinct.push(code) - 1;
      numberOf.set(code, number);
    }
    numbers[i] = number;
  }
  return { numbers, distinct: Uint32Array.from(distinct) };
}

/** How many events or links come before those of the rows, and which row has which. */
interface Owned {
  readonly before: number;
  readonly rowOffsets: Uint32Array;
  readonly count: number;
}

interface Values {
  readonly codes: Uint32Array | undefined;
  readonly values: SymbolTable;
}

/** A column of a slice. */
class SliceColumn implements AttributeColumn {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  readonly key: number;
  readonly count: number;
  readonly #read: (() => Values) | undefined;
  #values: Values | undefined;

  constructor(
    columns: BlockColumns,
    column: number,
    count: number,
    read: (() => Values) | undefined,
  ) {
    this.level = columns.level(column);
    this.type = columns.type(column);
    this.key = columns.key(column);
    this.count = count;
    this.#read = read;
  }

  get codes(): Uint32Array | undefined {
    return this.#content().codes;
  }
  get values(): SymbolTable {
    return this.#content().values;
  }

  read(): void {
    this.#content();
  }

  #content(): Values {
    return (this.#values ??= this.#read?.() ?? NO_VALUES);
  }
}

function readInOrder(columns: readonly SliceColumn[], { used }: SliceShapes): void {
  const order = allEntries(columns.length).sort((a, b) => used[a]!.column - used[b]!.column);
  for (const number of order) columns[number]!.read();
}

const NO_CODES = new Uint32Array(0);
const NO_VALUES: Values = {
  codes: undefined,
  values: NO_SYMBOLS,
};
