// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { BlockBuilder, type BlockFigures } from '../block/block-builder.ts';
import { BLOCK_MAGIC, GROUP_ROWS } from '../block/block-format.ts';
import { findOverlap, type EarlierBlocks } from '../live/block-overlap.ts';
import { PlacedUnionValues } from './union-values.ts';
import { ColumnNames } from '../block/column-names.ts';
import { DictionaryWriter } from '../block/dictionary-writer.ts';
import { FrameWriter } from '../block/frame-writer.ts';
import { type RowOrder, orderRows, unionPlace, withoutRows } from './row-order.ts';
import { SpanUnion } from './span-union.ts';

/** A block, ready to be written, and what the manifest says of it. */
export interface EncodedBlock extends BlockFigures {
  /** The file, in pieces. */
  readonly parts: readonly Uint8Array[];
}

/**
 * Encodes all spans of the sources as one block: by trace id, each span once.
 * @param earlier blocks of the same tenant: spans that they hold are left out
 * @param groupRows a group ends with the trace with which it has so many rows
 * @returns undefined when no span is left
 */
export function encodeBlock(
  sources: readonly SpanBatch[],
  earlier: EarlierBlocks = { blocks: [], isComplete: true },
  groupRows = GROUP_ROWS,
): EncodedBlock | undefined {
  const union = new SpanUnion(sources);
  const { order, seenBefore } = orderNewRows(union, earlier);
  if (order.rows.length === 0) {
    union.release();
    return undefined;
  }
  const traces = order.traceStarts.length - 1;
  const frames = new FrameWriter(BLOCK_MAGIC.length);
  const dictionaries = writeDictionaries(frames, union);
  const values = new PlacedUnionValues(union);
  let nextTrace = 0;
  const builder = new BlockBuilder({
    frames,
    symbols: union,
    dictionaries,
    maxTraces: traces,
    isSeenBefore: () => seenBefore[nextTrace++] === 1,
  });
  for (let trace = 0; trace < traces;) {
    const firstRow = order.traceStarts[trace]!;
    let end = trace;
    while (end < traces && order.traceStarts[end]! - firstRow < groupRows) end++;
    builder.add({
      columns: union,
      values,
      rows: order.rows.subarray(firstRow, order.traceStarts[end]),
      traceStarts: order.traceStarts.slice(trace, end + 1).map((start) => start - firstRow),
    });
    trace = end;
  }
  const { tail, figures } = builder.finish();
  union.release();
  return { parts: [BLOCK_MAGIC, ...frames.takeParts(), ...tail], ...figures };
}

/** The rows of a union that no earlier block holds, and per trace 1 where one holds or may hold other rows of it. */
function orderNewRows(
  union: SpanUnion,
  earlier: EarlierBlocks,
): { order: RowOrder; seenBefore: Uint8Array } {
  const order = orderRows(union);
  const traces = { columns: union, ...order };
  const overlap = findOverlap(traces, earlier, (rows) =>
    Array.from(rows, (row) => unionPlace(union, row)),
  );
  if (overlap.copies === 0) return { order, seenBefore: overlap.seenBefore };
  const rest = withoutRows(order, overlap.isCopy);
  const seenBefore = Uint8Array.from(rest.traces, (trace) => overlap.seenBefore[trace]!);
  return { order: rest, seenBefore };
}

function writeDictionaries(
  frames: FrameWriter,
  { columns, keys, values }: SpanUnion,
): DictionaryWriter {
  const dictionaries = new DictionaryWriter(frames);
  const names = new ColumnNames(keys);
  for (const { key, type, isPlain, first, entries } of columns) {
    if (isPlain) {
      dictionaries.skip();
      continue;
    }
    dictionaries.begin(names.of(key), type);
    dictionaries.addAll(values, values.order, first, first + entries);
    dictionaries.end();
  }
  frames.flush();
  return dictionaries;
}
