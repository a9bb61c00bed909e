// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { toJaegerSpan } from '@spoor/core/wire/jaeger/jaeger-span.ts';
import { encodeJaegerJson } from '@spoor/core/wire/jaeger/json-encoder.ts';
import { encodeJaegerProto } from '@spoor/core/wire/jaeger/proto-encoder.ts';
import { OtlpJsonEncoder } from '@spoor/core/wire/otlp/encode-json.ts';
import { OtlpProtoEncoder } from '@spoor/core/wire/otlp/encode.ts';
import { encodeZipkinJson } from '@spoor/core/wire/zipkin/json-encoder.ts';
import { encodeZipkinProto } from '@spoor/core/wire/zipkin/proto-encoder.ts';
import { encodeZipkinThrift } from '@spoor/core/wire/zipkin/thrift-encoder.ts';
import { toZipkinSpan, type ZipkinSpan } from '@spoor/core/wire/zipkin/zipkin-span.ts';
import type { IngestFormat } from '#pipeline/trace-ingest.ts';

/** The format of records that have each encoding, by the OpenTelemetry collector's names of these. */
export const RECORD_FORMATS = {
  otlp_proto: 'otlp_proto',
  otlp_json: 'otlp_json',
  jaeger_proto: 'jaeger_span_proto',
  jaeger_json: 'jaeger_span_json',
  zipkin_json: 'zipkin_json',
  zipkin_proto: 'zipkin_proto',
  zipkin_thrift: 'zipkin_v1_thrift',
} as const satisfies Readonly<Record<string, IngestFormat>>;

/** How spans stand in the records of a topic. */
export type KafkaEncoding = keyof typeof RECORD_FORMATS;

/** Rows of a batch as records. */
export interface RecordEncoder {
  /** Whether a record holds one span only, as Jaeger's do. */
  readonly isSingle: boolean;
  /** The value of a record with these rows. */
  encode(rows: Uint32Array): Uint8Array;
}

/** An encoder of a batch. */
export function recordEncoder(encoding: KafkaEncoding, batch: SpanBatch): RecordEncoder {
  switch (encoding) {
    case 'otlp_proto': {
      const encoder = new OtlpProtoEncoder(batch);
      return { isSingle: false, encode: (rows) => encoder.encodeRows(rows) };
    }
    case 'otlp_json': {
      const encoder = new OtlpJsonEncoder(batch);
      return { isSingle: false, encode: (rows) => encoder.encodeRows(rows) };
    }
    case 'jaeger_proto':
      return singleEncoder(batch, (span) => encodeJaegerProto(toJaegerSpan(span)));
    case 'jaeger_json':
      return singleEncoder(batch, (span) => encodeJaegerJson(toJaegerSpan(span)));
    case 'zipkin_json':
      return zipkinEncoder(batch, encodeZipkinJson);
    case 'zipkin_proto':
      return zipkinEncoder(batch, encodeZipkinProto);
    case 'zipkin_thrift':
      return zipkinEncoder(batch, encodeZipkinThrift);
  }
}

function singleEncoder(batch: SpanBatch, encode: (span: Span) => Uint8Array): RecordEncoder {
  const reader = new SpanReader(batch);
  return { isSingle: true, encode: (rows) => encode(reader.read(rows[0]!)) };
}

function zipkinEncoder(
  batch: SpanBatch,
  encode: (spans: readonly ZipkinSpan[]) => Uint8Array,
): RecordEncoder {
  const reader = new SpanReader(batch);
  return {
    isSingle: false,
    encode: (rows) => encode(Array.from(rows, (row) => toZipkinSpan(reader.read(row)))),
  };
}

/** Spans that are encoded in one turn of the event loop: some ms in the slowest encoding. */
const TURN_SPANS = 256;

/** Gives other work its turn, once enough spans were encoded. */
export class EncodingPace {
  #spans = 0;

  /** To be awaited after so many spans. */
  async after(spans: number): Promise<void> {
    this.#spans += spans;
    if (this.#spans < TURN_SPANS) return;
    this.#spans = 0;
    await nextTurn();
  }
}
