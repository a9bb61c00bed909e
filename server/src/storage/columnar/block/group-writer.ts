// SPDX-License-Identifier: Apache-2.0
import type { ShapeTable, SymbolTable } from '@spoor/core/model/span-columns.ts';
import { WordList } from '@spoor/core/model/word-list.ts';
import {
  type BlockGroup,
  type ChunkRef,
  GROUP_CHUNKS,
  GROUP_ROWS,
  type GroupChunk,
} from './block-format.ts';
import type { SectionRows } from './block-section.ts';
import { encodeCodes, encodePlanes } from './chunk-codec.ts';
import { ColumnNames } from './column-names.ts';
import type { FrameWriter } from './frame-writer.ts';
import { GROUP_COLUMN_WORDS, GroupColumns } from './group-columns.ts';
import { ParentFinder } from './parent-finder.ts';
import { encodeValues } from './values-chunk.ts';
import type { WritableItems, WritableSpans } from './writable-spans.ts';

/** Some whole traces of a block, in its order; see {@link SectionRows}. */
export interface GroupRows extends SectionRows {
  readonly columns: WritableSpans;
}

/** Rows, events or links that are written. */
interface CellOwners {
  readonly shape: Uint32Array;
  readonly cellStart: Uint32Array;
  /** Which of them, in order. */
  readonly list: Uint32Array;
}

/** Writes the row groups of a block, one after the other. */
export class GroupWriter {
  readonly #frames: FrameWriter;
  readonly #parents = new ParentFinder();
  readonly #names: ColumnNames;
  /** Numbers that the columns of the last group took. */
  #lastWords = 64;
  /** The attributes of the group under way, column after column; per column how many there are, and where they end. */
  #cells = new Uint32Array(GROUP_ROWS * 8);
  readonly #cellCounts: Uint32Array;
  readonly #cellEnds: Uint32Array;
  /** Per column, where it is told in which groups the entries of its dictionary are: that, for each; see `PageRef`. */
  readonly groupBits: readonly (Uint32Array | undefined)[];
  #groupBit = 1;

  /** @param indexedEntries per column how many entries of its dictionary it is noted of in which groups they are */
  constructor(keys: SymbolTable, indexedEntries: readonly number[], frames: FrameWriter) {
    this.#frames = frames;
    this.#names = new ColumnNames(keys);
    this.#cellCounts = new Uint32Array(indexedEntries.length);
    this.#cellEnds = new Uint32Array(indexedEntries.length);
    this.groupBits = indexedEntries.map((count) =>
      count === 0 ? undefined : new Uint32Array(count),
    );
  }

  /** Writes the next traces as one group. */
  write({
    columns: spans,
    rows,
    traceStarts,
  }: GroupRows): Omit<BlockGroup, 'firstTraceId' | 'chunkAt'> {
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

    const events = itemsOf(spans.events, rows);
    if (events.items.length > 0) {
      codes('eventCount', events.counts);
      const time = eventTimes(spans, rows, events.counts, events.items);
      planes('eventTime', time.lo, time.hi);
      codes('eventName', gather(spans.events.name, events.items));
      codes('eventShape', gather(spans.events.shape, events.items));
    }
    const links = itemsOf(spans.links, rows);
    if (links.items.length > 0) {
      codes('linkCount', links.counts);
      ids('linkTraceIds', spans.links.traceId, 16, links.items);
      ids('linkSpanIds', spans.links.spanId, 8, links.items);
      codes('linkFlags', gather(spans.links.flags, links.items));
      codes('linkShape', gather(spans.links.shape, links.items));
    }
    this.#takeCells(spans, [
      { shape: spans.shape, cellStart: spans.cellStart, list: rows },
      { shape: spans.events.shape, cellStart: spans.events.cellStart, list: events.items },
      { shape: spans.links.shape, cellStart: spans.links.cellStart, list: links.items },
    ]);
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

  /** Sorts the attributes of the group by column. */
  #takeCells({ shapes, cells }: WritableSpans, owners: readonly CellOwners[]): void {
    const counts = this.#cellCounts.fill(0);
    for (const owner of owners) countCells(shapes, owner, counts);
    const ends = this.#cellEnds;
    let total = 0;
    for (let column = 0; column < counts.length; column++) {
      ends[column] = total;
      total += counts[column]!;
    }
    if (total > this.#cells.length) this.#cells = new Uint32Array(total + (total >> 1));
    for (const owner of owners) placeCells(shapes, cells, owner, { sorted: this.#cells, ends });
  }

  #writeColumns({ columns }: WritableSpans): GroupColumns {
    const written = new WordList(this.#lastWords);
    const cells = this.#cells;
    const counts = this.#cellCounts;
    for (let column = 0; column < counts.length; column++) {
      const count = counts[column]!;
      if (count === 0) continue;
      const from = this.#cellEnds[column]! - count;
      const { isPlain, key, table } = columns[column]!;
      const bits = this.groupBits[column];
      if (bits !== undefined) this.#noteGroup(bits, from, count);
      const sink = this.#frames.begin();
      if (isPlain) encodeValues(sink, table, cells, count, from);
      else encodeCodes(sink, cells, count, from);
      written.push(column);
      written.push(count);
      this.#frames.endTo(written, this.#names.of(key));
    }
    this.#lastWords = Math.max(GROUP_COLUMN_WORDS, written.count);
    return new GroupColumns(written.words.subarray(0, written.count));
  }

  /** Notes that this group has these entries of a dictionary. */
  #noteGroup(bits: Uint32Array, from: number, count: number): void {
    const cells = this.#cells;
    const bit = this.#groupBit;
    for (let i = from; i < from + count; i++) bits[cells[i]!]! |= bit;
  }
}

/** Adds to `counts`, by column, how many attributes the owners have. */
function countCells(
  { offsets, columns }: ShapeTable,
  { shape, list }: CellOwners,
  counts: Uint32Array,
): void {
  for (let i = 0; i < list.length; i++) {
    const owned = shape[list[i]!]!;
    const end = offsets[owned + 1]!;
    for (let k = offsets[owned]!; k < end; k++) counts[columns[k]!]!++;
  }
}

/** Puts the attributes of the owners behind those that `ends` says are there already. */
function placeCells(
  { offsets, columns }: ShapeTable,
  cells: Uint32Array,
  { shape, cellStart, list }: CellOwners,
  { sorted, ends }: { readonly sorted: Uint32Array; readonly ends: Uint32Array },
): void {
  for (let i = 0; i < list.length; i++) {
    const owner = list[i]!;
    const owned = shape[owner]!;
    const end = offsets[owned + 1]!;
    for (let k = offsets[owned]!, cell = cellStart[owner]!; k < end; k++, cell++) {
      sorted[ends[columns[k]!]!++] = cells[cell]!;
    }
  }
}

/** Of a group without events or without links. */
const NO_ITEMS = { counts: new Uint32Array(0), items: new Uint32Array(0) };

/** The events or links of the rows, in order, and how many each row has. */
function itemsOf(
  { count, rowOffsets }: WritableItems,
  rows: Uint32Array,
): { counts: Uint32Array; items: Uint32Array } {
  if (count === 0) return NO_ITEMS;
  const counts = itemCounts(rowOffsets, rows);
  const items = new Uint32Array(sum(counts));
  let at = 0;
  for (let i = 0; at < items.length; i++) {
    const first = rowOffsets[rows[i]!]!;
    for (let k = 0; k < counts[i]!; k++) items[at++] = first + k;
  }
  return { counts, items };
}

function itemCounts(rowOffsets: Uint32Array, rows: Uint32Array): Uint32Array {
  const counts = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    counts[i] = rowOffsets[row + 1]! - rowOffsets[row]!;
  }
  return counts;
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  return total;
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

/** The values of the rows; without copying where the rows are the first ones, as they are in a merge. */
function gather(source: Uint32Array, rows: Uint32Array): Uint32Array {
  if (areFirst(rows)) return source.subarray(0, rows.length);
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
  if (areFirst(rows)) return source.subarray(0, rows.length * size);
  const bytes = new Uint8Array(rows.length * size);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const start = rows[i]! * size;
    for (let k = 0; k < size; k++) bytes[at++] = source[start + k]!;
  }
  return bytes;
}

/** Whether row `i` is the number `i`. */
function areFirst(rows: Uint32Array): boolean {
  for (let i = 0; i < rows.length; i++) if (rows[i] !== i) return false;
  return true;
}
