// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { MAX_BATCH_BYTES } from '@spoor/core/model/span-limits.ts';
import { SymbolInterner } from '@spoor/core/model/symbol-interner.ts';
import { boundBatch } from './bounded-batches.ts';
import { createDecoder, type SpanDecoder } from './span-decoders.ts';
import type { IngestFormat, IngestResult, Sender } from './trace-ingest.ts';

/** A batch is written at the latest with so many spans. */
export const MAX_BATCH_SPANS = 4096;

/**
 * Attribute keys that a request may be the first to have in its batch, each with each level and type, or that all batches of a large
 * one have. A key costs a column wherever its spans go: to read one span with 300,000 of them took a gigabyte.
 */
export const MAX_REQUEST_COLUMNS = 65_536;

/**
 * Batches of a body take at most so many times its bytes and so much more. Usual ones take less than the body; but an empty link of two
 * bytes takes 32, and each batch repeats a resource of a MiB.
 */
const MAX_GROWTH = 4;
const MAX_GROWTH_BYTES = 16 << 20;

/** Spans of a slice: some 3 ms. */
const SLICE_SPANS = 1024;

/** A body that was decoded by itself. */
export interface DecodedBody {
  readonly batches: readonly SpanBatch[];
  /** What to answer once they are written. */
  readonly result: IngestResult;
}

/**
 * Decodes a body into batches of its own.
 * @throws {SpoorError} malformed, too_large; cancelled: the sender went away
 */
export type DecodeBody = (
  format: IngestFormat,
  body: Uint8Array,
  sender?: Sender,
) => Promise<DecodedBody>;

/** As {@link DecodeBody}, in slices; a slice ends with every yield. */
export function* decodeInSlices(
  format: IngestFormat,
  body: Uint8Array,
): Generator<void, DecodedBody, void> {
  const decoder = createDecoder(format);
  const builder = new BatchBuilder(SLICE_SPANS);
  builder.limitRequest(MAX_REQUEST_COLUMNS);
  const batches: SpanBatch[] = [];
  const columns = new ColumnCount();
  const maxBytes = MAX_GROWTH * body.length + MAX_GROWTH_BYTES;
  let bytes = 0;
  let tooLarge = 0;
  let tooLargeBytes = 0;
  const checkGrowth = (grown: number): void => {
    if (grown <= maxBytes) return;
    throw new SpoorError('too_large', `spans of over ${maxBytes} bytes in ${body.length} bytes`);
  };
  const finishBatch = (): void => {
    const batch = builder.finish();
    columns.add(batch);
    // To cut it takes as much again.
    checkGrowth(bytes + batch.bytes.length);
    const bounded = boundBatch(batch);
    for (const one of bounded.batches) bytes += one.bytes.length;
    checkGrowth(bytes);
    batches.push(...bounded.batches);
    if (tooLarge === 0) tooLargeBytes = bounded.leftOutBytes;
    tooLarge += bounded.leftOut;
  };
  decoder.begin(body);
  while (!decoder.decode(builder, SLICE_SPANS)) {
    if (builder.rows >= MAX_BATCH_SPANS || builder.isLarge) finishBatch();
    yield;
  }
  if (builder.rows > 0) finishBatch();
  const result = resultOf(decoder);
  if (tooLarge === 0) return { batches, result };
  const { accepted, rejected, message } = result;
  const why = `ingest: span of ${tooLargeBytes} > ${MAX_BATCH_BYTES} bytes left out`;
  return {
    batches,
    result: {
      ...result,
      accepted: accepted - tooLarge,
      rejected: rejected + tooLarge,
      message: message || why,
    },
  };
}

/** Decodes on the calling thread, between turns of the event loop. A single span or value is decoded in one turn, however large. */
export const decodeBetweenTurns: DecodeBody = async (format, body, sender) => {
  const slices = decodeInSlices(format, body);
  for (;;) {
    const slice = slices.next();
    if (slice.done === true) return slice.value;
    await nextTurn();
    if (sender?.isGone === true) throw senderWentAway();
  }
};

/** The attribute keys of all batches of a body. */
class ColumnCount {
  readonly #keys = new SymbolInterner();
  readonly #columns = new Set<number>();

  /** @throws {SpoorError} too_large */
  add(batch: SpanBatch): void {
    const { keys } = batch;
    for (let id = 0; id < batch.columnCount; id++) {
      const { level, type, key } = batch.column(id);
      const code = this.#keys.intern(keys.bytes, keys.offsets[key]!, keys.offsets[key + 1]!);
      this.#columns.add(code * 64 + level * 9 + type);
    }
    if (this.#columns.size > MAX_REQUEST_COLUMNS) {
      throw new SpoorError('too_large', `more than ${MAX_REQUEST_COLUMNS} attribute keys`);
    }
  }
}

/** What to answer to a body that is decoded, once its spans are written. */
export function resultOf({
  accepted,
  rejected,
  rejectedMessage,
  report,
}: SpanDecoder): IngestResult {
  const result = { accepted, rejected, message: rejectedMessage };
  return report === undefined ? result : { ...result, clientReports: report };
}

/** The error of a request whose sender is not there any more. */
export function senderWentAway(): SpoorError {
  return new SpoorError('cancelled', 'ingest: the sender went away');
}
