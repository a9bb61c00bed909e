// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanCopier } from '@spoor/core/model/span-copier.ts';
import { OtlpProtoDecoder } from '@spoor/core/wire/otlp/decode.ts';
import { OtlpProtoEncoder } from '@spoor/core/wire/otlp/encode.ts';
import type { ExportRequest } from './transport.ts';

/**
 * Makes requests of a batch, in the order of its rows: one, or more where one would be over the limit.
 * @param maxBytes of a body; a single span over it is a request none the less
 */
export function encodeRequests(
  tenant: Tenant,
  batch: SpanBatch,
  maxBytes: number,
): ExportRequest[] {
  const encoder = new OtlpProtoEncoder(batch);
  const requests: ExportRequest[] = [];
  const encode = (start: number, end: number): void => {
    const body = encoder.encode(start, end);
    if (body.length <= maxBytes || end - start === 1) {
      requests.push({ tenant, body, spans: end - start });
      return;
    }
    const middle = (start + end) >>> 1;
    encode(start, middle);
    encode(middle, end);
  };
  encode(0, batch.rows);
  return requests;
}

/** The spans of a request as a batch. */
export function decodeRequest({ body }: ExportRequest): SpanBatch {
  const builder = new BatchBuilder();
  const decoder = new OtlpProtoDecoder();
  decoder.begin(body);
  decoder.decode(builder);
  return builder.finish();
}

/** Some rows of a batch as a batch. */
export function selectRows(batch: SpanBatch, rows: readonly number[]): SpanBatch {
  const builder = new BatchBuilder(rows.length);
  const copier = new SpanCopier(batch, builder);
  for (const row of rows) copier.copy(row);
  return builder.finish();
}
