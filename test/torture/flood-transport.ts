// SPDX-License-Identifier: Apache-2.0
import type { SendOutcome } from '../../server/src/cli/tracegen/otlp-answer.ts';

/** A request as it goes over the wire: made once, sent as often as it is refused. */
export interface WireRequest {
  readonly isCompressed: boolean;
  readonly bytes: Buffer;
}

/** How a body goes over the wire. */
export interface WireForm {
  readonly gzip: boolean;
  /** Without a length, in chunks; HTTP only. */
  readonly chunked: boolean;
}

/**
 * Sends requests for as little CPU as it can, so that one core offers far more than another can take: requests are bytes
 * that were made before, and of an answer only what counts is read.
 */
export interface FloodTransport {
  /** Opens all connections, as the exporters of programs that have run for a while. */
  connect(): Promise<void>;
  prepare(body: Buffer, form: WireForm): WireRequest;
  /** Sends it once; never rejects. An answer that did not come is a `retry` without a delay. */
  send(request: WireRequest): Promise<SendOutcome>;
}

/** The outcome when a connection failed. */
export function lost(error: Error): SendOutcome {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return { kind: 'retry', reason: code, retryAfterMs: undefined };
}
