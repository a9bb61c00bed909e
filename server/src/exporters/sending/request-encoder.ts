// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { OtlpProtoDecoder } from '@spoor/core/wire/otlp/decode.ts';
import { OtlpProtoEncoder } from '@spoor/core/wire/otlp/encode.ts';
import { ProtoWriter } from '@spoor/core/wire/protobuf/writer.ts';
import type { ExportRequest } from './transport.ts';

/** Largest buffer that is kept for the next batch: above any but those of very large requests. */
const MAX_KEPT_BYTES = 8 << 20;

/** Makes requests of batches. */
export class RequestEncoder {
  readonly #maxBytes: number;
  #writer = new ProtoWriter();

  /** @param maxBytes of a body; a single span over it is a request none the less */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Requests of rows, in their order: one, or more where one would be over the limit.
   * @param rows all of them unless told
   */
  encode(
    tenant: Tenant,
    batch: SpanBatch,
    rows = Uint32Array.from({ length: batch.rows }, (_, row) => row),
  ): ExportRequest[] {
    if (this.#writer.bytes.length > MAX_KEPT_BYTES) this.#writer = new ProtoWriter();
    const encoder = new OtlpProtoEncoder(batch, this.#writer);
    const requests: ExportRequest[] = [];
    const encode = (some: Uint32Array): void => {
      const body = encoder.encodeRows(some);
      if (body.length <= this.#maxBytes || some.length === 1) {
        requests.push({ tenant, body, spans: some.length });
        return;
      }
      const middle = some.length >>> 1;
      encode(some.subarray(0, middle));
      encode(some.subarray(middle));
    };
    encode(rows);
    return requests;
  }
}

/** The spans of a request as a batch. */
export function decodeRequest({ body }: ExportRequest): SpanBatch {
  const builder = new BatchBuilder();
  const decoder = new OtlpProtoDecoder();
  decoder.begin(body);
  decoder.decode(builder);
  return builder.finish();
}
