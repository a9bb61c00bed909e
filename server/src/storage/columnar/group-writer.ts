// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolText } from '@spoor/core/model/span-reader.ts';
import { type BlockGroup, type ChunkRef, GROUP_CHUNKS, type GroupChunk } from './block-format.ts';
import type { SectionRows } from './block-section.ts';
import { encodeCodes, encodePlanes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import { ParentFinder } from './parent-finder.ts';
import { encodeValues } from './values-chunk.ts';
import type { WritableItems, WritableSpans } from './writable-spans.ts';

/** Some whole traces of a block, in its order; see {@link SectionRows}. */
export interface GroupRows extends SectionRows {
  readonly columns: WritableSpans;
}

/** A column as the writer needs to know it from the start. */
interface ColumnSize {
  readonly key: number;
  /** Entries of its dictionary; 0 for a plain column. */
  readonly entries: number;
}

/** Writes the row groups of a block, one after the other. */
export class GroupWriter {
  readonly #frames: FrameWriter;
  readonly #parents = new ParentFinder();
  /** What the columns are called in the breakdown. */
  readonly #columnNames: readonly string[];
  /** Per column: values of the group under way. */
  readonly #cells: Uint32Array[];
  readonly #cellCount: Uint32Array;
  /** Per column with a dictionary: per entry, in the dictionary's order, the groups that have it; see `PageRef`. */
  readonly groupBits: readonly Uint32Array[];
  #groupBit = 1;

  constructor(keys: SymbolTable, columns: readonly ColumnSize[], frames: FrameWriter) {
    this.#frames = frames;
    this.#columnNames = columns.map(({ key }) => attributeName(keys, key));
    this.#cells = columns.map(() => new Uint32Array(8));
    this.#cellCount = new Uint32Array(columns.length);
    this.groupBits = columns.map(({ entries }) => new Uint32Array(entries));
  }

  /** Writes the next traces as one group. */
  write({ columns: spans, rows, traceStarts }: GroupRows): Omit<BlockGroup, 'firstTraceId'> {
    const count = rows.length;
    const traces = traceStarts.length - 1;
    const chunks = new Map<GroupChunk, ChunkRef>();
    const codes = (what: GroupChunk, values: Uint32Array): void => {
      chunks.set(
        what,
        this.#frames.chunk(what, (sink) => encodeCodes(sink, values, values.length)),
      );
    };
    const planes = (what: GroupChunk, lo: Uint32Array, hi: Uint32Array): void => {
      chunks.set(
        what,
        this.#frames.chunk(what, (sink) => encodePlanes(sink, lo, hi, lo.length)),
      );
    };
    const ids = (what: GroupChunk, source: Uint8Array, size: number, list: Uint32Array): void => {
      chunks.set(what, this.#frames.rawChunk(what, gatherBytes(source, size, list)));
    };

    const heads = new Uint32Array(traces);
    const lengths = new Uint32Array(traces);
    for (let t = 0; t < traces; t++) {
      const start = traceStarts[t]!;
      heads[t] = rows[start]!;
      lengths[t] = traceStarts[t + 1]! - start;
    }
    ids('traceIds', spans.traceId, 16, heads);
    codes('traceRows', lengths);
    planes('traceStart', gather(spans.startLo, heads), gather(spans.startHi, heads));
    const { lo, hi } = startDeltas(spans, rows, lengths);
    planes('start', lo, hi);
    planes('duration', gather(spans.durationLo, rows), gather(spans.durationHi, rows));
    codes('resource', gather(spans.resource, rows));
    codes('name', gather(spans.name, rows));
    codes('status', gatherOctets(spans.status, rows));
    codes('kind', gatherOctets(spans.kind, rows));
    ids('spanIds', spans.spanId, 8, rows);
    const { parents, elsewhere } = this.#parents.find(spans, rows, lengths);
    codes('parent', parents);
    if (elsewhere.length > 0) ids('otherParents', spans.parentSpanId, 8, elsewhere);
    codes('flags', gather(spans.flags, rows));
    codes('scope', gather(spans.scope, rows));
    codes('shape', gather(spans.shape, rows));

    this.#cellCount.fill(0);
    this.#takeRows(spans, rows);
    const events = this.#takeItems(spans, spans.events, rows);
    if (events.items.length > 0) {
      codes('eventCount', events.counts);
      const time = eventTimes(spans, rows, events.counts, events.items);
      planes('eventTime', time.lo, time.hi);
      codes('eventName', gather(spans.events.name, events.items));
      codes('eventShape', gather(spans.events.shape, events.items));
    }
    const links = this.#takeItems(spans, spans.links, rows);
    if (links.items.length > 0) {
      codes('linkCount', links.counts);
      ids('linkTraceIds', spans.links.traceId, 16, links.items);
      ids('linkSpanIds', spans.links.spanId, 8, links.items);
      codes('linkFlags', gather(spans.links.flags, links.items));
      codes('linkShape', gather(spans.links.shape, links.items));
    }
    const columns = this.#writeColumns(spans);
    this.#groupBit = (this.#groupBit << 1) | (this.#groupBit >>> 31);
    return {
      rows: count,
      traces,
      events: events.items.length,
      links: links.items.length,
      chunks: GROUP_CHUNKS.map((what) => chunks.get(what) ?? null),
      columns,
    };
  }

  #takeRows(spans: WritableSpans, rows: Uint32Array): void {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      this.#takeCells(spans, spans.shape[row]!, spans.cellStart[row]!);
    }
  }

  #takeItems(
    spans: WritableSpans,
    items: WritableItems,
    rows: Uint32Array,
  ): { counts: Uint32Array; items: Uint32Array } {
    if (items.count === 0) return NO_ITEMS;
    const counts = itemCounts(items, rows);
    const list = itemsOf(items, rows, counts);
    for (let i = 0; i < list.length; i++) {
      const item = list[i]!;
      this.#takeCells(spans, items.shape[item]!, items.cellStart[item]!);
    }
    return { counts, items: list };
  }

  #takeCells({ shapes, cells }: WritableSpans, shape: number, start: number): void {
    const { offsets, columns } = shapes;
    const counts = this.#cellCount;
    const end = offsets[shape + 1]!;
    for (let i = offsets[shape]!, cell = start; i < end; i++, cell++) {
      const column = columns[i]!;
      const at = counts[column]!++;
      let list = this.#cells[column]!;
      if (at === list.length) {
        list = new Uint32Array(at * 4);
        list.set(this.#cells[column]!);
        this.#cells[column] = list;
      }
      list[at] = cells[cell]!;
    }
  }

  #writeColumns({ columns }: WritableSpans): BlockGroup['columns'] {
    const written: { column: number; count: number; chunk: ChunkRef }[] = [];
    columns.forEach(({ isPlain, table, ranks }, column) => {
      const count = this.#cellCount[column]!;
      if (count === 0) return;
      const cells = this.#cells[column]!;
      if (!isPlain) this.#noteGroup(column, ranks);
      const chunk = this.#frames.chunk(this.#columnNames[column]!, (sink) =>
        isPlain ? encodeValues(sink, table, cells, count) : encodeCodes(sink, cells, count),
      );
      written.push({ column, count, chunk });
    });
    return written;
  }

  /** Turns the values of a column into entries of its dictionary, and notes that this group has them. */
  #noteGroup(column: number, ranks: Uint32Array | undefined): void {
    const cells = this.#cells[column]!;
    const count = this.#cellCount[column]!;
    const bits = this.groupBits[column]!;
    const bit = this.#groupBit;
    if (ranks !== undefined) for (let i = 0; i < count; i++) cells[i] = ranks[cells[i]!]!;
    for (let i = 0; i < count; i++) bits[cells[i]!]! |= bit;
  }
}

/** Of a group without events or without links. */
const NO_ITEMS = { counts: new Uint32Array(0), items: new Uint32Array(0) };

/** How many events or links each row has. */
function itemCounts({ rowOffsets }: WritableItems, rows: Uint32Array): Uint32Array {
  const counts = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    counts[i] = rowOffsets[row + 1]! - rowOffsets[row]!;
  }
  return counts;
}

/** The events or links of the rows, in order. */
function itemsOf(
  { rowOffsets }: WritableItems,
  rows: Uint32Array,
  counts: Uint32Array,
): Uint32Array {
  const list = new Uint32Array(sum(counts));
  let at = 0;
  for (let i = 0; at < list.length; i++) {
    const first = rowOffsets[rows[i]!]!;
    for (let k = 0; k < counts[i]!; k++) list[at++] = first + k;
  }
  return list;
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  return total;
}

/** What an attribute is called in the breakdown of a block's bytes. */
export function attributeName(keys: SymbolTable, key: number): string {
  return `attribute ${symbolText(keys, key)}`;
}

/** Start of each row after its trace's first. */
function startDeltas(
  spans: WritableSpans,
  rows: Uint32Array,
  lengths: Uint32Array,
): { lo: Uint32Array; hi: Uint32Array } {
  const lo = new Uint32Array(rows.length);
  const hi = new Uint32Array(rows.length);
  putStartDeltas(spans, rows, lengths, lo, hi);
  return { lo, hi };
}

function putStartDeltas(
  { startLo, startHi }: WritableSpans,
  rows: Uint32Array,
  lengths: Uint32Array,
  lo: Uint32Array,
  hi: Uint32Array,
): void {
  let first = 0;
  for (let i = 0, trace = 0, left = lengths[0]!; i < rows.length; i++, left--) {
    if (left === 0) {
      first = i;
      left = lengths[++trace]!;
    }
    const row = rows[i]!;
    const firstLo = startLo[rows[first]!]!;
    lo[i] = startLo[row]! - firstLo;
    hi[i] = startHi[row]! - startHi[rows[first]!]! - (startLo[row]! < firstLo ? 1 : 0);
  }
}

/** Time of each event after its span's start, wrapping. */
function eventTimes(
  spans: WritableSpans,
  rows: Uint32Array,
  counts: Uint32Array,
  items: Uint32Array,
): { lo: Uint32Array; hi: Uint32Array } {
  const lo = new Uint32Array(items.length);
  const hi = new Uint32Array(items.length);
  putEventTimes(spans, rows, counts, items, lo, hi);
  return { lo, hi };
}

function putEventTimes(
  { startLo, startHi, events: { timeLo, timeHi } }: WritableSpans,
  rows: Uint32Array,
  counts: Uint32Array,
  items: Uint32Array,
  lo: Uint32Array,
  hi: Uint32Array,
): void {
  for (let i = 0, r = 0, left = counts[0]!; i < items.length; i++, left--) {
    while (left === 0) left = counts[++r]!;
    const item = items[i]!;
    const row = rows[r]!;
    lo[i] = timeLo[item]! - startLo[row]!;
    hi[i] = timeHi[item]! - startHi[row]! - (timeLo[item]! < startLo[row]! ? 1 : 0);
  }
}

function gather(source: Uint32Array, rows: Uint32Array): Uint32Array {
  const values = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = source[rows[i]!]!;
  return values;
}

function gatherOctets(source: Uint8Array, rows: Uint32Array): Uint32Array {
  const values = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = source[rows[i]!]!;
  return values;
}

function gatherBytes(source: Uint8Array, size: number, rows: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(rows.length * size);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const start = rows[i]! * size;
    for (let k = 0; k < size; k++) bytes[at++] = source[start + k]!;
  }
  return bytes;
}
