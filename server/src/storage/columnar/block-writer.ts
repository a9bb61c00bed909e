// SPDX-License-Identifier: Apache-2.0
import { constants, zstdCompressSync } from 'node:zlib';
import { formatTraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolText } from '@spoor/core/model/span-reader.ts';
import {
  BLOCK_FORMAT_VERSION,
  BLOCK_MAGIC,
  type BlockColumn,
  type BlockFooter,
  type BlockGroup,
  GROUP_ROWS,
  type PageRef,
  type TableRef,
} from './block-format.ts';
import { findOverlap, type OverlappedBlock } from './block-overlap.ts';
import type { SectionRows } from './block-section.ts';
import { encodeTrailer } from './block-trailer.ts';
import { encodeCodes } from './chunk-codec.ts';
import { DerivedSection } from './derived/derived-section.ts';
import { unionValues } from './derived/union-values.ts';
import { encodeFooter } from './footer-codec.ts';
import { FrameWriter } from './frame-writer.ts';
import { GroupWriter } from './group-writer.ts';
import { OperationsSection } from './operations-section.ts';
import { type RowOrder, orderRows, unionPlace, withoutRows } from './row-order.ts';
import { SeenBeforeSection } from './seen-before-section.ts';
import { SummariesSection } from './summaries-section.ts';
import { releaseUnion, type SpanUnion, uniteSpans } from './span-union.ts';
import { encodeRanges, StartRanges } from './start-ranges.ts';
import { TraceFilter } from './trace-filter.ts';
import { allEntries, encodeValues } from './values-chunk.ts';

/** A page of a dictionary holds at most this; reading one value costs one page. */
const PAGE_ENTRIES = 4096;
const PAGE_BYTES = 32 << 10;

/** Values of smaller dictionaries are in most groups: it is not worth saying in which. */
const INDEXED_ENTRIES = 128;

/** A block, ready to be written, and what the manifest says of it. */
export interface EncodedBlock {
  /** The file, in pieces. */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly rows: number;
  readonly traces: number;
  /** Unix epoch ns. */
  readonly minStartUnixNano: bigint;
  readonly maxStartUnixNano: bigint;
}

/**
 * Encodes all spans of the sources as one block: by trace id, each span once.
 * @param earlier blocks of the same tenant: spans that they hold are left out
 * @returns undefined when no span is left
 */
export function encodeBlock(
  sources: readonly SpanBatch[],
  earlier: readonly OverlappedBlock[] = [],
): EncodedBlock | undefined {
  const union = uniteSpans(sources);
  const { order, seenBefore } = orderNewRows(union, earlier);
  if (order.rows.length === 0) {
    releaseUnion(union);
    return undefined;
  }
  const frames = new FrameWriter(BLOCK_MAGIC.length);
  const traces = order.traceStarts.length - 1;
  const filter = TraceFilter.sized(traces);
  const groups: BlockGroup[] = [];
  const writer = new GroupWriter(union, order, frames);
  const operations = new OperationsSection();
  const starts = new StartRanges();
  let nextTrace = 0;
  const split = new SeenBeforeSection(() => seenBefore[nextTrace++] === 1);
  const derived = new DerivedSection();
  const values = unionValues(union);
  const summaries = new SummariesSection();
  for (let trace = 0; trace < traces;) {
    const firstRow = order.traceStarts[trace]!;
    let end = trace;
    while (end < traces && order.traceStarts[end]! - firstRow < GROUP_ROWS) {
      filter.add(union.traceId, order.rows[order.traceStarts[end]!]! * 16);
      end++;
    }
    const group: SectionRows = {
      columns: union,
      values,
      rows: order.rows.subarray(firstRow, order.traceStarts[end]),
      traceStarts: order.traceStarts.slice(trace, end + 1).map((start) => start - firstRow),
    };
    operations.add(group);
    starts.add(union, group.rows);
    split.add(group);
    derived.add(group);
    summaries.add(group);
    groups.push({
      firstTraceId: formatTraceId(union.traceId, order.rows[firstRow]! * 16),
      ...writer.write(trace, end),
    });
    frames.flush();
    trace = end;
  }
  const ranges = starts.finish();
  const minStart = ranges[0]!.min;
  const maxStart = ranges.at(-1)!.max;
  const columns = union.columns.map((column, c): BlockColumn => {
    const { level, type, key, isPlain, table } = column;
    const what = `attribute ${symbolText(union.keys, key)}`;
    return {
      level,
      type,
      key,
      pages: isPlain ? undefined : writePages(frames, what, table, writer.groupBits[c]!),
    };
  });
  const table = (what: string, symbols: SymbolTable): TableRef => ({
    count: symbols.count,
    chunk: frames.chunk(what, (sink) =>
      encodeValues(sink, symbols, allEntries(symbols.count), symbols.count),
    ),
  });
  const shapes = union.shapes;
  const footer: BlockFooter = {
    version: BLOCK_FORMAT_VERSION,
    rows: order.rows.length,
    traces,
    minStart: minStart.toString(),
    maxStart: maxStart.toString(),
    startRanges: encodeRanges(ranges),
    names: table('names', union.names),
    resources: table('resources', union.resources),
    scopes: table('scopes', union.scopes),
    eventNames: table('event names', union.eventNames),
    keys: table('keys', union.keys),
    shapes: {
      count: shapes.count,
      lengths: frames.chunk('shapes', (sink) => {
        const lengths = new Uint32Array(shapes.count);
        for (let i = 0; i < shapes.count; i++) {
          lengths[i] = shapes.offsets[i + 1]! - shapes.offsets[i]!;
        }
        encodeCodes(sink, lengths, lengths.length);
      }),
      columns: frames.chunk('shapes', (sink) =>
        encodeCodes(sink, shapes.columns, shapes.columnCount),
      ),
    },
    operations: operations.finish(frames),
    seenBefore: split.finish(frames),
    ...derived.finish(frames),
    summaries: summaries.finish(frames),
    columns,
    groups,
    filter: frames.rawChunk('trace filter', filter.bits),
    frames: (frames.flush(), frames.frames),
    bytesBy: frames.bytesBy,
  };
  releaseUnion(union);
  const tail = footerParts(footer);
  return {
    parts: [BLOCK_MAGIC, ...frames.parts, ...tail],
    bytes: frames.offset + tail.reduce((sum, part) => sum + part.length, 0),
    rows: order.rows.length,
    traces,
    minStartUnixNano: minStart,
    maxStartUnixNano: maxStart,
  };
}

/** The rows of a union that no earlier block holds, and per trace 1 where one holds other rows of it. */
function orderNewRows(
  union: SpanUnion,
  earlier: readonly OverlappedBlock[],
): { order: RowOrder; seenBefore: Uint8Array } {
  const order = orderRows(union);
  const traces = { columns: union, ...order };
  const overlap = findOverlap(traces, earlier, (row) => unionPlace(union, row));
  if (overlap.copies === 0) return { order, seenBefore: overlap.seenBefore };
  const rest = withoutRows(order, overlap.isCopy);
  const seenBefore = Uint8Array.from(rest.traces, (trace) => overlap.seenBefore[trace]!);
  return { order: rest, seenBefore };
}

function footerParts(footer: BlockFooter): Uint8Array[] {
  const raw = encodeFooter(footer);
  const stored = zstdCompressSync(raw, {
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
  });
  return [stored, encodeTrailer(stored, raw.length)];
}

function writePages(
  frames: FrameWriter,
  what: string,
  table: SymbolTable,
  groupBits: Uint32Array,
): PageRef[] {
  const pages: PageRef[] = [];
  const entries = new Uint32Array(PAGE_ENTRIES);
  for (let start = 0; start < table.count;) {
    let count = 0;
    while (
      start + count < table.count &&
      count < PAGE_ENTRIES &&
      (count === 0 || table.offsets[start + count]! - table.offsets[start]! < PAGE_BYTES)
    ) {
      entries[count] = start + count;
      count++;
    }
    const chunk = frames.chunk(what, (sink) => encodeValues(sink, table, entries, count));
    if (table.count < INDEXED_ENTRIES) pages.push({ count, chunk });
    else {
      const bits = groupBits.subarray(start, start + count);
      const groups = frames.chunk('index', (sink) => encodeCodes(sink, bits, count));
      pages.push({ count, chunk, groups });
    }
    start += count;
  }
  return pages;
}
