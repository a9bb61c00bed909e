// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import type { jaegerReceiverSchema } from '#config/jaeger-receiver-config.ts';
import type { otlpReceiverSchema } from '#config/otlp-receiver-config.ts';
import { readEndpoint } from '#config/endpoint.ts';
import type { GrpcListenerSettings } from '#net/grpc-listener.ts';
import type { HttpReceiverSettings } from '#receivers/http-receiver.ts';
import type { UdpReceiverSettings } from '#receivers/jaeger/udp-receiver.ts';
import type { OtlpHttpSettings } from '#receivers/otlp/otlp-http-receiver.ts';
import { serverTlsSettings } from './tls-settings.ts';

type OtlpConfig = z.output<typeof otlpReceiverSchema>['protocols'];
type JaegerConfig = z.output<typeof jaegerReceiverSchema>['protocols'];

const KIB = 1024;
const MIB = 1024 * KIB;

/** Settings of a receiver over gRPC. */
export function grpcSettings(config: NonNullable<OtlpConfig['grpc']>): GrpcListenerSettings {
  return {
    ...readEndpoint(config.endpoint),
    tls: config.tls && serverTlsSettings(config.tls),
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

/** Settings of a receiver over HTTP. */
export function httpSettings(
  config: NonNullable<JaegerConfig['thrift_http']>,
): HttpReceiverSettings {
  return {
    ...readEndpoint(config.endpoint),
    tls: config.tls && serverTlsSettings(config.tls),
    bodyCapBytes: config.max_body_mib * MIB,
    cors: {
      allowedOrigins: config.cors.allowed_origins,
      allowedHeaders: config.cors.allowed_headers,
      maxAgeSeconds: config.cors.max_age_s,
    },
    maxConnections: config.max_connections,
    maxHeaderBytes: config.max_header_kib * KIB,
    headersTimeoutMs: config.headers_timeout_ms,
    bodyIdleTimeoutMs: config.body_idle_timeout_ms,
    requestTimeoutMs: config.request_timeout_ms,
    keepAliveTimeoutMs: config.keep_alive_timeout_ms,
  };
}

/** Settings of `receivers.otlp.protocols.http`. */
export function otlpHttpSettings(config: NonNullable<OtlpConfig['http']>): OtlpHttpSettings {
  return { ...httpSettings(config), tracesPath: config.traces_url_path };
}

/** Settings of a receiver of datagrams. */
export function udpSettings(
  config: NonNullable<JaegerConfig['thrift_compact']>,
): UdpReceiverSettings {
  return {
    ...readEndpoint(config.endpoint),
    maxPacketBytes: config.max_packet_bytes,
    queuePackets: config.queue_packets,
    socketBufferBytes: config.socket_buffer_kib * KIB,
  };
}
