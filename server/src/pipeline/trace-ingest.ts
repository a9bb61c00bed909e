// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { JaegerClientReport } from '@spoor/core/wire/jaeger/client-report.ts';

/** What became of a request that was taken. */
export interface IngestResult {
  /** Spans that are now durable and can be found. */
  readonly accepted: number;
  /** Invalid spans among them that were dropped. */
  readonly rejected: number;
  /** Why spans were dropped: the first reason with its position; empty when none was. */
  readonly message: string;
  /** What senders said of themselves, in formats where they do. */
  readonly clientReports?: readonly JaegerClientReport[];
}

/** Wire formats that a request body can have. */
export const INGEST_FORMATS = [
  'otlp_proto',
  'otlp_json',
  /** `jaeger.api_v2.PostSpansRequest`. */
  'jaeger_proto',
  /** One `jaeger.api_v2.Span`, in protobuf and in its JSON. */
  'jaeger_span_proto',
  'jaeger_span_json',
  /** A Thrift `Batch` in the binary protocol. */
  'jaeger_thrift',
  /** Thrift messages to a Jaeger agent in either protocol: datagrams that were joined by `joinDatagrams`. */
  'jaeger_agent_binary',
  'jaeger_agent_compact',
  /** Lists of spans of Zipkin's version 2, of its version 1 the next two. */
  'zipkin_json',
  'zipkin_proto',
  'zipkin_v1_json',
  'zipkin_v1_thrift',
] as const;
export type IngestFormat = (typeof INGEST_FORMATS)[number];

/** Who waits for an answer. */
export interface Sender {
  /** Whether it went away before it had one. */
  readonly isGone: boolean;
  /** Has `then` called when it goes away before it has one; for one who asks. */
  whenGone(then: () => void): void;
}

/** How a body is taken. */
export interface IngestOptions {
  readonly sender?: Sender;
  /** The sender gets no answer and sends nothing twice, so the body is not remembered. */
  readonly once?: boolean;
}

/**
 * Where receivers hand over whole request bodies, already decompressed.
 *
 * `ingest` resolves once every accepted span is on disk and can be found. Afterwards, and
 * when it rejects, the body is no longer referenced. An empty request resolves with zeros.
 * An identical body that arrives again gets the first one's answer and is stored once, unless it came `once`.
 */
export interface TraceIngest {
  /**
   * @throws {SpoorError} malformed: nothing of the request was kept;
   * overloaded, unavailable: nothing was kept, the sender should try again;
   * cancelled: the sender went away before the request was decoded.
   */
  ingest(
    tenant: Tenant,
    format: IngestFormat,
    body: Uint8Array,
    options?: IngestOptions,
  ): Promise<IngestResult>;
}
