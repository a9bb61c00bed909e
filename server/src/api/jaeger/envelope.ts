// SPDX-License-Identifier: Apache-2.0

/** An error in Jaeger's v1 answers. */
export interface JaegerError {
  /** HTTP status; left out for a trace of several that was not found. */
  readonly code?: number;
  readonly msg: string;
  readonly traceID?: string;
}

/** What surrounds every v1 answer. */
export interface Envelope {
  readonly data: unknown;
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
  readonly errors: readonly JaegerError[] | null;
}

/** An answer with data. @param total number of entries, where the route says it */
export function envelope(data: unknown, total = 0): Envelope {
  return { data, ...listEnd(total) };
}

/** What stands after the `data` of a list with so many entries. */
export function listEnd(total: number): Omit<Envelope, 'data'> {
  return { total, limit: 0, offset: 0, errors: null };
}

/** An answer that is an error. */
export function errorEnvelope(status: number, message: string): Envelope {
  return { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: status, msg: message }] };
}

/** The body of an api_v3 error. */
export function v3Error(status: number, message: string): unknown {
  return { error: { httpCode: status, message } };
}
