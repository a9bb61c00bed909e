// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanCopier } from '@spoor/core/model/span-copier.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { MAX_BATCH_BYTES } from '@spoor/core/model/span-limits.ts';

/** What a batch has of a span, an attribute, an event and a link at most, beside their texts. */
const ROW_BYTES = 96;
const ATTRIBUTE_BYTES = 36;
const EVENT_BYTES = 28;
const LINK_BYTES = 36;

/** Batches that are not too large, and what was left out for it. */
export interface BoundedBatches {
  readonly batches: readonly SpanBatch[];
  /** Spans that are too large, and the size of the first of them, in bytes. */
  readonly leftOut: number;
  readonly leftOutBytes: number;
}

/** Cuts a batch of over {@link MAX_BATCH_BYTES} into several, without the spans that alone are larger. */
export function boundBatch(batch: SpanBatch): BoundedBatches {
  if (batch.bytes.length <= MAX_BATCH_BYTES) {
    return { batches: [batch], leftOut: 0, leftOutBytes: 0 };
  }
  const builder = new BatchBuilder();
  const copier = new SpanCopier(batch, builder);
  const batches: SpanBatch[] = [];
  let bytes = 0;
  let leftOut = 0;
  let leftOutBytes = 0;
  for (let row = 0; row < batch.rows; row++) {
    let rowBytes = rowSize(batch, row, builder.rows === 0);
    if (builder.rows > 0 && bytes + rowBytes > MAX_BATCH_BYTES) {
      batches.push(builder.finish());
      bytes = 0;
      rowBytes = rowSize(batch, row, true);
    }
    copier.copy(row);
    if (rowBytes <= MAX_BATCH_BYTES) {
      bytes += rowBytes;
      continue;
    }
    // By itself it may be smaller: texts that it repeats are in the batch once.
    const alone = builder.finish();
    if (alone.bytes.length <= MAX_BATCH_BYTES) batches.push(alone);
    else if (leftOut++ === 0) leftOutBytes = alone.bytes.length;
  }
  if (builder.rows > 0) batches.push(builder.finish());
  return { batches, leftOut, leftOutBytes };
}

/**
 * What a row has in its batch at most, in bytes; its resource and scope (a MiB at most each) where it is the first, or the row before
 * has others.
 */
function rowSize(batch: SpanBatch, row: number, isFirst: boolean): number {
  const { names, resources, resource, scopes, scope, eventNames, events, links, cells } = batch;
  let bytes = ROW_BYTES + entrySize(names, batch.name[row]!);
  if (isFirst || resource[row] !== resource[row - 1]) {
    bytes += entrySize(resources, resource[row]!);
  }
  if (isFirst || scope[row] !== scope[row - 1]) bytes += entrySize(scopes, scope[row]!);
  bytes += cellsSize(batch, batch.shape[row]!, cells.rowStart[row]!);
  if (events !== undefined) {
    for (let e = events.rowOffsets[row]!; e < events.rowOffsets[row + 1]!; e++) {
      bytes += EVENT_BYTES + entrySize(eventNames, events.name[e]!);
      bytes += cellsSize(batch, events.shape[e]!, cells.eventStart[e]!);
    }
  }
  if (links !== undefined) {
    for (let l = links.rowOffsets[row]!; l < links.rowOffsets[row + 1]!; l++) {
      bytes += LINK_BYTES + cellsSize(batch, links.shape[l]!, cells.linkStart[l]!);
    }
  }
  return bytes;
}

/** Of the attributes of a span, event or link. */
function cellsSize(batch: SpanBatch, shape: number, start: number): number {
  const { shapes, columns, keys, cells } = batch;
  const first = shapes.offsets[shape]!;
  const count = shapes.offsets[shape + 1]! - first;
  let bytes = count * ATTRIBUTE_BYTES;
  for (let i = 0; i < count; i++) {
    bytes += entrySize(keys, columns[shapes.columns[first + i]!]!.key);
    bytes += entrySize(cells.values, cells.codes[start + i]!);
  }
  return bytes;
}

function entrySize({ offsets }: SymbolTable, code: number): number {
  return offsets[code + 1]! - offsets[code]!;
}
