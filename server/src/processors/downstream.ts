// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import type { RequestRecord } from '#storage/tracestore.ts';

/** Spans that a processor has seen since its start. */
export interface ProcessorFigures {
  /** Those that came, of writes that were taken. */
  readonly incomingSpans: number;
  /** Those that went on. */
  readonly outgoingSpans: number;
  /** Those that were taken and left out. */
  readonly droppedSpans: number;
  /** Those of writes that were refused, here or further on; they may come again. */
  readonly refusedSpans: number;
}

/** Told of spans that a processor leaves out: what came, and what goes on of it. */
export type DropListener = (batch: SpanBatch, kept: SpanBatch | undefined) => void;

/** What a processor works with beside its configuration. */
export interface ProcessorParts {
  /** Its name in the configuration, such as `filter/health`. */
  readonly name: string;
  readonly next: TraceSink;
  readonly onDropped?: DropListener | undefined;
}

/** Where a processor hands its batches on, with the count of what goes through. */
export class Downstream {
  readonly #next: TraceSink;
  readonly #onDropped: DropListener | undefined;
  readonly #figures = { incomingSpans: 0, outgoingSpans: 0, droppedSpans: 0, refusedSpans: 0 };

  constructor({ next, onDropped }: ProcessorParts) {
    this.#next = next;
    this.#onDropped = onDropped;
  }

  /** The counters themselves: read them, don't keep them. */
  get figures(): ProcessorFigures {
    return this.#figures;
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
    const figures = this.#figures;
    const rows = kept?.rows ?? 0;
    try {
      if (kept !== undefined) await this.#next.write(tenant, kept, requests);
    } catch (error) {
      figures.refusedSpans += batch.rows;
      throw error;
    }
    figures.incomingSpans += batch.rows;
    figures.outgoingSpans += rows;
    if (rows === batch.rows) return;
    figures.droppedSpans += batch.rows - rows;
    this.#onDropped?.(batch, kept);
  }
}
