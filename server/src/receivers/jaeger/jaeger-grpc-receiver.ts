// SPDX-License-Identifier: Apache-2.0
import type { GrpcListenerSettings } from '#net/grpc-listener.ts';
import { GrpcReceiver, type GrpcDialect } from '#receivers/grpc-receiver.ts';
import type { PlacedReceiverParts } from '#receivers/intake.ts';
import { samplingMethod } from '#sampling/sampling-method.ts';
import type { StrategiesSource } from '#sampling/strategies-source.ts';

const DIALECT: GrpcDialect = {
  name: 'jaeger grpc',
  service: 'jaeger.api_v2.CollectorService',
  method: 'PostSpans',
  format: 'jaeger_proto',
  // PostSpansResponse has no fields: spans that were left out cannot be told.
  encodeAnswer: () => Buffer.alloc(0),
};

/**
 * Receives Jaeger's protobuf over gRPC: CollectorService/PostSpans, as agents send it; and tells their SDKs how to
 * sample, by SamplingManager/GetSamplingStrategy.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/proto/api_v2/collector.proto
 */
export function createJaegerGrpcReceiver(
  settings: GrpcListenerSettings,
  parts: PlacedReceiverParts,
  strategies: StrategiesSource,
): GrpcReceiver {
  return new GrpcReceiver(settings, parts, DIALECT, [samplingMethod(strategies)]);
}
