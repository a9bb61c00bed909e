// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import type { ColumnarStore } from './columnar-store.ts';
import { shopSpans } from './testing/block-fixture.ts';
import { LogLines, withStore } from './testing/store-fixture.ts';
import { withDirectory } from './testing/temporary-directory.ts';

const SPANS = shopSpans(3, 3, 1);

/** Lets `lose` take the directory away from a store with spans in its head, and waits until it is noticed. */
async function afterLoss(
  lose: (dir: string) => void,
  use: (store: ColumnarStore, dir: string) => Promise<void>,
): Promise<void> {
  await withDirectory(async (parent) => {
    const dir = join(parent, 'data');
    const log = new LogLines();
    await withStore(
      dir,
      async (store) => {
        await writeSpans(store, SPANS);
        assert.equal(store.unhealthy, undefined);
        lose(dir);
        while (store.unhealthy === undefined)
          await new Promise((resolve) => setTimeout(resolve, 1));
        await use(store, dir);
        const told = log.lines.filter((line) => line.startsWith('data directory '));
        assert.equal(told.length, 1);
      },
      {
        logger: log.logger,
        later: (action) => {
          const soon = setTimeout(action, 1);
          return () => clearTimeout(soon);
        },
      },
    );
  });
}

async function refusesForGood(store: ColumnarStore): Promise<void> {
  const why = /data directory .*data: it was removed, renamed or unmounted/;
  assert.match(store.unhealthy!, why);
  await assert.rejects(writeSpans(store, shopSpans(1, 1, 2)), (error) => {
    assert.ok(error instanceof SpoorError && error.code === 'unavailable');
    return why.test(error.message);
  });
}

test('a data directory that is removed under a store is noticed: nothing is taken, nothing is made in its place', () =>
  afterLoss(
    (dir) => rmSync(dir, { recursive: true }),
    async (store, dir) => {
      await refusesForGood(store);
      const found = await readTraces(
        store,
        SPANS.map(({ traceId }) => traceId),
        DEFAULT_TENANT,
      );
      assert.equal(found.length, SPANS.length, 'what is in memory is answered');
      void assert.rejects(store.settle(), /shut down before/);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(existsSync(dir), false);
      // As where a lost mount leaves its empty directory.
      mkdirSync(dir);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await refusesForGood(store);
      assert.deepEqual(readdirSync(dir), []);
    },
  ));

test('a copy that is put in place of the data directory of a store is left alone', () =>
  afterLoss(
    (dir) => {
      renameSync(dir, `${dir}.old`);
      cpSync(`${dir}.old`, dir, { recursive: true });
    },
    async (store, dir) => {
      const before = readdirSync(dir, { recursive: true });
      await refusesForGood(store);
      void assert.rejects(store.settle(), /shut down before/);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual(readdirSync(dir, { recursive: true }), before);
    },
  ));
