// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { findIds, queryFor, readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import { testTraceStore } from '#storage/tracestore.contract.ts';
import { MemoryStore, type MemoryStoreOptions } from './memory-store.ts';

testTraceStore('memory store', async () => {
  const store = new MemoryStore();
  return { store, close: () => store.shutdown() };
});

async function started(options: MemoryStoreOptions): Promise<MemoryStore> {
  const store = new MemoryStore(options);
  await store.start();
  return store;
}

function spansOf(trace: number, count: number) {
  return Array.from({ length: count }, (_, i) =>
    span({ traceId: traceId(trace), spanId: spanId(i + 1), startTimeUnixNano: BigInt(trace) }),
  );
}

function figure(store: MemoryStore, name: string): number {
  return store.figures().get(name)!.value;
}

test('when the memory store is full the oldest spans of all tenants go', async () => {
  const store = await started({ maxSpans: 10 });
  const other = parseTenant('other');
  await writeSpans(store, spansOf(1, 4));
  await writeSpans(store, spansOf(2, 4), other);
  await writeSpans(store, spansOf(3, 4));
  assert.deepEqual(await findIds(store, queryFor()), [traceId(3)]);
  assert.deepEqual(await findIds(store, queryFor(), other), [traceId(2)]);
  await writeSpans(store, spansOf(4, 10));
  assert.deepEqual(await findIds(store, queryFor()), [traceId(4)]);
  assert.deepEqual(await store.getServices(other), []);
  assert.equal(figure(store, 'store_memory_spans'), 10);
  assert.equal(figure(store, 'store_memory_evicted_spans_total'), 12);
  assert.equal(figure(store, 'store_tenants'), 1);
});

test('the memory store counts bytes too, and gives all of them back', async () => {
  const store = await started({ maxBytes: 40_000 });
  for (let trace = 1; trace <= 50; trace++) {
    await writeSpans(store, spansOf(trace, 5));
    assert.ok(figure(store, 'store_memory_bytes') <= 40_000);
    assert.equal((await findIds(store, queryFor()))[0], traceId(trace));
  }
  await store.shutdown();
  assert.equal(figure(store, 'store_memory_bytes'), 0);
  assert.equal(figure(store, 'store_memory_spans'), 0);
});

test('a batch that would not fit even alone is refused, and nothing is forgotten for it', async () => {
  const store = await started({ maxSpans: 10 });
  await writeSpans(store, spansOf(1, 10));
  await assert.rejects(
    writeSpans(store, spansOf(2, 11)),
    (error) => error instanceof SpoorError && error.code === 'too_large',
  );
  assert.equal((await readTraces(store, [traceId(1)]))[0]?.length, 10);
});

test('many small batches take little more memory than one large one', async () => {
  const [small, large] = [await started({}), await started({})];
  const spans = spansOf(1, 1000);
  for (const one of spans) await writeSpans(small, [one]);
  await writeSpans(large, spans);
  assert.ok(figure(small, 'store_memory_bytes') < 2 * figure(large, 'store_memory_bytes'));
  assert.deepEqual(await readTraces(small, [traceId(1)]), await readTraces(large, [traceId(1)]));
});

test('a read goes on with what there was when it began, whatever is written meanwhile', async () => {
  const store = await started({ maxSpans: 100 });
  await writeSpans(store, spansOf(1, 60));
  const traces = store.getTraces(DEFAULT_TENANT, [traceId(1), traceId(1)]);
  const first = await traces.next();
  await writeSpans(store, spansOf(2, 90));
  const second = await traces.next();
  assert.ok(first.done !== true && second.done !== true);
  assert.equal(first.value.rows, 60);
  assert.equal(second.value.rows, 60);
  assert.deepEqual(await readTraces(store, [traceId(1)]), []);
});

test('traces that were found whole are read as they were found, whatever is written meanwhile', async () => {
  const store = await started({ maxSpans: 100 });
  await writeSpans(store, spansOf(1, 60));
  const { batches } = await store.findWholeTraces(DEFAULT_TENANT, queryFor());
  await writeSpans(store, spansOf(2, 90));
  assert.deepEqual(
    (await Array.fromAsync(batches)).map(({ rows }) => rows),
    [60],
  );
  assert.deepEqual(await findIds(store, queryFor()), [traceId(2)]);
});
