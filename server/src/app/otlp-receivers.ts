// SPDX-License-Identifier: Apache-2.0
import type { SpoorConfig } from '#config/config.ts';
import { readEndpoint } from '#config/endpoint.ts';
import type { OtlpReceiverParts } from '#receivers/otlp/export-intake.ts';
import { OtlpGrpcReceiver } from '#receivers/otlp/otlp-grpc-receiver.ts';
import { OtlpHttpReceiver } from '#receivers/otlp/otlp-http-receiver.ts';
import type { OtlpGrpcSettings, OtlpHttpSettings } from '#receivers/otlp/otlp-settings.ts';
import type { ReceiverFigures } from '#receivers/otlp/receiver-counters.ts';
import type { ReceiverMetrics } from '#telemetry/metrics.ts';
import type { Listener } from './components.ts';

type Protocols = SpoorConfig['receivers']['otlp']['protocols'];

const MIB = 1024 * 1024;

/** A receiver on its port, with what it has counted. */
export interface ReceiverPart extends Listener {
  readonly metrics: () => ReceiverMetrics;
}

/** The OTLP receivers that are switched on. */
export function createOtlpReceivers(
  protocols: Protocols,
  parts: OtlpReceiverParts,
): ReceiverPart[] {
  const receivers: ReceiverPart[] = [];
  if (protocols.grpc.enabled) {
    const receiver = new OtlpGrpcReceiver(grpcSettings(protocols.grpc), parts);
    receivers.push(receiverPart('grpc', protocols.grpc.endpoint, receiver));
  }
  if (protocols.http.enabled) {
    const receiver = new OtlpHttpReceiver(httpSettings(protocols.http), parts);
    receivers.push(receiverPart('http', protocols.http.endpoint, receiver));
  }
  return receivers;
}

/** Settings of `receivers.otlp.protocols.grpc`. */
export function grpcSettings(config: Protocols['grpc']): OtlpGrpcSettings {
  return {
    ...readEndpoint(config.endpoint),
    bodyCapBytes: config.max_body_mib * MIB,
    maxConnections: config.max_connections,
    maxConcurrentStreams: config.max_concurrent_streams,
    handshakeTimeoutMs: config.handshake_timeout_ms,
    bodyIdleTimeoutMs: config.body_idle_timeout_ms,
    requestTimeoutMs: config.request_timeout_ms,
    keepaliveTimeMs: config.keepalive_time_ms,
    keepaliveTimeoutMs: config.keepalive_timeout_ms,
    maxConnectionIdleMs: config.max_connection_idle_ms,
    maxConnectionAgeMs:
      config.max_connection_age_ms === 0 ? undefined : config.max_connection_age_ms,
    maxConnectionAgeGraceMs: config.max_connection_age_grace_ms,
  };
}

/** Settings of `receivers.otlp.protocols.http`. */
export function httpSettings(config: Protocols['http']): OtlpHttpSettings {
  return {
    ...readEndpoint(config.endpoint),
    bodyCapBytes: config.max_body_mib * MIB,
    tracesPath: config.traces_url_path,
    cors: {
      allowedOrigins: config.cors.allowed_origins,
      allowedHeaders: config.cors.allowed_headers,
      maxAgeSeconds: config.cors.max_age_s,
    },
    maxConnections: config.max_connections,
    maxHeaderBytes: config.max_header_kib * 1024,
    headersTimeoutMs: config.headers_timeout_ms,
    bodyIdleTimeoutMs: config.body_idle_timeout_ms,
    requestTimeoutMs: config.request_timeout_ms,
    keepAliveTimeoutMs: config.keep_alive_timeout_ms,
  };
}

function receiverPart(
  transport: 'grpc' | 'http',
  endpoint: string,
  receiver: OtlpGrpcReceiver | OtlpHttpReceiver,
): ReceiverPart {
  return {
    name: `otlp_${transport}`,
    path: `receivers.otlp.protocols.${transport}`,
    http: transport === 'http',
    endpoint: readEndpoint(endpoint),
    get address() {
      return receiver.address;
    },
    start: () => receiver.start(),
    shutdown: (deadlineMs) => receiver.shutdown(deadlineMs),
    metrics: () => ({
      receiver: 'otlp',
      transport,
      ...sumFormats(receiver.figures),
      connections: receiver.connections,
    }),
  };
}

function sumFormats(
  figures: ReceiverFigures,
): Omit<ReceiverMetrics, 'receiver' | 'transport' | 'connections'> {
  const formats = Object.values(figures);
  const sum = (read: (format: (typeof formats)[number]) => number): number =>
    formats.reduce((total, format) => total + read(format), 0);
  const refused = new Map<string, number>();
  for (const { refusedRequests } of formats) {
    for (const [reason, count] of Object.entries(refusedRequests)) {
      refused.set(reason, (refused.get(reason) ?? 0) + count);
    }
  }
  return {
    acceptedSpans: sum((format) => format.acceptedSpans),
    refusedSpans: sum((format) => format.rejectedSpans),
    requests: sum((format) => format.requests),
    refusedRequests: refused,
    wireBytes: sum((format) => format.wireBytes),
    bodyBytes: sum((format) => format.bodyBytes),
  };
}
