// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { formatTraceId } from '@spoor/core/model/ids.ts';
import type { SpanColumns } from '@spoor/core/model/span-columns.ts';
import { getUint32 } from '@spoor/core/model/uint32.ts';
import { WordList } from '@spoor/core/model/word-list.ts';
import { SpanContents, type SpanPlace } from '@spoor/core/query/span-contents.ts';
import type { BlockReader, TraceRows } from '../block/block-reader.ts';
import { compareSpanIds } from '../block/span-ids.ts';
import type { TraceRuns } from '../block/block-section.ts';
import { pickRows, type RowGroup } from '../block/row-group.ts';
import { hashTraces, type TraceFilter } from '../block/trace-filter.ts';
import { ROUGH_SLACK_NANOS, roughNanos } from '../head/head-batch.ts';

/** Up to so many pairs of rows are compared one by one. */
const PAIRS = 1024;

/** From so many rows of a block on they are compared; a column is read once for all of them. */
const PICKED_ROWS = 1024;

/** A block in which traces are looked for. What is read from it throws `corrupt` where it is damaged. */
export interface OverlappedBlock {
  /** Bounds of its starts, as `roughNanos`. */
  readonly minStart: number;
  readonly maxStart: number;
  readonly filter: TraceFilter;
  reader(): BlockReader;
  /** Told that it is damaged. */
  setAside(error: SpoorError): void;
}

/** Blocks that were there before the one that is being written. */
export interface EarlierBlocks {
  readonly blocks: readonly OverlappedBlock[];
  /** False: there is one more that cannot be read now, and perhaps can be later. Nobody knows what it holds. */
  readonly isComplete: boolean;
}

/** What blocks hold of some traces. */
export interface Overlap {
  /** Per entry of the `rows` asked for: 1 where a block holds the same span. */
  readonly isCopy: Uint8Array;
  /** How many those are. */
  readonly copies: number;
  /** Per trace: 1 where a block holds rows of it, or may hold some, since it cannot be read. */
  readonly seenBefore: Uint8Array;
}

/**
 * Looks traces up in blocks, and each of their spans in the blocks whose bounds have room for it. Of a block that cannot be read
 * no span counts as a copy, but every trace as seen before: what seemed damaged may be read again after the next start.
 *
 * Filters are asked block by block, so that the bits of one stay in the processor's cache; where they say yes, ids and starts are
 * compared, and only where these are equal the spans themselves.
 * @param placesOf where some rows of `traces` lie, given in their order
 */
export function findOverlap(
  traces: TraceRuns,
  { blocks, isComplete }: EarlierBlocks,
  placesOf: (rows: Uint32Array) => SpanPlace[],
): Overlap {
  const { columns, rows, traceStarts } = traces;
  const count = traceStarts.length - 1;
  const isCopy = new Uint8Array(rows.length);
  const seenBefore = new Uint8Array(count);
  let copies = 0;
  let isAllRead = isComplete;
  const hashes = hashTraces(columns.traceId, count, (trace) => rows[traceStarts[trace]!]! * 16);
  for (const block of blocks) {
    try {
      const candidates = block.filter.select(hashes);
      if (candidates.length === 0) continue;
      const search = new BlockSearch(block, traces, placesOf);
      const hits = candidates.filter((trace) => search.compare(trace));
      search.settle();
      // Nothing was taken over yet: what a block that ends in damage seemed to hold does not count.
      for (const trace of hits) seenBefore[trace] = 1;
      for (const i of search.copies) {
        copies += 1 - isCopy[i]!;
        isCopy[i] = 1;
      }
    } catch (error) {
      if (!(error instanceof SpoorError)) throw error;
      // What may be better in a moment is tried again; a disk that fails in one place must not stop all sealing.
      if (error.code !== 'corrupt') throw error;
      block.setAside(error);
      isAllRead = false;
    }
  }
  if (!isAllRead) seenBefore.fill(1);
  return { isCopy, copies, seenBefore };
}

/** Entries `[start, end)` of the rows asked for, and rows of a group with the same ids and start. */
interface SpanPair {
  readonly group: RowGroup;
  readonly start: number;
  readonly end: number;
  readonly heldStart: number;
  readonly heldEnd: number;
}

/** Compares traces with a block, in the order of their ids. */
class BlockSearch {
  /** Entries of `rows` that are in the block. */
  readonly copies: number[] = [];
  readonly #block: OverlappedBlock;
  readonly #reader: BlockReader;
  readonly #traces: TraceRuns;
  readonly #placesOf: (rows: Uint32Array) => SpanPlace[];
  /** The group looked at last, with the columns it has decoded. */
  #group: RowGroup | undefined;
  /** Spans that may be the same as some of the block, and how many rows of it those are. */
  readonly #pairs: SpanPair[] = [];
  #pairedRows = 0;

  constructor(
    block: OverlappedBlock,
    traces: TraceRuns,
    placesOf: (rows: Uint32Array) => SpanPlace[],
  ) {
    this.#block = block;
    this.#reader = block.reader();
    this.#traces = traces;
    this.#placesOf = placesOf;
  }

  /** Whether the block holds rows of the trace. */
  compare(trace: number): boolean {
    const { columns, rows, traceStarts } = this.#traces;
    const [start, end] = [traceStarts[trace]!, traceStarts[trace + 1]!];
    const id = formatTraceId(columns.traceId, rows[start]! * 16);
    const found = this.#reader.findTrace(id, this.#group);
    if (found === undefined) return false;
    this.#group = found.group;
    const [first, last] = [rows[start]!, rows[end - 1]!];
    const { minStart, maxStart } = this.#block;
    if (
      roughNanos(columns.startHi[last]!, columns.startLo[last]!) + ROUGH_SLACK_NANOS >= minStart &&
      roughNanos(columns.startHi[first]!, columns.startLo[first]!) - ROUGH_SLACK_NANOS <= maxStart
    ) {
      if (this.#sharesSpanId(start, end, found)) this.#compareRows(start, end, found);
    }
    return true;
  }

  /** Ids lie in the file as they are: most traces are done with before a column is decoded. May be wrong only when it says yes. */
  #sharesSpanId(start: number, end: number, held: TraceRows): boolean {
    const { rows, columns } = this.#traces;
    const { spanId } = columns;
    const heldIds = held.group.spanId;
    if ((end - start) * (held.end - held.start) <= PAIRS) {
      for (let i = start; i < end; i++) {
        for (let at = held.start; at < held.end; at++) {
          if (compareSpanIds(spanId, rows[i]! * 8, heldIds, at * 8) === 0) return true;
        }
      }
      return false;
    }
    const heads = new Set<number>();
    for (let i = start; i < end; i++) heads.add(getUint32(spanId, rows[i]! * 8));
    for (let at = held.start; at < held.end; at++) {
      if (heads.has(getUint32(heldIds, at * 8))) return true;
    }
    return false;
  }

  /** Both sides stand by start and span id. */
  #compareRows(start: number, end: number, held: TraceRows): void {
    const { rows } = this.#traces;
    let at = held.start;
    for (let i = start; i < end;) {
      let order = -1;
      while (at < held.end && (order = this.#order(held.group, at, rows[i]!)) < 0) at++;
      if (at === held.end) return;
      if (order > 0) {
        i++;
        continue;
      }
      let heldEnd = at + 1;
      while (heldEnd < held.end && this.#order(held.group, heldEnd, rows[i]!) === 0) heldEnd++;
      let stop = i + 1;
      while (stop < end && this.#order(held.group, at, rows[stop]!) === 0) stop++;
      this.#addPair({ group: held.group, start: i, end: stop, heldStart: at, heldEnd });
      i = stop;
      at = heldEnd;
    }
  }

  #addPair(pair: SpanPair): void {
    this.#pairs.push(pair);
    this.#pairedRows += pair.heldEnd - pair.heldStart;
    if (this.#pairedRows >= PICKED_ROWS) this.settle();
  }

  /** Compares the contents of what was found so far; to be called at the end. */
  settle(): void {
    if (this.#pairs.length === 0) return;
    const byGroup = Map.groupBy(this.#pairs, ({ group }) => group);
    const lists = [...byGroup].map(([group, pairs]) => ({ group, rows: heldRows(pairs) }));
    const picked = pickRows(this.#reader, lists);
    const entries = this.#pairs.flatMap(({ start, end }) => entriesOf(start, end));
    const places = this.#placesOf(
      Uint32Array.from(entries, (entry) => this.#traces.rows[entry]!),
    ).map((place, i) => ({ ...place, entry: entries[i]! }));
    const contents = new SpanContents();
    let at = 0;
    // Pairs were found group by group.
    [...byGroup.values()].forEach((pairs, i) => {
      for (const pair of pairs) {
        const own = places.slice(at, (at += pair.end - pair.start));
        this.#compareContents(pair, picked[i]!, own, contents);
      }
    });
    this.#pairs.length = 0;
    this.#pairedRows = 0;
  }

  /** What the block holds comes first, so that of equal spans it is the one that is kept. */
  #compareContents(
    { heldStart, heldEnd }: SpanPair,
    columns: SpanColumns,
    own: readonly EntryPlace[],
    contents: SpanContents,
  ): void {
    const held = entriesOf(heldStart, heldEnd).map((row) => ({ columns, row, entry: -1 }));
    const kept = new Set(contents.distinct([...held, ...own]).map(({ entry }) => entry));
    for (const { entry } of own) if (!kept.has(entry)) this.copies.push(entry);
  }

  /** How a row of the block stands to one of the trace: by start and span id. */
  #order(group: RowGroup, heldRow: number, row: number): number {
    const { startHi, startLo, spanId } = this.#traces.columns;
    return (
      group.startHi[heldRow]! - startHi[row]! ||
      group.startLo[heldRow]! - startLo[row]! ||
      compareSpanIds(group.spanId, heldRow * 8, spanId, row * 8)
    );
  }
}

/** A span of those asked for, by its number among the rows. */
interface EntryPlace extends SpanPlace {
  readonly entry: number;
}

function entriesOf(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

function heldRows(pairs: readonly SpanPair[]): Uint32Array {
  const rows = new WordList();
  for (const { heldStart, heldEnd } of pairs) {
    for (let row = heldStart; row < heldEnd; row++) rows.push(row);
  }
  return rows.words.subarray(0, rows.count);
}
