// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { RequestRecord } from '#storage/tracestore.ts';
import { isRetryable } from './settle-all.ts';
import type { TraceSink } from './trace-sink.ts';

/** Pause before a batch is written again, in ms, unless who refused it asks for a longer one. */
const LEAST_PAUSE_MS = 1000;

/** Waits; rejects when the signal fires. */
type Wait = (ms: number, signal: AbortSignal) => Promise<unknown>;

/**
 * Writes a batch again and again until it is taken, or never will be: for spans of senders that cannot send them again. How much
 * waits so is bounded by the receivers, where a datagram keeps its place meanwhile.
 */
export class PatientSink implements TraceSink {
  readonly #next: TraceSink;
  readonly #wait: Wait;
  readonly #abort = new AbortController();

  constructor(
    next: TraceSink,
    pause: Wait = (ms, signal) => wait(ms, undefined, { signal, ref: false }),
  ) {
    this.#next = next;
    this.#wait = pause;
  }

  async write(
    tenant: Tenant,
    batch: SpanBatch,
    requests?: readonly RequestRecord[],
  ): Promise<void> {
    const { signal } = this.#abort;
    for (;;) {
      try {
        await this.#next.write(tenant, batch, requests);
        return;
      } catch (error) {
        if (!isRetryable(error) || signal.aborted) throw error;
        const pauseMs = Math.max(LEAST_PAUSE_MS, error.retryAfterMs ?? 0);
        await this.#wait(pauseMs, signal).catch(() => {
          throw error;
        });
      }
    }
  }

  /** Gives up what waits: its next refusal is the last. */
  close(): void {
    this.#abort.abort();
  }
}
