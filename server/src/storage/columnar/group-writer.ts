// SPDX-License-Identifier: Apache-2.0
import { symbolText } from '@spoor/core/model/span-reader.ts';
import { type BlockGroup, type ChunkRef, GROUP_CHUNKS, type GroupChunk } from './block-format.ts';
import { encodeCodes, encodePlanes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import { ParentFinder } from './parent-finder.ts';
import type { RowOrder } from './row-order.ts';
import type { SpanUnion, UnionItems } from './span-union.ts';
import { encodeValues } from './values-chunk.ts';

/** Writes the row groups of a block, one after the other. */
export class GroupWriter {
  readonly #union: SpanUnion;
  readonly #order: RowOrder;
  readonly #frames: FrameWriter;
  readonly #parents = new ParentFinder();
  /** Per column: values of the group under way. */
  readonly #cells: Uint32Array[];
  readonly #cellCount: Uint32Array;
  /** Per column with a dictionary: per entry, in the dictionary's order, the groups that have it; see `PageRef`. */
  readonly groupBits: readonly Uint32Array[];
  #groupBit = 1;

  constructor(union: SpanUnion, order: RowOrder, frames: FrameWriter) {
    this.#union = union;
    this.#order = order;
    this.#frames = frames;
    this.#cells = union.columns.map(() => new Uint32Array(64));
    this.#cellCount = new Uint32Array(union.columns.length);
    this.groupBits = union.columns.map(
      ({ isPlain, table }) => new Uint32Array(isPlain ? 0 : table.count),
    );
  }

  /** Writes the traces `[firstTrace, endTrace)`. */
  write(firstTrace: number, endTrace: number): Omit<BlockGroup, 'firstTraceId'> {
    const union = this.#union;
    const { traceStarts } = this.#order;
    const first = traceStarts[firstTrace]!;
    const rows = this.#order.rows.subarray(first, traceStarts[endTrace]);
    const count = rows.length;
    const traces = endTrace - firstTrace;
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
      const start = traceStarts[firstTrace + t]!;
      heads[t] = this.#order.rows[start]!;
      lengths[t] = traceStarts[firstTrace + t + 1]! - start;
    }
    ids('traceIds', union.traceId, 16, heads);
    codes('traceRows', lengths);
    planes('traceStart', gather(union.startLo, heads), gather(union.startHi, heads));
    const { lo, hi } = this.#startDeltas(rows, lengths);
    planes('start', lo, hi);
    planes('duration', gather(union.durationLo, rows), gather(union.durationHi, rows));
    codes('resource', gather(union.resource, rows));
    codes('name', gather(union.name, rows));
    codes('status', gatherOctets(union.status, rows));
    codes('kind', gatherOctets(union.kind, rows));
    ids('spanIds', union.spanId, 8, rows);
    const { parents, elsewhere } = this.#parents.find(union, rows, lengths);
    codes('parent', parents);
    if (elsewhere.length > 0) ids('otherParents', union.parentSpanId, 8, elsewhere);
    codes('flags', gather(union.flags, rows));
    codes('scope', gather(union.scope, rows));
    codes('shape', gather(union.shape, rows));

    this.#cellCount.fill(0);
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      this.#takeCells(union.shape[row]!, union.cellStart[row]!);
    }
    const events = this.#takeItems(union.events, rows);
    if (events.items.length > 0) {
      codes('eventCount', events.counts);
      const time = this.#eventTimes(rows, events.counts, events.items);
      planes('eventTime', time.lo, time.hi);
      codes('eventName', gather(union.events.name, events.items));
      codes('eventShape', gather(union.events.shape, events.items));
    }
    const links = this.#takeItems(union.links, rows);
    if (links.items.length > 0) {
      codes('linkCount', links.counts);
      ids('linkTraceIds', union.links.traceId, 16, links.items);
      ids('linkSpanIds', union.links.spanId, 8, links.items);
      codes('linkFlags', gather(union.links.flags, links.items));
      codes('linkShape', gather(union.links.shape, links.items));
    }
    const columns = this.#writeColumns();
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

  /** Start of each row after its trace's first. */
  #startDeltas(rows: Uint32Array, lengths: Uint32Array): { lo: Uint32Array; hi: Uint32Array } {
    const { startLo, startHi } = this.#union;
    const lo = new Uint32Array(rows.length);
    const hi = new Uint32Array(rows.length);
    let i = 0;
    for (const length of lengths) {
      const baseLo = startLo[rows[i]!]!;
      const baseHi = startHi[rows[i]!]!;
      for (const end = i + length; i < end; i++) {
        const row = rows[i]!;
        lo[i] = startLo[row]! - baseLo;
        hi[i] = startHi[row]! - baseHi - (startLo[row]! < baseLo ? 1 : 0);
      }
    }
    return { lo, hi };
  }

  /** Time of each event after its span's start, wrapping. */
  #eventTimes(
    rows: Uint32Array,
    counts: Uint32Array,
    items: Uint32Array,
  ): { lo: Uint32Array; hi: Uint32Array } {
    const { startLo, startHi, events } = this.#union;
    const lo = new Uint32Array(items.length);
    const hi = new Uint32Array(items.length);
    let i = 0;
    for (let r = 0; r < rows.length; r++) {
      const row = rows[r]!;
      for (const end = i + counts[r]!; i < end; i++) {
        const item = items[i]!;
        lo[i] = events.timeLo[item]! - startLo[row]!;
        hi[i] =
          events.timeHi[item]! - startHi[row]! - (events.timeLo[item]! < startLo[row]! ? 1 : 0);
      }
    }
    return { lo, hi };
  }

  #takeItems(items: UnionItems, rows: Uint32Array): { counts: Uint32Array; items: Uint32Array } {
    const counts = new Uint32Array(rows.length);
    let total = 0;
    if (items.count > 0) {
      for (let i = 0; i < rows.length; i++) {
        const count = items.rowOffsets[rows[i]! + 1]! - items.rowOffsets[rows[i]!]!;
        counts[i] = count;
        total += count;
      }
    }
    const list = new Uint32Array(total);
    let at = 0;
    for (let i = 0; at < total; i++) {
      const first = items.rowOffsets[rows[i]!]!;
      for (let item = first; item < first + counts[i]!; item++) {
        list[at++] = item;
        this.#takeCells(items.shape[item]!, items.cellStart[item]!);
      }
    }
    return { counts, items: list };
  }

  #takeCells(shape: number, start: number): void {
    const { shapes, cells } = this.#union;
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

  #writeColumns(): BlockGroup['columns'] {
    const { columns, keys } = this.#union;
    const written: { column: number; count: number; chunk: ChunkRef }[] = [];
    columns.forEach(({ key, isPlain, table, ranks }, column) => {
      const count = this.#cellCount[column]!;
      if (count === 0) return;
      const cells = this.#cells[column]!;
      if (ranks !== undefined) {
        const bits = this.groupBits[column]!;
        const bit = this.#groupBit;
        for (let i = 0; i < count; i++) {
          const rank = ranks[cells[i]!]!;
          cells[i] = rank;
          bits[rank]! |= bit;
        }
      }
      const chunk = this.#frames.chunk(`attribute ${symbolText(keys, key)}`, (sink) =>
        isPlain ? encodeValues(sink, table, cells, count) : encodeCodes(sink, cells, count),
      );
      written.push({ column, count, chunk });
    });
    return written;
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
