// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import { toJaegerSpan } from '@spoor/core/wire/jaeger/jaeger-span.ts';
import { encodeJaegerAgentMessage } from '@spoor/core/wire/jaeger/thrift-encoder.ts';
import { ThriftCompactWriter } from '@spoor/core/wire/thrift/compact-writer.ts';

/** Rows of a batch, of one resource, as what a client of Jaeger sends to an agent: compact Thrift. */
export function encodeJaegerDatagram(batch: SpanBatch, rows: Uint32Array): Uint8Array<ArrayBuffer> {
  const reader = new SpanReader(batch);
  const spans = Array.from(rows, (row) => toJaegerSpan(reader.read(row)));
  return encodeJaegerAgentMessage(new ThriftCompactWriter(), spans);
}

/** Rows of a batch in lists of one resource each, at most so many; in the order of their first rows. */
export function rowsByResource(batch: SpanBatch, most: number): Uint32Array[] {
  const lists: Uint32Array[] = [];
  const open = new Map<number, number[]>();
  const close = (rows: readonly number[]): void => void lists.push(Uint32Array.from(rows));
  for (let row = 0; row < batch.rows; row++) {
    const resource = batch.resource[row]!;
    const rows = open.get(resource) ?? [];
    rows.push(row);
    if (rows.length < most) open.set(resource, rows);
    else {
      open.delete(resource);
      close(rows);
    }
  }
  for (const rows of open.values()) close(rows);
  return lists;
}
