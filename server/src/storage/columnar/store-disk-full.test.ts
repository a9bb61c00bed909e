// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { span } from '@spoor/core/query/testing/example-span.ts';
import type { ColumnarStore } from './columnar-store.ts';
import { shopSpans } from './testing/block-fixture.ts';
import { FaultyFiles } from './testing/faulty-files.ts';
import { figure, inFaultyStore } from './testing/store-fixture.ts';
import { SpanLot, StoreTrial, TRIAL_TENANTS } from './testing/store-trial.ts';

const FILLER = '/data/filler';

/** A disk of 300 KiB of which something else takes `usedBytes`. */
function smallDisk(usedBytes: number): FaultyFiles {
  const files = new FaultyFiles();
  files.capacityBytes = 300 << 10;
  files.put(FILLER, new Uint8Array(usedBytes));
  return files;
}

/** Leaves so many bytes of the disk free. */
async function leaveFree(files: FaultyFiles, freeBytes: number): Promise<void> {
  const { freeBytes: now } = await files.space();
  files.put(FILLER, new Uint8Array(files.content(FILLER).length + now - freeBytes));
}

const LOTS = Array.from({ length: 200 }, (_, i) => new SpanLot(shopSpans(10, 3, i + 1)));

/** Writes lot after lot until one is refused; returns how many were taken. */
async function writeUntilRefused(store: ColumnarStore, trial: StoreTrial): Promise<number> {
  const refusals = trial.refusals;
  for (const [i, lot] of LOTS.entries()) {
    await trial.write(store, lot, TRIAL_TENANTS[i % 2]!);
    if (trial.refusals > refusals) return i;
  }
  throw new Error('nothing was refused');
}

/** Writes a lot again and again until it is taken: copies are read once. */
async function writeUntilTaken(store: ColumnarStore, trial: StoreTrial): Promise<void> {
  for (;;) {
    const refusals = trial.refusals;
    await trial.write(store, LOTS[0]!, DEFAULT_TENANT);
    if (trial.refusals === refusals) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a disk that fills up is left its reserve: new spans are refused, the rest goes on, and it resumes by itself', async () => {
  const files = smallDisk(240 << 10);
  const trial = new StoreTrial();
  await inFaultyStore(files, async (store) => {
    assert.ok((await writeUntilRefused(store, trial)) > 3);
    const { freeBytes } = await files.space();
    assert.ok(freeBytes > 0, String(freeBytes));
    await trial.check(store, 'while spans are refused');
    await leaveFree(files, 5000);
    await assert.rejects(store.write(DEFAULT_TENANT, batchOf([span()])), (error) => {
      assert.ok(error instanceof SpoorError && error.code === 'unavailable');
      assert.ok(error.retryAfterMs! > 0);
      return true;
    });
    assert.notEqual(store.unhealthy, undefined);
    await leaveFree(files, 100 << 10);
    await writeUntilTaken(store, trial);
    await store.settle();
    assert.equal(store.unhealthy, undefined);
    await trial.check(store, 'with room again');
  });
  await inFaultyStore(files.powerLoss({ keep: 'nothing' }), (store) =>
    trial.check(store, 'after a restart'),
  );
});

test('sealing on a full disk leaves nothing over, loses nothing, and goes on when there is room', async () => {
  const files = smallDisk(0);
  const trial = new StoreTrial();
  await inFaultyStore(files, async (store) => {
    for (const lot of LOTS.slice(0, 5)) await trial.write(store, lot, DEFAULT_TENANT);
    await store.settle();
    await trial.write(store, LOTS[5]!, DEFAULT_TENANT);
    await leaveFree(files, 700);
    const blocks = files.paths().filter((path) => path.endsWith('.block')).length;
    const settled = store.settle();
    while (store.unhealthy === undefined) await new Promise((resolve) => setImmediate(resolve));
    await trial.check(store, 'while sealing rests');
    assert.equal(files.paths().filter((path) => path.endsWith('.block')).length, blocks);
    assert.equal(figure(store, 'store_head_spans'), LOTS[5]!.spans.length);
    await leaveFree(files, 100 << 10);
    await settled;
    assert.equal(figure(store, 'store_head_spans'), 0);
    await trial.check(store, 'after sealing');
  });
});

test('a store is opened on a full disk, answers, and takes spans once there is room', async () => {
  const files = smallDisk(0);
  const trial = new StoreTrial();
  await inFaultyStore(files, async (store) => {
    for (const lot of LOTS.slice(0, 5)) await trial.write(store, lot, DEFAULT_TENANT);
  });
  await leaveFree(files, 0);
  await inFaultyStore(files, async (store) => {
    await trial.check(store, 'on a full disk');
    assert.match(store.unhealthy!, /0\.0 MiB are free on its disk/);
    await leaveFree(files, 100 << 10);
    await writeUntilTaken(store, trial);
    await trial.check(store, 'with room again');
  });
});
