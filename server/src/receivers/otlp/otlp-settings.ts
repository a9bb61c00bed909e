// SPDX-License-Identifier: Apache-2.0
import { CORS_OFF, type CorsSettings } from '#net/cors.ts';
import type { GrpcListenerSettings } from '#net/grpc-listener.ts';
import type { HttpListenerSettings } from '#net/http-listener.ts';

/** What both OTLP receivers have. */
interface OtlpSettings {
  /** Largest request, both before and after decompression, in bytes; at most {@link MAX_BODY_CAP_BYTES}. */
  readonly bodyCapBytes: number;
}

/** Settings of the OTLP/HTTP receiver. */
export interface OtlpHttpSettings extends OtlpSettings, HttpListenerSettings {
  /** Path of trace requests. */
  readonly tracesPath: string;
  /** Which web pages of other origins may send spans. */
  readonly cors: CorsSettings;
}

/** Settings of the OTLP/gRPC receiver. */
export interface OtlpGrpcSettings extends OtlpSettings, GrpcListenerSettings {}

/** The largest `bodyCapBytes`: what OTLP recommends, and the whole usual budget for bodies in flight. */
export const MAX_BODY_CAP_BYTES = 64 * 1024 * 1024;

const MINUTE_MS = 60_000;

/** {@link OtlpHttpSettings} unless told otherwise. */
export const OTLP_HTTP_DEFAULTS: Omit<OtlpHttpSettings, 'host' | 'port'> = {
  bodyCapBytes: 16 * 1024 * 1024,
  tracesPath: '/v1/traces',
  cors: CORS_OFF,
  // Idle ones cost some 15 kB each.
  maxConnections: 16_384,
  maxHeaderBytes: 64 * 1024,
  headersTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 15_000,
  requestTimeoutMs: MINUTE_MS,
  // Longer than the 90 s of Go's clients, so that it is the client who closes an idle connection
  // and no request meets a closing one.
  keepAliveTimeoutMs: 2 * MINUTE_MS,
};

/** {@link OtlpGrpcSettings} unless told otherwise. */
export const OTLP_GRPC_DEFAULTS: Omit<OtlpGrpcSettings, 'host' | 'port'> = {
  bodyCapBytes: 16 * 1024 * 1024,
  maxConnections: 16_384,
  // Each may hold a flow control window of 64 KiB that nobody has asked for.
  maxConcurrentStreams: 100,
  handshakeTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 15_000,
  requestTimeoutMs: MINUTE_MS,
  keepaliveTimeMs: MINUTE_MS,
  keepaliveTimeoutMs: 20_000,
  maxConnectionIdleMs: 30 * MINUTE_MS,
  maxConnectionAgeMs: undefined,
  maxConnectionAgeGraceMs: MINUTE_MS,
};
