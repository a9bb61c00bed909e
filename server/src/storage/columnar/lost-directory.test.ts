// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import type { ColumnarStore } from './columnar-store.ts';
import { CHECK_MS } from './files/disk-space.ts';
import { shopSpans } from './testing/block-fixture.ts';
import { figure, LogLines, withStore } from './testing/store-fixture.ts';
import { withDirectory } from './testing/temporary-directory.ts';
import type { Later } from '#later.ts';

const SPANS = shopSpans(3, 3, 1);

/** Far more turns of the event loop than a look at the disk takes, and far more of these than a thread takes to seal. */
const [MAX_TURNS, MAX_PASSES] = [10_000_000, 100_000];

/** Time that passes when a test says so, for all that a store does after a while. */
class HandTime {
  readonly #asked = new Map<() => void, number>();

  readonly later: Later = (action, delayMs) => {
    this.#asked.set(action, delayMs);
    return () => this.#asked.delete(action);
  };

  /** Lets all happen that was put off, and waits until the disk was looked at with it. */
  async pass(): Promise<void> {
    const due = [...this.#asked.keys()];
    this.#asked.clear();
    for (const action of due) action();
    const isLookedAt = (): boolean => [...this.#asked.values()].includes(CHECK_MS);
    for (let turn = 0; turn < MAX_TURNS && !isLookedAt(); turn++)
      await new Promise((resolve) => setImmediate(resolve));
    assert.ok(isLookedAt());
  }

  /** Lets time pass until the store has tried once more to seal what it has. */
  async passUntilSealFails(store: ColumnarStore): Promise<void> {
    const failures = (): number => figure(store, 'store_seal_failures_total');
    const before = failures();
    for (let pass = 0; pass < MAX_PASSES && failures() === before; pass++) await this.pass();
    assert.ok(failures() > before);
  }
}

/**
 * Lets `lose` take the directory away from a store with spans in its head, and waits until it is noticed. `use` works with a store that
 * refuses what comes and cannot seal what it has.
 */
async function afterLoss(
  lose: (dir: string) => void,
  use: (store: ColumnarStore, dir: string, time: HandTime) => Promise<void>,
): Promise<void> {
  await withDirectory(async (parent) => {
    const dir = join(parent, 'data');
    const log = new LogLines();
    const time = new HandTime();
    let settled: Promise<void> | undefined;
    await withStore(
      dir,
      async (store) => {
        await writeSpans(store, SPANS);
        assert.equal(store.unhealthy, undefined);
        lose(dir);
        await time.pass();
        await refusesForGood(store);
        settled = assert.rejects(store.settle(), /shut down before/);
        await time.passUntilSealFails(store);
        await use(store, dir, time);
        const told = log.lines.filter((line) => line.startsWith('data directory '));
        assert.equal(told.length, 1);
      },
      { logger: log.logger, later: time.later },
    );
    await settled;
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
    async (store, dir, time) => {
      const found = await readTraces(
        store,
        SPANS.map(({ traceId }) => traceId),
        DEFAULT_TENANT,
      );
      assert.equal(found.length, SPANS.length, 'what is in memory is answered');
      await time.passUntilSealFails(store);
      assert.equal(existsSync(dir), false);
      // As where a lost mount leaves its empty directory.
      mkdirSync(dir);
      await time.passUntilSealFails(store);
      await refusesForGood(store);
      assert.deepEqual(readdirSync(dir), []);
    },
  ));

test('a copy that is put in place of the data directory of a store is left alone', () => {
  let copied: unknown;
  return afterLoss(
    (dir) => {
      renameSync(dir, `${dir}.old`);
      cpSync(`${dir}.old`, dir, { recursive: true });
      copied = readdirSync(dir, { recursive: true });
    },
    async (store, dir, time) => {
      await time.passUntilSealFails(store);
      await refusesForGood(store);
      assert.deepEqual(readdirSync(dir, { recursive: true }), copied);
    },
  );
});
