// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { RequestRecord } from '#storage/tracestore.ts';

/**
 * A sink with little room takes so many writes in any case, each as a whole: the parts of one body that are written at the
 * same time would otherwise refuse each other, and each time it is sent again.
 */
export const WRITES_OF_ONE_BODY = 4;

/**
 * Where span batches go next: a processor, an exporter, a store (the collector's consumer of traces).
 *
 * `write` resolves when the batch is as safe as the sink promises: written durably, or acknowledged by who keeps it from
 * then on. Only then does the sender of its spans get an answer. It takes over the batch: the caller must not use it
 * again, but no sink ever changes one, so that several may be given the same. Writes may overlap.
 */
export interface TraceSink {
  /**
   * @param requests whose spans are in the batch; for sinks that can tell a request that comes again
   * @throws {SpoorError} overloaded or unavailable: nothing of the batch is kept, the sender should try again; when
   * parts of it are kept none the less, what is sent again is found once.
   */
  write(tenant: Tenant, batch: SpanBatch, requests?: readonly RequestRecord[]): Promise<void>;
}

/** A sink with a life of its own. */
export interface TraceExporter extends TraceSink {
  /** Resolves once writes are taken. @throws {SpoorError} config or unavailable */
  start(): Promise<void>;
  /** Sends what it holds until the deadline, in ms from now, and closes. Never loses what it has promised to keep. */
  shutdown(deadlineMs: number): Promise<void>;
}
