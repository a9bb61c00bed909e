// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { resource } from '@spoor/core/query/testing/example-span.ts';
import { queryFor, readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import { bySpan, TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { ColumnarStore } from './columnar-store.ts';
import { shopSpans } from './testing/block-fixture.ts';
import { figure, LogLines, withStore } from './testing/store-fixture.ts';
import { withDirectory } from './testing/temporary-directory.ts';

/** Room for everything in one slab: blocks are made when a test says so. */
const OPTIONS = { slabRows: 10_000 };

async function assertSame(store: ColumnarStore, spans: readonly Span[]): Promise<void> {
  const oracle = new TraceOracle();
  oracle.write(DEFAULT_TENANT, spans);
  const query = queryFor(undefined, { limit: 1000 });
  const found = await store.findTraces(DEFAULT_TENANT, query);
  assert.deepEqual(found, oracle.findTraces(DEFAULT_TENANT, query));
  const ids = found.traces.map(({ traceId }) => traceId);
  const traces = await readTraces(store, ids);
  assert.deepEqual(
    traces.map((trace) => trace.toSorted(bySpan)),
    ids.map((id) => oracle.getTrace(DEFAULT_TENANT, id)),
  );
}

function blocksOf(dir: string, tenant = 'default'): string[] {
  return readdirSync(join(dir, 'tenants', tenant));
}

test('spans that come again in other batches, in another order, after sealing and restarts take no room in blocks', () =>
  withDirectory(async (dir) => {
    const spans = shopSpans(400, 30);
    await withStore(
      dir,
      async (store) => {
        await writeSpans(store, spans.slice(0, 200));
        await store.settle();
        await writeSpans(store, spans.toReversed().slice(150));
        await writeSpans(store, spans.slice(150, 300));
        await store.settle();
        assert.equal(figure(store, 'store_block_spans'), 300);
        await writeSpans(store, spans.slice(100, 300));
      },
      OPTIONS,
    );
    // What the log had is read back, and the worker that seals it is a new one.
    await withStore(
      dir,
      async (store) => {
        for (let at = 0; at < 400; at += 40) await writeSpans(store, spans.slice(at, at + 40));
        await assertSame(store, spans);
        await store.settle();
        assert.equal(figure(store, 'store_block_spans'), 400);
        assert.equal(figure(store, 'store_head_spans'), 0);
        await assertSame(store, spans);
      },
      OPTIONS,
    );
  }));

test('a slab of nothing but copies makes no block, and the log is released all the same', () =>
  withDirectory(async (dir) => {
    const spans = shopSpans(200, 10);
    const acme = parseTenant('acme');
    await withStore(
      dir,
      async (store) => {
        await writeSpans(store, spans);
        await store.settle();
        await writeSpans(store, spans.toReversed());
        // Nothing of another tenant is a copy.
        await writeSpans(store, spans, acme);
        await store.settle();
        await writeSpans(store, spans.slice(50));
        await store.settle();
        assert.equal(figure(store, 'store_head_spans'), 0);
        assert.deepEqual([blocksOf(dir).length, blocksOf(dir, 'acme').length], [1, 1]);
        await assertSame(store, spans);
      },
      OPTIONS,
    );
    await withStore(dir, async (store) => {
      assert.equal(figure(store, 'store_head_spans'), 0);
      await assertSame(store, spans);
    });
  }));

test('ids that a client and its server share are two spans, in one block or in two', () =>
  withDirectory(async (dir) => {
    const clients = shopSpans(60, 5).map((one) => ({ ...one, kind: 3 }));
    const servers = clients.map((one) => ({ ...one, kind: 2, resource: resource('server') }));
    await withStore(
      dir,
      async (store) => {
        await writeSpans(store, clients);
        await store.settle();
        await writeSpans(store, [...servers, ...clients]);
        await assertSame(store, [...clients, ...servers]);
        await store.settle();
        assert.equal(figure(store, 'store_block_spans'), 120);
        await assertSame(store, [...clients, ...servers]);
        await writeSpans(store, [...clients, ...servers]);
        await store.settle();
        assert.equal(figure(store, 'store_block_spans'), 120);
      },
      OPTIONS,
    );
  }));

test('spans of a block that is damaged are kept when they come again, and no thread looks into it any more', () =>
  withDirectory(async (dir) => {
    const spans = shopSpans(100, 10);
    await withStore(
      dir,
      async (store) => {
        await writeSpans(store, spans);
        await store.settle();
      },
      OPTIONS,
    );
    const [block] = blocksOf(dir);
    const path = join(dir, 'tenants/default', block!);
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    const log = new LogLines();
    await withStore(
      dir,
      async (store) => {
        await writeSpans(store, spans.slice(20));
        await store.settle();
        assert.equal(figure(store, 'store_damaged_blocks'), 1);
        await assertSame(store, spans.slice(20));
        assert.equal(log.lines.length, 1);
        assert.match(log.lines[0]!, /damaged block is left out of all answers/);
      },
      { ...OPTIONS, logger: log.logger },
    );
  }));
