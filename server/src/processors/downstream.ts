// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import type { RequestRecord } from '#storage/tracestore.ts';

/** Told of spans that a processor leaves out: what came, and what goes on of it. */
export type DropListener = (batch: SpanBatch, kept: SpanBatch | undefined) => void;

/** What a processor works with beside its configuration. */
export interface ProcessorParts {
  /** Its name in the configuration, such as `filter/health`. */
  readonly name: string;
  readonly next: TraceSink;
  readonly onDropped?: DropListener | undefined;
}

/** Why a processor leaves spans out. */
export type DropReason = 'filtered' | 'not_sampled' | 'over_limit';

/** Where a processor hands its batches on, with the count of what goes through. */
export class Downstream implements Counting {
  readonly #next: TraceSink;
  readonly #onDropped: DropListener | undefined;
  readonly #reason: DropReason | undefined;
  /** Spans of writes that were taken: those that came, and those that went on. */
  #incoming = 0;
  #outgoing = 0;
  #refused = 0;

  /** @param reason undefined where nothing is left out */
  constructor({ next, onDropped }: ProcessorParts, reason?: DropReason) {
    this.#next = next;
    this.#onDropped = onDropped;
    this.#reason = reason;
  }

  *figures(): ReturnType<Counting['figures']> {
    const kind = 'counter';
    yield {
      name: 'otelcol_processor_incoming_items',
      kind,
      help: 'Spans that came to the processor and were taken.',
      value: this.#incoming,
    };
    yield {
      name: 'otelcol_processor_outgoing_items',
      kind,
      help: 'Spans that went on from the processor.',
      value: this.#outgoing,
    };
    yield {
      name: 'spoor_processor_refused_spans_total',
      kind,
      help: 'Spans that the processor, or what comes after it, refused for now; they may come again.',
      value: this.#refused,
    };
    if (this.#reason === undefined) return;
    yield {
      name: 'spoor_processor_dropped_spans_total',
      kind,
      help: 'Spans that were taken and left out, by reason.',
      value: this.#incoming - this.#outgoing,
      labels: { reason: this.#reason },
    };
  }

  /** Counts spans that were refused before they came to {@link write}. */
  countRefused(spans: number): void {
    this.#refused += spans;
  }

  /**
   * Hands on what is kept of a batch.
   * @param kept undefined: nothing
   * @throws {SpoorError} what the next sink throws
   */
  async write(
    tenant: Tenant,
    batch: SpanBatch,
    kept: SpanBatch | undefined,
    requests: readonly RequestRecord[] | undefined,
  ): Promise<void> {
    const rows = kept?.rows ?? 0;
    try {
      if (kept !== undefined) await this.#next.write(tenant, kept, requests);
    } catch (error) {
      this.#refused += batch.rows;
      throw error;
    }
    this.#incoming += batch.rows;
    this.#outgoing += rows;
    if (rows < batch.rows) this.#onDropped?.(batch, kept);
  }
}
