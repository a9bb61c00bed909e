// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_TENANT, type Tenant, type TraceId } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import type { SpanPredicate, TraceQuery } from '@spoor/core/query/trace-query.ts';
import type { TraceStore } from '#storage/tracestore.ts';

/** A store for one test, as a backend makes it. */
export interface StoreUnderTest {
  /** New and empty; the suite starts it. */
  readonly store: TraceStore;
  /** Shuts the store of the moment down and resolves with one that was started on the same data. */
  readonly reopen?: () => Promise<TraceStore>;
  /** Resolves when everything written lies where it will stay. */
  readonly settle?: () => Promise<void>;
  /** Settles, and then joins what can be joined. */
  readonly merge?: () => Promise<void>;
  /** Removes the spans of a tenant that meet a predicate. */
  readonly delete?: (tenant: Tenant, where: SpanPredicate) => Promise<void>;
  /** Settles, lets time go by, and removes what is too old: everything that was written. */
  readonly expire?: () => Promise<void>;
  /** Lets some hours go by, over midnight now and then. */
  readonly wait?: () => void;
  /** Shuts the store of the moment down and removes its data. */
  close(): Promise<void>;
}

/** A started store and what can be done to it that must change no answer. */
export class StoreHarness {
  store: TraceStore;
  readonly #made: StoreUnderTest;

  constructor(made: StoreUnderTest) {
    this.#made = made;
    this.store = made.store;
  }

  /** Makes and starts a store, and closes it whatever happens. */
  static async use(
    create: () => Promise<StoreUnderTest>,
    body: (harness: StoreHarness) => Promise<void>,
  ): Promise<void> {
    const made = await create();
    try {
      await made.store.start();
      await body(new StoreHarness(made));
    } finally {
      await made.close();
    }
  }

  async settle(): Promise<void> {
    await this.#made.settle?.();
  }

  async merge(): Promise<void> {
    await this.#made.merge?.();
  }

  /** @returns false when the store cannot delete */
  async delete(tenant: Tenant, where: SpanPredicate): Promise<boolean> {
    await this.#made.delete?.(tenant, where);
    return this.#made.delete !== undefined;
  }

  /** @returns false when the store keeps everything */
  async expire(): Promise<boolean> {
    await this.#made.expire?.();
    return this.#made.expire !== undefined;
  }

  wait(): void {
    this.#made.wait?.();
  }

  async reopen(): Promise<void> {
    if (this.#made.reopen !== undefined) this.store = await this.#made.reopen();
  }

  /** Checks at once, after reopening and after settling: the answers must be the same. */
  async always(check: (store: TraceStore) => Promise<void>): Promise<void> {
    await check(this.store);
    if (this.#made.reopen !== undefined) {
      await this.reopen();
      await check(this.store);
    }
    if (this.#made.settle !== undefined) {
      await this.settle();
      await check(this.store);
    }
  }

  /** As {@link always}, and once more after reopening what has settled. Opening a store costs, so few tests do this. */
  async alwaysAndReopened(check: (store: TraceStore) => Promise<void>): Promise<void> {
    await this.always(check);
    if (this.#made.reopen === undefined || this.#made.settle === undefined) return;
    await this.reopen();
    await check(this.store);
  }
}

/** Writes plain spans as one batch. */
export async function writeSpans(
  store: TraceStore,
  spans: readonly Span[],
  tenant: Tenant = DEFAULT_TENANT,
): Promise<void> {
  await store.write(tenant, batchOf(spans));
}

/** The spans of a batch, in order. */
export function readSpans(batch: SpanBatch): Span[] {
  const reader = new SpanReader(batch);
  return Array.from({ length: batch.rows }, (_, row) => reader.read(row));
}

/** The spans of each trace that is found. */
export async function readTraces(
  store: TraceStore,
  ids: readonly TraceId[],
  tenant: Tenant = DEFAULT_TENANT,
): Promise<Span[][]> {
  return (await Array.fromAsync(store.getTraces(tenant, ids))).map(readSpans);
}

/** A query for spans of all time. */
export function queryFor(
  where: SpanPredicate = { op: 'and', args: [] },
  more: Partial<TraceQuery> = {},
): TraceQuery {
  return { where, startMinUnixNano: 0n, startMaxUnixNano: 2n ** 64n, limit: 100, ...more };
}

/** Ids of the traces that a query finds, in order. */
export async function findIds(
  store: TraceStore,
  query: TraceQuery,
  tenant: Tenant = DEFAULT_TENANT,
): Promise<TraceId[]> {
  return (await store.findTraces(tenant, query)).traces.map(({ traceId }) => traceId);
}
