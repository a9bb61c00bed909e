// SPDX-License-Identifier: Apache-2.0
import type { GrpcListenerSettings } from '#net/grpc-listener.ts';
import { GrpcReceiver, type GrpcDialect } from '#receivers/grpc-receiver.ts';
import type { PlacedReceiverParts } from '#receivers/intake.ts';
import { encodeExportResponse } from './export-response.ts';

const OTLP_DIALECT: GrpcDialect = {
  name: 'otlp grpc',
  service: 'opentelemetry.proto.collector.trace.v1.TraceService',
  method: 'Export',
  format: 'otlp_proto',
  encodeAnswer: encodeExportResponse,
};

/**
 * Receives OTLP/gRPC: TraceService/Export.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/docs/specification.md#otlpgrpc
 */
export function createOtlpGrpcReceiver(
  settings: GrpcListenerSettings,
  parts: PlacedReceiverParts,
): GrpcReceiver {
  return new GrpcReceiver(settings, parts, OTLP_DIALECT);
}
