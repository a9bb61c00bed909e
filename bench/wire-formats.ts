// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '../core/src/model/span-batch.ts';
import { SpanReader } from '../core/src/model/span-reader.ts';
import type { Span } from '../core/src/model/span.ts';
import { toJaegerSpan } from '../core/src/wire/jaeger/jaeger-span.ts';
import { encodeJaegerPostSpans } from '../core/src/wire/jaeger/proto-encoder.ts';
import { encodeJaegerThrift } from '../core/src/wire/jaeger/thrift-encoder.ts';
import { OtlpProtoEncoder } from '../core/src/wire/otlp/encode.ts';
import { encodeZipkinJson } from '../core/src/wire/zipkin/json-encoder.ts';
import { encodeZipkinProto } from '../core/src/wire/zipkin/proto-encoder.ts';
import { toZipkinSpan } from '../core/src/wire/zipkin/zipkin-span.ts';
import type { LoadTarget } from './load.ts';

/** A wire format, and where a server takes it. */
export interface WireFormat {
  readonly name: string;
  /** Encodes rows of a batch, all of one process. */
  readonly encode: (batch: SpanBatch, rows: Uint32Array) => Uint8Array;
  /** Listener of the server, as its status names it. */
  readonly listener: string;
  /** Path over HTTP. */
  readonly path: string;
  readonly target: Pick<LoadTarget, 'protocol' | 'contentType' | 'method'>;
}

/** OTLP's protobuf, which the others are compared with, then those. */
export const WIRE_FORMATS: readonly WireFormat[] = [
  {
    name: 'OTLP protobuf, HTTP',
    encode: (batch, rows) => new OtlpProtoEncoder(batch).encodeRows(rows),
    listener: 'otlp_http',
    path: '/v1/traces',
    target: { protocol: 'http' },
  },
  {
    name: 'Jaeger Thrift, HTTP',
    encode: encoderOf((spans) => encodeJaegerThrift(spans.map(toJaegerSpan))),
    listener: 'jaeger_http',
    path: '/api/traces',
    target: { protocol: 'http', contentType: 'application/x-thrift' },
  },
  {
    name: 'Jaeger protobuf, gRPC',
    encode: encoderOf((spans) => encodeJaegerPostSpans(spans.map(toJaegerSpan))),
    listener: 'jaeger_grpc',
    path: '',
    target: { protocol: 'grpc', method: '/jaeger.api_v2.CollectorService/PostSpans' },
  },
  {
    name: 'Zipkin v2 JSON, HTTP',
    encode: encoderOf((spans) => encodeZipkinJson(spans.map(toZipkinSpan))),
    listener: 'zipkin_http',
    path: '/api/v2/spans',
    target: { protocol: 'http', contentType: 'application/json' },
  },
  {
    name: 'Zipkin protobuf, HTTP',
    encode: encoderOf((spans) => encodeZipkinProto(spans.map(toZipkinSpan))),
    listener: 'zipkin_http',
    path: '/api/v2/spans',
    target: { protocol: 'http' },
  },
];

function encoderOf(encode: (spans: readonly Span[]) => Uint8Array): WireFormat['encode'] {
  return (batch, rows) => {
    const reader = new SpanReader(batch);
    return encode(Array.from(rows, (row) => reader.read(row)));
  };
}
