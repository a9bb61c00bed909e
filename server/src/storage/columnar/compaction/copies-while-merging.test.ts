// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { span, traceId } from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { RequestMemory } from '#pipeline/request-memory.ts';
import { TraceBatcher } from '#pipeline/trace-batcher.ts';
import { assertSameAnswers } from '#storage/testing/same-answers.ts';
import { queryFor, writeSpans } from '#storage/testing/store-harness.ts';
import { TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { ColumnarStore } from '../columnar-store.ts';
import { FaultyFiles } from '../testing/faulty-files.ts';
import { inlineWorkers } from '../testing/inline-worker.ts';
import { figure, inFaultyStore } from '../testing/store-fixture.ts';
import type { AskedWorker, CreateWorker } from '#workers/worker-client.ts';

/** Calls between a few services in three traces, all of them different. */
const SPANS = fc.sample(fc.uniqueArray(arbitraryCallSpan, { minLength: 36, maxLength: 36 }), {
  seed: 5,
  numRuns: 1,
})[0]!;

/** By spans of a block: each has some of all traces. */
const LISTS = [0, 1, 2].map((list) => SPANS.filter((_, i) => i % 3 === list));

/** A span that makes a block of a slab of copies. */
const ODD = span({ traceId: traceId(9), name: 'odd' });
const ODD_ONLY: SpanPredicate = {
  op: 'eq',
  field: { kind: 'intrinsic', name: 'name' },
  value: { type: 'string', value: 'odd' },
};

const ORACLE = new TraceOracle();
ORACLE.write(DEFAULT_TENANT, SPANS);

async function assertAnswers(store: ColumnarStore): Promise<void> {
  const queries = [queryFor(), queryFor(undefined, { order: 'most_spans' })];
  await assertSameAnswers(store, ORACLE, DEFAULT_TENANT, queries);
}

/** Room for everything in one slab: blocks are made when a test says so. */
const OPTIONS = { slabRows: 1000 };

/** Answers of workers of one kind that are kept back. */
class Held {
  readonly #kept: (() => void)[] = [];
  isHolding = false;

  /** Resolves when the answer may go on. */
  pass(): Promise<void> {
    if (!this.isHolding) return Promise.resolve();
    return new Promise((resolve) => this.#kept.push(resolve));
  }

  /** Resolves when an answer is kept back. */
  async some(): Promise<void> {
    while (this.#kept.length === 0) await new Promise(setImmediate);
  }

  release(): void {
    this.isHolding = false;
    for (const resolve of this.#kept.splice(0)) resolve();
  }
}

function keepBack<Request extends { readonly id: number }, Reply extends { readonly id: number }>(
  worker: AskedWorker<Request, Reply>,
  held: Held,
): AskedWorker<Request, Reply> {
  return { ...worker, request: (make) => worker.request(make).finally(() => held.pass()) };
}

/** Lets `use` work with a store that has the lists in a block each, and can keep back what was merged and what was sealed. */
function withThreeBlocks(
  use: (store: ColumnarStore, merge: Held, seal: Held) => Promise<void>,
): Promise<void> {
  const files = new FaultyFiles();
  const merge = new Held();
  const seal = new Held();
  const createInline = inlineWorkers(files.workers);
  const createWorker: CreateWorker = (script, options) => {
    if (script.href.includes('query')) return createInline(script, options);
    return keepBack(createInline(script, options), script.href.includes('seal') ? seal : merge);
  };
  return inFaultyStore(
    files,
    async (store) => {
      for (const spans of LISTS) {
        await writeSpans(store, spans);
        await store.settle();
      }
      await use(store, merge, seal);
    },
    { ...OPTIONS, createWorker },
  );
}

test('copies that are sealed before a merge, while it is under way, or across its commit are found and counted once', async () => {
  const copies = SPANS.slice(5).toReversed();
  const assertOnce = async (store: ColumnarStore): Promise<void> => {
    assert.equal(figure(store, 'store_block_spans'), SPANS.length);
    await assertAnswers(store);
  };
  await withThreeBlocks(async (store, merge) => {
    await writeSpans(store, copies);
    merge.isHolding = true;
    const merging = store.compact();
    await merge.some();
    await assertOnce(store);
    await writeSpans(store, copies);
    await assertOnce(store);
    await store.settle();
    await assertOnce(store);
    merge.release();
    await merging;
    assert.equal(figure(store, 'store_blocks'), 1);
    await writeSpans(store, copies);
    await assertOnce(store);
    await store.settle();
    await assertOnce(store);
  });
  await withThreeBlocks(async (store, merge, seal) => {
    merge.isHolding = true;
    const merging = store.compact();
    await merge.some();
    await writeSpans(store, [...copies, ODD]);
    seal.isHolding = true;
    const sealing = store.settle();
    await seal.some();
    merge.release();
    await merging;
    seal.release();
    await sealing;
    assert.equal(figure(store, 'store_block_spans'), SPANS.length + 1);
    assert.equal(figure(store, 'store_blocks'), 2);
    await store.deleteSpans(DEFAULT_TENANT, { where: ODD_ONLY });
    await assertOnce(store);
  });
});

test('a request that comes again when its digest is forgotten is found and counted once, merged or not', async () => {
  let nowMs = 1_700_000_000_000;
  const files = new FaultyFiles();
  const bodies = LISTS.map((spans) => encodeSpans(spans));
  const options = { ...OPTIONS, nowMs: (): number => nowMs };
  const send = async (store: ColumnarStore, memory: RequestMemory): Promise<void> => {
    const batcher = new TraceBatcher(store, { memory });
    batcher.recall(store.recentRequests());
    for (const body of bodies) await batcher.ingest(DEFAULT_TENANT, 'otlp_proto', body);
  };
  await inFaultyStore(
    files,
    async (store) => {
      const memory = new RequestMemory(() => nowMs);
      await send(store, memory);
      nowMs += 14 * 60_000;
      await send(store, memory);
      assert.equal(figure(store, 'store_spans_written_total'), SPANS.length);
      await store.settle();
      nowMs += 60_000;
      await send(store, memory);
      assert.equal(figure(store, 'store_spans_written_total'), 2 * SPANS.length);
      await assertAnswers(store);
    },
    options,
  );
  // What the log still had is read back.
  await inFaultyStore(
    files,
    async (store) => {
      await assertAnswers(store);
      await store.compact();
      nowMs += 15 * 60_000;
      await send(store, new RequestMemory(() => nowMs));
      assert.equal(figure(store, 'store_spans_written_total'), SPANS.length);
      await assertAnswers(store);
      await store.compact();
      await assertAnswers(store);
      assert.equal(figure(store, 'store_block_spans'), SPANS.length);
    },
    options,
  );
});
