// SPDX-License-Identifier: Apache-2.0
import { ERROR_CODES, SpoorError, type ErrorCode } from '@spoor/core/model/errors.ts';
import type { RpcStatus } from './rpc-status.ts';

/** Why a request was refused, a fixed set for the metrics: an error code, or what only a server sees. */
export type RefusalReason =
  | ErrorCode
  | 'wrong_path'
  | 'wrong_method'
  | 'bad_http'
  | 'timeout'
  | 'aborted';

/** Every {@link RefusalReason}. */
export const REFUSAL_REASONS: readonly RefusalReason[] = [
  // Object.keys gives exactly the keys of this constant table.
  ...(Object.keys(ERROR_CODES) as ErrorCode[]),
  'wrong_path',
  'wrong_method',
  'bad_http',
  'timeout',
  'aborted',
];

/** The answer to a request that was not taken, for HTTP and for gRPC. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly httpStatus: number;
  readonly grpcCode: number;
  /** Well-formed text for the sender, of at most {@link MAX_MESSAGE_LENGTH} UTF-16 units. */
  readonly message: string;
  /** When to send the same request again, in ms; undefined: never. */
  readonly retryAfterMs: number | undefined;
}

/** The error of a body that finds no room for now: one for all, as under overload there are thousands a second. */
export const NO_ROOM_NOW = new SpoorError(
  'overloaded',
  'no room now: as many requests are in flight as can be worked off soon',
);

/** When a sender should try again if the error doesn't say, in ms. */
const DEFAULT_RETRY_AFTER_MS = 1000;

/** Messages travel in gRPC trailers, and clients take as little as 8 KiB of those. */
export const MAX_MESSAGE_LENGTH = 500;

/**
 * The answer to an error. A text that is not one of ours stays out of it: it may hold what is
 * no business of the sender.
 */
export function refusalOf(error: unknown): Refusal {
  return error === NO_ROOM_NOW ? NO_ROOM_REFUSAL : makeRefusalOf(error);
}

function makeRefusalOf(error: unknown): Refusal {
  if (!(error instanceof SpoorError)) {
    return makeRefusal(
      'internal',
      ERROR_CODES.internal,
      'internal error, see the log of the server',
    );
  }
  const { retryable, http, grpc } = ERROR_CODES[error.code];
  return makeRefusal(
    error.code,
    { http, grpc },
    error.message,
    retryable ? (error.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS) : undefined,
  );
}

const NO_ROOM_REFUSAL = makeRefusalOf(NO_ROOM_NOW);

/** A refusal that the server itself decides on. */
export function makeRefusal(
  reason: RefusalReason,
  status: { readonly http: number; readonly grpc: number },
  message: string,
  retryAfterMs?: number,
): Refusal {
  return {
    reason,
    httpStatus: status.http,
    grpcCode: status.grpc,
    message: wellFormed(message),
    retryAfterMs,
  };
}

/** The body of the answer. */
export function rpcStatusOf(refusal: Refusal): RpcStatus {
  return {
    code: refusal.grpcCode,
    message: refusal.message,
    retryDelayMs: refusal.retryAfterMs,
    violation: refusal.reason === 'malformed' ? refusal.message : undefined,
  };
}

/** Cuts a text and replaces lone surrogates, on which encodeURI in gRPC libraries throws. */
export function wellFormed(text: string): string {
  const cut = text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH - 1)}…` : text;
  return cut.toWellFormed();
}
