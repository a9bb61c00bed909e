// SPDX-License-Identifier: Apache-2.0

/**
 * Every error code of Spoor, with what a sender should make of it.
 *
 * `http` and `grpc` are the statuses the receivers and APIs answer with.
 * @see https://opentelemetry.io/docs/specs/otlp/#failures
 */
export const ERROR_CODES = {
  /** The request cannot be decoded, or breaks the protocol. Never resend it. */
  malformed: { retryable: false, http: 400, grpc: 3 },
  /** A parameter of a query is missing, of the wrong form or out of range. */
  invalid_argument: { retryable: false, http: 400, grpc: 3 },
  /** The request does not say whose data it is about, or names someone who is not let in. */
  unauthenticated: { retryable: false, http: 401, grpc: 16 },
  /** What was asked for by name or id does not exist. */
  not_found: { retryable: false, http: 404, grpc: 5 },
  /** A body, message or answer is over its size limit. */
  too_large: { retryable: false, http: 413, grpc: 8 },
  /** The content type or encoding is not one that Spoor reads. */
  unsupported: { retryable: false, http: 415, grpc: 12 },
  /** A memory budget or queue is full for the moment: send it again later. */
  overloaded: { retryable: true, http: 503, grpc: 14 },
  /** The server is starting, stopping, or cannot write for now: send it again later. */
  unavailable: { retryable: true, http: 503, grpc: 14 },
  /** The caller went away or ran out of its time. */
  cancelled: { retryable: true, http: 499, grpc: 1 },
  /** The server gave up on the answer: it took too long. */
  deadline_exceeded: { retryable: true, http: 504, grpc: 4 },
  /** Stored data is damaged or of a newer format. Not DATA_LOSS, which OTLP clients send again for ever. */
  corrupt: { retryable: false, http: 500, grpc: 13 },
  /** The configuration is wrong; the message begins with the path of the key. */
  config: { retryable: false, http: 500, grpc: 9 },
  /** A fault in Spoor itself. */
  internal: { retryable: false, http: 500, grpc: 13 },
} as const;

/** One of the keys of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * The one error class: a code that decides the answer, and a message that says
 * what failed, where, and the numbers seen.
 */
export class SpoorError extends Error {
  readonly code: ErrorCode;
  /** How long the sender should wait before it tries again, in ms; only for retryable codes. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SpoorError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

/** Quotes a value that came from outside for an error message: cut at 100 characters, control characters escaped. */
export function quote(value: string): string {
  const cut = value.length > 100 ? `${value.slice(0, 100)}…` : value;
  return JSON.stringify(cut);
}

/** What an error says; of anything else that was thrown, its text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
