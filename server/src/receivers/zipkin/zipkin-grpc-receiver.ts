// SPDX-License-Identifier: Apache-2.0
import type { GrpcListenerSettings } from '#net/grpc-listener.ts';
import type { GuestPort } from '#net/guest-port.ts';
import { GrpcReceiver, type GrpcDialect } from '#receivers/grpc-receiver.ts';
import type { HttpReceiverSettings } from '#receivers/http-receiver.ts';
import type { PlacedReceiverParts } from '#receivers/intake.ts';
import { GRPC_DEFAULTS } from '#receivers/receiver-defaults.ts';

const DIALECT: GrpcDialect = {
  name: 'zipkin grpc',
  service: 'zipkin.proto3.SpanService',
  method: 'Report',
  format: 'zipkin_proto',
  // ReportResponse has no fields: spans that were left out cannot be told.
  encodeAnswer: () => Buffer.alloc(0),
};

/**
 * Receives Zipkin's spans over gRPC, SpanService/Report, on the port of its HTTP.
 * @param settings those of the host
 * @see https://github.com/openzipkin/zipkin-api/blob/1.0.0/zipkin.proto
 */
export function createZipkinGrpcReceiver(
  settings: HttpReceiverSettings,
  parts: PlacedReceiverParts,
  port: GuestPort,
): GrpcReceiver {
  const { headersTimeoutMs: handshakeTimeoutMs } = settings;
  const { host, bodyCapBytes, maxConnections, bodyIdleTimeoutMs, requestTimeoutMs } = settings;
  const own: GrpcListenerSettings = {
    ...GRPC_DEFAULTS,
    host,
    port: settings.port,
    tls: settings.tls,
    bodyCapBytes,
    maxConnections,
    bodyIdleTimeoutMs,
    requestTimeoutMs,
    handshakeTimeoutMs,
  };
  return new GrpcReceiver(own, parts, DIALECT, [], port);
}
