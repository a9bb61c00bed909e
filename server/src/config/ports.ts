// SPDX-License-Identifier: Apache-2.0

/**
 * Every port that Spoor listens on unless told otherwise; all are changed in the
 * configuration, where 0 asks the system for any free one.
 */
export const PORTS = {
  /** OTLP over gRPC. */
  otlpGrpc: 4317,
  /** OTLP over HTTP. */
  otlpHttp: 4318,
  /** Jaeger's protobuf over gRPC. */
  jaegerGrpc: 14250,
  /** Jaeger's Thrift over HTTP. */
  jaegerThriftHttp: 14268,
  /** Jaeger's Thrift over UDP: compact, binary, and compact from the oldest clients. */
  jaegerThriftCompact: 6831,
  jaegerThriftBinary: 6832,
  jaegerZipkinCompact: 5775,
  /** Sampling strategies, over HTTP and over gRPC. */
  samplingHttp: 5778,
  samplingGrpc: 5779,
  /** Zipkin over HTTP. */
  zipkin: 9411,
  /** Web page and query API. */
  query: 16686,
  /** Health, status and metrics. */
  health: 13133,
} as const;

/** Where listeners are bound: to this machine only. A container sets `0.0.0.0` per endpoint. */
export const LISTEN_HOST = '127.0.0.1';
