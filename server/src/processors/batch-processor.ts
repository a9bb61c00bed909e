// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { BatchProcessorConfig } from '#config/batch-processor-config.ts';
import { readDuration } from '#config/duration.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import { mayBeOfOne } from '#pipeline/settle-all.ts';
import { writeParts } from '#pipeline/write-parts.ts';
import type { RequestRecord } from '#storage/tracestore.ts';
import { Downstream, type ProcessorParts } from './downstream.ts';
import { RowCopier } from './row-copier.ts';

/** Batches of one tenant that wait to go on together. */
interface Waiting {
  readonly writes: WaitingWrite[];
  rows: number;
  readonly timer: NodeJS.Timeout;
}

interface WaitingWrite {
  readonly batch: SpanBatch;
  readonly requests: readonly RequestRecord[];
  readonly written: PromiseWithResolvers<void>;
}

/** What one tenant has under way. */
interface TenantState {
  waiting: Waiting | undefined;
  writes: number;
}

/**
 * Joins batches that come while others are written, and splits those that are too large. Nobody is answered before all that
 * is joined is written, so nobody waits for a batch to fill either: `timeout` only bounds the wait for a write that is slow.
 */
export class BatchProcessor implements TraceSink, Counting {
  readonly #timeoutMs: number;
  readonly #size: number;
  readonly #maxSize: number;
  readonly #downstream: Downstream;
  readonly #copier = new RowCopier();
  readonly #tenants = new Map<Tenant, TenantState>();

  constructor(config: BatchProcessorConfig, parts: ProcessorParts) {
    this.#timeoutMs = readDuration(config.timeout);
    this.#size = config.send_batch_size;
    this.#maxSize = config.send_batch_max_size || Infinity;
    this.#downstream = new Downstream(parts);
  }

  figures(): ReturnType<Counting['figures']> {
    return this.#downstream.figures();
  }

  async write(
    tenant: Tenant,
    batch: SpanBatch,
    requests: readonly RequestRecord[] = [],
  ): Promise<void> {
    const state = this.#state(tenant);
    if (state.writes === 0 && state.waiting === undefined) {
      await this.#send(tenant, state, batch, requests);
      return;
    }
    const waiting = (state.waiting ??= this.#open(tenant, state));
    const written = Promise.withResolvers<void>();
    waiting.writes.push({ batch, requests, written });
    waiting.rows += batch.rows;
    if (waiting.rows >= this.#size) void this.#flush(tenant, state);
    await written.promise;
  }

  #open(tenant: Tenant, state: TenantState): Waiting {
    return {
      writes: [],
      rows: 0,
      timer: setTimeout(() => void this.#flush(tenant, state), this.#timeoutMs),
    };
  }

  /** Sends what waits. Never rejects: each write is told its own end. */
  async #flush(tenant: Tenant, state: TenantState): Promise<void> {
    const { waiting } = state;
    if (waiting === undefined) return;
    state.waiting = undefined;
    clearTimeout(waiting.timer);
    const { writes } = waiting;
    try {
      if (writes.length > 1) {
        const joined = this.#copier.join(writes.map(({ batch }) => batch));
        await this.#send(
          tenant,
          state,
          joined,
          writes.flatMap(({ requests }) => requests),
        );
        for (const { written } of writes) written.resolve();
        return;
      }
    } catch (error) {
      if (!mayBeOfOne(error)) {
        for (const { written } of writes) written.reject(error);
        return;
      }
    }
    for (const { batch, requests, written } of writes) {
      await this.#send(tenant, state, batch, requests).then(written.resolve, written.reject);
    }
  }

  async #send(
    tenant: Tenant,
    state: TenantState,
    batch: SpanBatch,
    requests: readonly RequestRecord[],
  ): Promise<void> {
    state.writes++;
    try {
      // The requests go with the last part: they are known only once everything before it is written.
      await writeParts(this.#split(batch), (part, completes) =>
        this.#downstream.write(tenant, part, part, completes ? requests : undefined),
      );
    } finally {
      state.writes--;
      if (state.writes === 0) {
        if (state.waiting === undefined) this.#tenants.delete(tenant);
        else void this.#flush(tenant, state);
      }
    }
  }

  #split(batch: SpanBatch): SpanBatch[] {
    if (batch.rows <= this.#maxSize) return [batch];
    const parts: SpanBatch[] = [];
    for (let start = 0; start < batch.rows; start += this.#maxSize) {
      const end = Math.min(start + this.#maxSize, batch.rows);
      parts.push(this.#copier.slice(batch, start, end));
    }
    return parts;
  }

  #state(tenant: Tenant): TenantState {
    let state = this.#tenants.get(tenant);
    if (state === undefined) {
      state = { waiting: undefined, writes: 0 };
      this.#tenants.set(tenant, state);
    }
    return state;
  }
}
