// SPDX-License-Identifier: Apache-2.0
import { CORS_OFF } from '#net/cors.ts';
import type { GrpcListenerSettings } from '#net/grpc-listener.ts';
import type { HttpReceiverSettings } from './http-receiver.ts';

/** The largest `bodyCapBytes`: what OTLP recommends for its own, and the whole usual budget for bodies in flight. */
export const MAX_BODY_CAP_BYTES = 64 * 1024 * 1024;

const MINUTE_MS = 60_000;

/** {@link HttpReceiverSettings} unless told otherwise. */
export const HTTP_DEFAULTS: Omit<HttpReceiverSettings, 'host' | 'port'> = {
  bodyCapBytes: 16 * 1024 * 1024,
  cors: CORS_OFF,
  tls: undefined,
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

/** {@link GrpcListenerSettings} of a receiver unless told otherwise. */
export const GRPC_DEFAULTS: Omit<GrpcListenerSettings, 'host' | 'port'> = {
  bodyCapBytes: 16 * 1024 * 1024,
  tls: undefined,
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
