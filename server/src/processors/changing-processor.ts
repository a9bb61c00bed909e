// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import type { RequestRecord } from '#storage/tracestore.ts';
import { Downstream, type DropReason, type ProcessorParts } from './downstream.ts';

/** What is left of a batch: itself, a new one, or undefined where nothing is. */
export type BatchChange = (batch: SpanBatch) => SpanBatch | undefined;

/** Hands on what a change leaves of each batch, whosever it is. */
export class ChangingProcessor implements TraceSink, Counting {
  readonly #change: BatchChange;
  readonly #downstream: Downstream;

  /** @param reason undefined where nothing is left out */
  constructor(parts: ProcessorParts, change: BatchChange, reason?: DropReason) {
    this.#change = change;
    this.#downstream = new Downstream(parts, reason);
  }

  figures(): ReturnType<Counting['figures']> {
    return this.#downstream.figures();
  }

  async write(
    tenant: Tenant,
    batch: SpanBatch,
    requests?: readonly RequestRecord[],
  ): Promise<void> {
    await this.#downstream.write(tenant, batch, this.#change(batch), requests);
  }
}
