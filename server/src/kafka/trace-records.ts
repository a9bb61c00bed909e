// SPDX-License-Identifier: Apache-2.0
import { formatTraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { EncodingPace, type KafkaEncoding, recordEncoder } from './kafka-encoding.ts';

/** A record for a topic: its key is the trace id as text. */
interface TraceRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly spans: number;
}

/** What became of a batch. */
export interface TraceRecords {
  readonly records: readonly TraceRecord[];
  /** Spans that are larger than a record may be. */
  readonly tooLargeSpans: number;
}

/**
 * The records of a batch: one for each of its traces, so that a trace comes to one partition, or one for each span where
 * the encoding has it so. A trace that is too large is split into several of the same key.
 * @param maxBytes of a value
 */
export async function traceRecords(
  batch: SpanBatch,
  encoding: KafkaEncoding,
  maxBytes: number,
): Promise<TraceRecords> {
  const encoder = recordEncoder(encoding, batch);
  const pace = new EncodingPace();
  const records: TraceRecord[] = [];
  let tooLargeSpans = 0;
  for (const [traceId, rows] of rowsByTrace(batch)) {
    const key = Buffer.from(encoder.isSingle ? jaegerKey(traceId) : traceId);
    // Parts that are still to be encoded, the next one last.
    const parts = encoder.isSingle ? singles(rows) : [rows];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const { buffer, byteOffset, length } = encoder.encode(part);
      const value = Buffer.from(buffer, byteOffset, length);
      if (value.length <= maxBytes) records.push({ key, value, spans: part.length });
      else if (part.length === 1) tooLargeSpans++;
      else {
        const middle = part.length >> 1;
        parts.push(part.subarray(middle), part.subarray(0, middle));
      }
      await pace.after(part.length);
    }
  }
  return { records, tooLargeSpans };
}

/** The rows of each trace, in order, by its id in hex. */
function rowsByTrace(batch: SpanBatch): Map<string, Uint32Array> {
  const lists = new Map<string, number[]>();
  for (let row = 0; row < batch.rows; row++) {
    const traceId = formatTraceId(batch.traceId, row * 16);
    const list = lists.get(traceId);
    if (list === undefined) lists.set(traceId, [row]);
    else list.push(row);
  }
  return new Map(Array.from(lists, ([traceId, list]) => [traceId, Uint32Array.from(list)]));
}

function singles(rows: Uint32Array): Uint32Array[] {
  return Array.from(rows.toReversed(), (row) => Uint32Array.of(row));
}

/** As Jaeger writes ids: 16 digits where the upper half is zero. */
function jaegerKey(traceId: string): string {
  return traceId.startsWith('0'.repeat(16)) ? traceId.slice(16) : traceId;
}
