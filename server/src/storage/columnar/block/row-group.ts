// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { formatTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import {
  NO_SYMBOLS,
  type AttributeColumn,
  type CellTable,
  type EventColumns,
  type LinkColumns,
  type ShapeTable,
  type SpanColumns,
  type SymbolTable,
} from '@spoor/core/model/span-columns.ts';
import { ALL_GROUPS, type BlockDictionary } from './block-dictionary.ts';
import type { TracePart } from '@spoor/core/query/join-trace.ts';
import { type BlockGroup, type ChunkRef, chunkOf, type GroupChunk } from './block-format.ts';
import type { BlockReader } from './block-reader.ts';
import { decodeCodes, decodePlanes, type Halves } from './chunk-codec.ts';
import type { FrameScratch } from './frame-scratch.ts';
import { GroupSlice } from './group-slice.ts';
import { PARENT_ELSEWHERE, PARENT_ROW } from './parent-finder.ts';
import { type GroupRowList, type RowCells, rowCells } from './row-cells.ts';
import { allEntries, decodeValues } from './values-chunk.ts';

/**
 * Some thousand rows of a block: whole traces in the order of their ids, rows of a trace by start. A column is read and
 * decoded when it is first asked for. It stays with the group, which lives as long as a question, and for later questions
 * in the block's cache.
 */
export class RowGroup implements SpanColumns {
  /** Its place in the block. */
  readonly number: number;
  readonly rows: number;
  readonly traces: number;
  /** A block keeps attributes by column: there are none unless rows were picked, see {@link pickRows}. */
  readonly cells: CellTable | undefined;
  readonly #block: BlockReader;
  readonly #group: BlockGroup;
  readonly #words = new Map<GroupChunk, Uint32Array>();
  readonly #octets = new Map<GroupChunk | 'traceId' | 'parent', Uint8Array>();
  #names: SymbolTable | undefined;
  #resources: SymbolTable | undefined;
  #scopes: SymbolTable | undefined;
  #eventNames: SymbolTable | undefined;
  #keys: SymbolTable | undefined;
  #columns: readonly AttributeColumn[] | undefined;
  #traceStarts: Uint32Array | undefined;
  #starts: Halves | undefined;
  #durations: Halves | undefined;
  #events: EventColumns | undefined;
  #links: LinkColumns | undefined;

  /** @param picked attributes of some rows: those of others must not be asked for */
  constructor(block: BlockReader, number: number, picked?: RowCells) {
    const group = block.footer.groups[number]!;
    this.#block = block;
    this.number = number;
    this.#group = group;
    this.rows = group.rows;
    this.traces = group.traces;
    this.cells = picked?.cells;
    if (picked !== undefined) this.#columns = this.#someColumns(picked.columns);
  }

  get columns(): readonly AttributeColumn[] {
    if (this.#columns === undefined) {
      const parts = this.#group.columns;
      let part = 0;
      this.#columns = Array.from({ length: this.#block.footer.columns.length }, (_, c) => {
        const isThere = part < parts.length && parts.column(part) === c;
        return new RowGroupColumn(this.#block, this.number, c, isThere ? part++ : -1);
      });
    }
    return this.#columns;
  }

  /** As {@link columns}, with nothing in place of most of them. */
  #someColumns(columns: Uint32Array): AttributeColumn[] {
    const some: AttributeColumn[] = [];
    some.length = this.#block.footer.columns.length;
    for (const c of columns) {
      some[c] = new RowGroupColumn(this.#block, this.number, c, this.#group.columns.find(c));
    }
    return some;
  }

  /** Sorted trace ids, 16 bytes each. */
  get traceIds(): Uint8Array {
    return this.#raw('traceIds');
  }

  /** Id of a trace by its number in the group. */
  traceIdAt(trace: number): TraceId {
    return formatTraceId(this.traceIds, trace * 16);
  }

  /** First row of each trace, and the number of rows at the end. */
  get traceStarts(): Uint32Array {
    if (this.#traceStarts === undefined) {
      const lengths = this.#codes('traceRows', this.traces);
      const starts = new Uint32Array(this.traces + 1);
      for (let t = 0; t < this.traces; t++) starts[t + 1] = starts[t]! + lengths[t]!;
      this.#traceStarts = starts;
    }
    return this.#traceStarts;
  }

  /** Number of the trace with this id, or -1. */
  findTrace(id: Uint8Array): number {
    const ids = this.traceIds;
    let low = 0;
    let high = this.traces - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = compareIds(ids, middle * 16, id);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /**
   * Rows `[start, end)` as columns of their own: what is read of the others is not decoded.
   * @param scratch for what is read: the slice is of no use any more when it is cleared; without one that is kept in the cache
   */
  slice(start: number, end: number, scratch?: FrameScratch): GroupSlice {
    const { traceStarts } = this;
    const group = this.#group;
    return new GroupSlice({ block: this.#block, group, traceStarts, start, end, scratch });
  }

  /** As {@link slice}, all of its rows. */
  part(start: number, end: number, scratch?: FrameScratch): TracePart {
    return { columns: this.slice(start, end, scratch), rows: allEntries(end - start) };
  }

  /** Durations of the rows `[start, end)`: those of others are not decoded, and these are not kept. */
  durations(start: number, end: number): Halves {
    return decodePlanes(this.#chunk('duration'), this.rows, end - start, start);
  }

  get traceId(): Uint8Array {
    let ids = this.#octets.get('traceId');
    if (ids === undefined) {
      ids = new Uint8Array(this.rows * 16);
      const starts = this.traceStarts;
      for (let t = 0; t < this.traces; t++) {
        const id = this.traceIds.subarray(t * 16, t * 16 + 16);
        for (let row = starts[t]!; row < starts[t + 1]!; row++) ids.set(id, row * 16);
      }
      this.#octets.set('traceId', ids);
    }
    return ids;
  }
  get spanId(): Uint8Array {
    return this.#raw('spanIds');
  }
  get parentSpanId(): Uint8Array {
    let ids = this.#octets.get('parent');
    if (ids === undefined) {
      ids = this.#parents();
      this.#octets.set('parent', ids);
    }
    return ids;
  }
  get startLo(): Uint32Array {
    return this.#start().lo;
  }
  get startHi(): Uint32Array {
    return this.#start().hi;
  }
  get durationLo(): Uint32Array {
    return this.#duration().lo;
  }
  get durationHi(): Uint32Array {
    return this.#duration().hi;
  }
  get flags(): Uint32Array {
    return this.#codes('flags', this.rows);
  }
  get kind(): Uint8Array {
    return this.#smallCodes('kind');
  }
  get status(): Uint8Array {
    return this.#smallCodes('status');
  }
  get name(): Uint32Array {
    return this.#codes('name', this.rows);
  }
  get resource(): Uint32Array {
    return this.#codes('resource', this.rows);
  }
  get scope(): Uint32Array {
    return this.#codes('scope', this.rows);
  }
  get shape(): Uint32Array {
    return this.#codes('shape', this.rows);
  }
  get names(): SymbolTable {
    return (this.#names ??= this.#block.table(this.#block.footer.names));
  }
  get resources(): SymbolTable {
    return (this.#resources ??= this.#block.table(this.#block.footer.resources));
  }
  get scopes(): SymbolTable {
    return (this.#scopes ??= this.#block.table(this.#block.footer.scopes));
  }
  get eventNames(): SymbolTable {
    return (this.#eventNames ??= this.#block.table(this.#block.footer.eventNames));
  }
  get keys(): SymbolTable {
    return (this.#keys ??= this.#block.table(this.#block.footer.keys));
  }
  get shapes(): ShapeTable {
    return this.#block.shapes;
  }

  get events(): EventColumns | undefined {
    const count = this.#group.events;
    if (count === 0) return undefined;
    if (this.#events === undefined) {
      const rowOffsets = runningSum(this.#codes('eventCount', this.rows));
      const { lo, hi } = this.#planes('eventTime', count);
      const { lo: startLo, hi: startHi } = this.#start();
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
        name: this.#codes('eventName', count),
        shape: this.#codes('eventShape', count),
      };
    }
    return this.#events;
  }

  get links(): LinkColumns | undefined {
    const count = this.#group.links;
    if (count === 0) return undefined;
    this.#links ??= {
      count,
      rowOffsets: runningSum(this.#codes('linkCount', this.rows)),
      traceId: this.#raw('linkTraceIds'),
      spanId: this.#raw('linkSpanIds'),
      flags: this.#codes('linkFlags', count),
      shape: this.#codes('linkShape', count),
    };
    return this.#links;
  }

  #chunk(what: GroupChunk): Uint8Array {
    return this.#block.chunk(chunkOf(this.#group, what));
  }

  #raw(what: GroupChunk): Uint8Array {
    let bytes = this.#octets.get(what);
    if (bytes === undefined) {
      bytes = this.#chunk(what);
      this.#octets.set(what, bytes);
    }
    return bytes;
  }

  #codes(what: GroupChunk, count: number): Uint32Array {
    let values = this.#words.get(what);
    if (values === undefined) {
      values = this.#block.decoded(this.number, what, count * 4, () =>
        decodeCodes(this.#chunk(what), count),
      );
      this.#words.set(what, values);
    }
    return values;
  }

  #smallCodes(what: GroupChunk): Uint8Array {
    let bytes = this.#octets.get(what);
    if (bytes === undefined) {
      bytes = this.#block.decoded(this.number, what, this.rows, () =>
        Uint8Array.from(decodeCodes(this.#chunk(what), this.rows)),
      );
      this.#octets.set(what, bytes);
    }
    return bytes;
  }

  #planes(what: GroupChunk, count: number): Halves {
    return decodePlanes(this.#chunk(what), count);
  }

  #duration(): Halves {
    this.#durations ??= this.#block.decoded(this.number, 'duration', this.rows * 8, () =>
      this.#planes('duration', this.rows),
    );
    return this.#durations;
  }

  #start(): Halves {
    this.#starts ??= this.#block.decoded(this.number, 'start', this.rows * 8, () =>
      this.#decodeStarts(),
    );
    return this.#starts;
  }

  #decodeStarts(): Halves {
    const base = this.#planes('traceStart', this.traces);
    const { lo, hi } = this.#planes('start', this.rows);
    const starts = this.traceStarts;
    for (let t = 0; t < this.traces; t++) {
      const baseLo = base.lo[t]!;
      const baseHi = base.hi[t]!;
      for (let row = starts[t]!; row < starts[t + 1]!; row++) {
        const sum = lo[row]! + baseLo;
        lo[row] = sum;
        hi[row] = hi[row]! + baseHi + (sum > 0xffffffff ? 1 : 0);
      }
    }
    return { lo, hi };
  }

  #parents(): Uint8Array {
    const places = decodeCodes(this.#chunk('parent'), this.rows);
    const elsewhere = this.#chunk('otherParents');
    const spans = this.spanId;
    const ids = new Uint8Array(this.rows * 8);
    const starts = this.traceStarts;
    let other = 0;
    for (let t = 0; t < this.traces; t++) {
      for (let row = starts[t]!; row < starts[t + 1]!; row++) {
        const place = places[row]!;
        if (place === PARENT_ELSEWHERE) {
          ids.set(elsewhere.subarray(other, other + 8), row * 8);
          other += 8;
        } else if (place >= PARENT_ROW) {
          const parent = (starts[t]! + place - PARENT_ROW) * 8;
          for (let k = 0; k < 8; k++) ids[row * 8 + k] = spans[parent + k]!;
        }
      }
    }
    return ids;
  }
}

/** The same groups with the attributes of some of their rows beside each other; those of the other rows must not be asked for. */
export function pickRows(block: BlockReader, lists: readonly GroupRowList[]): RowGroup[] {
  const picked = rowCells(block, lists);
  return lists.map(({ group }, i) => new RowGroup(block, group.number, picked[i]));
}

/** A column of a group; its codes and values are read when they are first asked for. */
class RowGroupColumn implements AttributeColumn {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  readonly key: number;
  readonly count: number;
  readonly isPlain: boolean;
  readonly #block: BlockReader;
  readonly #group: number;
  readonly #id: number;
  /** Undefined where the group has none of the column. */
  readonly #chunk: ChunkRef | undefined;
  #codes: Uint32Array | undefined;
  #plain: SymbolTable | undefined;

  /** @param part index among the columns of the group, or -1 */
  constructor(block: BlockReader, group: number, id: number, part: number) {
    const { columns, groups } = block.footer;
    this.level = columns.level(id);
    this.type = columns.type(id);
    this.key = columns.key(id);
    this.count = part < 0 ? 0 : groups[group]!.columns.count(part);
    this.isPlain = columns.isPlain(id);
    this.#block = block;
    this.#group = group;
    this.#id = id;
    this.#chunk = part < 0 ? undefined : groups[group]!.columns.chunk(part);
  }

  get codes(): Uint32Array | undefined {
    if (this.isPlain) return undefined;
    const chunk = this.#chunk;
    if (chunk === undefined) return NO_CODES;
    this.#codes ??= this.#block.decoded(this.#group, `column ${this.#id}`, this.count * 4, () =>
      decodeCodes(this.#block.chunk(chunk), this.count),
    );
    return this.#codes;
  }

  get paged(): BlockDictionary | undefined {
    return this.isPlain || this.#chunk === undefined ? undefined : this.#block.dictionary(this.#id);
  }

  mayHaveSome(marked: Uint8Array): boolean {
    const groups = this.paged?.groupsWithSome(marked) ?? ALL_GROUPS;
    return (groups & (1 << (this.#group & 31))) !== 0;
  }

  get values(): SymbolTable {
    if (this.#chunk === undefined) return NO_SYMBOLS;
    if (!this.isPlain) {
      return this.#block.dictionary(this.#id).table;
    }
    this.#plain ??= decodeValues(this.#block.chunk(this.#chunk), this.count);
    return this.#plain;
  }
}

const NO_CODES = new Uint32Array(0);
function runningSum(counts: Uint32Array): Uint32Array {
  const offsets = new Uint32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) offsets[i + 1] = offsets[i]! + counts[i]!;
  return offsets;
}

/** Order of the id at a place and another one. Most differ in their first bytes, before a native call would have begun. */
function compareIds(ids: Uint8Array, at: number, id: Uint8Array): number {
  for (let i = 0; i < 16; i++) {
    const difference = ids[at + i]! - id[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
