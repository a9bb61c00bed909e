// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';

/** What became of a request that was taken. */
export interface IngestResult {
  /** Spans that are now durable and can be found. */
  readonly accepted: number;
  /** Invalid spans among them that were dropped. */
  readonly rejected: number;
  /** Why spans were dropped: the first reason with its position; empty when none was. */
  readonly message: string;
}

/** Wire formats that a request body can have. */
export type IngestFormat = 'otlp_proto' | 'otlp_json';

/**
 * Where receivers hand over whole request bodies, already decompressed.
 *
 * `ingest` resolves once every accepted span is on disk and can be found. Afterwards, and
 * when it rejects, the body is no longer referenced. An empty request resolves with zeros.
 * An identical body that arrives again gets the first one's answer and is stored once.
 */
export interface TraceIngest {
  /**
   * @throws {SpoorError} malformed: nothing of the request was kept;
   * overloaded, unavailable: nothing was kept, the sender should try again;
   * cancelled: the signal fired before the request was decoded.
   */
  ingest(
    tenant: Tenant,
    format: IngestFormat,
    body: Uint8Array,
    options?: { signal?: AbortSignal },
  ): Promise<IngestResult>;
}
