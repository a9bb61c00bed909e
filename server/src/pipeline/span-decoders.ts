// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { createJoinedAgentDecoder } from '@spoor/core/wire/jaeger/agent-decoder.ts';
import type { JaegerClientReport } from '@spoor/core/wire/jaeger/client-report.ts';
import {
  createJaegerProtoDecoder,
  createJaegerSpanJsonDecoder,
  createJaegerSpanProtoDecoder,
} from '@spoor/core/wire/jaeger/proto-decoder.ts';
import { createJaegerThriftDecoder } from '@spoor/core/wire/jaeger/thrift-decoder.ts';
import { OtlpProtoDecoder } from '@spoor/core/wire/otlp/decode.ts';
import { OtlpJsonDecoder } from '@spoor/core/wire/otlp/decode-json.ts';
import { ThriftBinaryReader } from '@spoor/core/wire/thrift/binary-reader.ts';
import { ThriftCompactReader } from '@spoor/core/wire/thrift/compact-reader.ts';
import { createZipkinJsonV1Decoder } from '@spoor/core/wire/zipkin/json-v1-decoder.ts';
import { createZipkinJsonV2Decoder } from '@spoor/core/wire/zipkin/json-v2-decoder.ts';
import { createZipkinProtoDecoder } from '@spoor/core/wire/zipkin/proto-decoder.ts';
import { createZipkinThriftDecoder } from '@spoor/core/wire/zipkin/thrift-decoder.ts';
import type { IngestFormat } from './trace-ingest.ts';

/** Decodes the bodies of one wire format, one after the other. */
export interface SpanDecoder {
  /** Spans taken and left out since `begin`. */
  readonly accepted: number;
  readonly rejected: number;
  /** Why the first span was left out; empty when none was. */
  readonly rejectedMessage: string;
  /** What senders said of themselves in the body that is done. */
  readonly report?: readonly JaegerClientReport[] | undefined;
  /** Starts on a body, whose bytes must not change until it is done. */
  begin(body: Uint8Array): void;
  /**
   * Decodes about `maxSpans` spans more into the builder, which may be another one for each call.
   * @returns true when the body is done
   * @throws {SpoorError} malformed
   */
  decode(builder: BatchBuilder, maxSpans: number): boolean;
}

const MAKERS: Readonly<Record<IngestFormat, () => SpanDecoder>> = {
  otlp_proto: () => new OtlpProtoDecoder(),
  otlp_json: () => new OtlpJsonDecoder(),
  jaeger_proto: createJaegerProtoDecoder,
  jaeger_span_proto: createJaegerSpanProtoDecoder,
  jaeger_span_json: createJaegerSpanJsonDecoder,
  jaeger_thrift: createJaegerThriftDecoder,
  jaeger_agent_binary: () => createJoinedAgentDecoder(new ThriftBinaryReader()),
  jaeger_agent_compact: () => createJoinedAgentDecoder(new ThriftCompactReader()),
  zipkin_json: createZipkinJsonV2Decoder,
  zipkin_proto: createZipkinProtoDecoder,
  zipkin_v1_json: createZipkinJsonV1Decoder,
  zipkin_v1_thrift: createZipkinThriftDecoder,
};

/** A new decoder of a format. */
export function createDecoder(format: IngestFormat): SpanDecoder {
  return MAKERS[format]();
}
