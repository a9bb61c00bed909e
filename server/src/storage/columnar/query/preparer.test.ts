// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import { writeSpans } from '#storage/testing/store-harness.ts';
import { TraceOracle } from '#storage/testing/trace-oracle.ts';
import { overlapsPath } from '../block/block-path.ts';
import type { ColumnarStore } from '../columnar-store.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { withStore } from '../testing/store-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { Preparer } from './preparer.ts';

const ACME = parseTenant('acme');

/** A preparer of tenants with so many blocks, which says whom it prepares; `answer` is what comes of it. */
function preparerOf(
  counts: ReadonlyMap<Tenant, number>,
  answer: () => Promise<boolean> = () => Promise.resolve(true),
): { preparer: Preparer; asked: Tenant[] } {
  const asked: Tenant[] = [];
  const preparer = new Preparer({
    blocks: {
      readable: () =>
        [...counts].flatMap(([tenant, count]) =>
          // Nothing else of a block is looked at.
          Array.from({ length: count }, () => ({ tenant }) as BlockEntry),
        ),
    },
    prepare: (tenant) => {
      asked.push(tenant);
      return answer();
    },
  });
  return { preparer, asked };
}

test('tenants with several blocks are prepared after the start, and again once their blocks have not changed for a tick', async () => {
  const counts = new Map([
    [DEFAULT_TENANT, 2],
    [ACME, 1],
  ]);
  const { preparer, asked } = preparerOf(counts);
  await preparer.tick();
  assert.deepEqual(asked, [DEFAULT_TENANT]);
  await preparer.tick();
  counts.set(ACME, 2);
  preparer.note(ACME);
  await preparer.tick();
  assert.deepEqual(asked, [DEFAULT_TENANT]);
  await preparer.tick();
  assert.deepEqual(asked, [DEFAULT_TENANT, ACME]);
  // What was counted of blocks that are gone is to be forgotten.
  counts.delete(ACME);
  preparer.note(ACME);
  await preparer.tick();
  await preparer.tick();
  assert.deepEqual(asked, [DEFAULT_TENANT, ACME, ACME]);
});

test('a store that will be asked prepares every tenant at its start', async () => {
  const counts = new Map([
    [DEFAULT_TENANT, 2],
    [ACME, 1],
  ]);
  const { preparer, asked } = preparerOf(counts);
  await preparer.start();
  assert.deepEqual(asked, [DEFAULT_TENANT, ACME]);
  await preparer.tick();
  assert.equal(asked.length, 2);
});

test('blocks that never rest are prepared all the same, now and then', async () => {
  const { preparer, asked } = preparerOf(new Map([[DEFAULT_TENANT, 2]]));
  await preparer.tick();
  for (let tick = 0; tick < 100; tick++) {
    preparer.note(DEFAULT_TENANT);
    await preparer.tick();
  }
  assert.equal(asked.length, 6);
});

test('a question stops it until the next tick, and a failure until blocks change', async () => {
  const answers = [false, true];
  const counts = new Map([
    [DEFAULT_TENANT, 2],
    [ACME, 2],
  ]);
  const { preparer, asked } = preparerOf(counts, () => {
    const isDone = answers.shift();
    return isDone === undefined ? Promise.reject(new Error('no worker')) : Promise.resolve(isDone);
  });
  await preparer.tick();
  assert.deepEqual(asked, [DEFAULT_TENANT]);
  await preparer.tick();
  assert.deepEqual(asked.slice(1).sort(), [ACME, DEFAULT_TENANT]);
  await preparer.tick();
  assert.equal(asked.length, 3);
});

/** Lets the time go on until the file is another one than before. */
async function prepared(path: string, tick: () => void): Promise<void> {
  const changed = (): number => (existsSync(path) ? statSync(path).mtimeMs : 0);
  const before = changed();
  tick();
  tick();
  while (changed() === before) await new Promise((resolve) => setImmediate(resolve));
}

test('a store that is quiet keeps what it counted, and answers are right after restarts, merges and deletions', (t) =>
  withDirectory(async (dir) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const path = overlapsPath(dir, DEFAULT_TENANT);
    const spans = fc.sample(arbitraryCallSpan, { numRuns: 120, seed: 7 });
    const oracle = new TraceOracle();
    const range = { fromMinute: 0, toMinute: 2 ** 32 };
    const assertRight = async (store: ColumnarStore): Promise<void> => {
      assert.deepEqual(
        [...(await store.getDependencies(DEFAULT_TENANT, range))],
        oracle.getDependencies(DEFAULT_TENANT, range),
      );
    };
    const write = async (store: ColumnarStore, from: number, to: number): Promise<void> => {
      oracle.write(DEFAULT_TENANT, spans.slice(from, to));
      await writeSpans(store, spans.slice(from, to));
      await store.settle();
    };
    const tick = (): void => t.mock.timers.tick(15_000);
    await withStore(dir, async (store) => {
      await write(store, 0, 30);
      await write(store, 30, 60);
      await prepared(path, tick);
      await assertRight(store);
    });
    await withStore(dir, async (store) => {
      await assertRight(store);
      await write(store, 60, 90);
      await prepared(path, tick);
      await store.compact();
      await assertRight(store);
    });
    await withStore(dir, async (store) => {
      await assertRight(store);
      await write(store, 90, 120);
      await prepared(path, tick);
    });
    await withStore(dir, async (store) => {
      const where = {
        op: 'eq',
        field: { kind: 'intrinsic', name: 'name' },
        value: { type: 'string', value: 'a' },
      } as const;
      await store.deleteSpans(DEFAULT_TENANT, { where });
      oracle.delete(DEFAULT_TENANT, where);
      await assertRight(store);
      await prepared(path, tick);
      await assertRight(store);
    });
    await withStore(dir, assertRight);
  }));
