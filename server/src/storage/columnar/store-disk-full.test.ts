// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { attributes, resource, span } from '@spoor/core/query/testing/example-span.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import type { ColumnarStore } from './columnar-store.ts';
import { shopSpans } from './testing/block-fixture.ts';
import { FaultyFiles } from './testing/faulty-files.ts';
import {
  figure,
  inFaultyStore,
  LogLines,
  storeOnFaulty,
  writeBlock,
} from './testing/store-fixture.ts';
import { seededWords } from './testing/symbol-fixture.ts';
import { SpanLot, StoreTrial, TRIAL_TENANTS } from './testing/store-trial.ts';
import { until } from './testing/until.ts';

const DAY_MS = 86_400_000;
const OTHER_TENANT = parseTenant('other');

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

function isService(value: string): SpanPredicate {
  const field = { kind: 'intrinsic', name: 'service' } as const;
  return { op: 'eq', field, value: { type: 'string', value } };
}

/** Spans of which every other one is of the service load. */
function half(spans: readonly Span[]): Span[] {
  return spans.map((one, i) => ({ ...one, resource: resource(i % 2 === 0 ? 'load' : 'shop') }));
}

/** How many spans there are of the traces of some. */
async function spansLeft(store: ColumnarStore, spans: readonly Span[]): Promise<number> {
  const ids = [...new Set(spans.map(({ traceId }) => traceId))];
  return (await readTraces(store, ids)).flat().length;
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
  const files = smallDisk(200 << 10);
  const trial = new StoreTrial();
  await inFaultyStore(files, async (store) => {
    assert.ok((await writeUntilRefused(store, trial)) > 3);
    const { freeBytes } = await files.space();
    assert.ok(freeBytes > 0, String(freeBytes));
    await trial.check(store, 'while spans are refused');
    // What was taken is sealed meanwhile, which takes less room than was kept for it.
    await store.settle();
    await leaveFree(files, 5000);
    await until(() => figure(store, 'store_disk_free_bytes') <= 5000);
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

test('blocks are not merged or rewritten into the reserve of a disk: expired ones go all the same, and the rest later', async () => {
  const files = smallDisk(0);
  const trial = new StoreTrial();
  let nowMs = 20_000 * DAY_MS;
  // Its block leaves less room than another one takes.
  const gone = shopSpans(1, 1, 99);
  await inFaultyStore(
    files,
    async (store) => {
      await writeBlock(store, gone, OTHER_TENANT);
      nowMs += DAY_MS;
      for (const lot of LOTS.slice(0, 4)) {
        await trial.write(store, lot, DEFAULT_TENANT);
        await store.settle();
      }
      // More than the reserve, but not enough for another copy of a block.
      const { totalBytes } = await files.space();
      await leaveFree(files, Math.ceil(totalBytes * 0.05) + 100);
      await until(() => figure(store, 'store_disk_free_bytes') < totalBytes / 2);
      const where = isService('service 1');
      const room = /not so much room beside what is kept free/;
      await assert.rejects(store.compact(), room);
      await assert.rejects(store.deleteSpans(DEFAULT_TENANT, { where }), room);
      nowMs += DAY_MS;
      await assert.rejects(store.applyRetention(), room);
      assert.equal(figure(store, 'store_compactions_postponed_total'), 2 + 4);
      assert.equal(figure(store, 'store_expired_spans_total'), gone.length);
      assert.equal(figure(store, 'store_blocks'), 4);
      assert.equal(store.unhealthy, undefined);
      await trial.check(store, 'without room for a merge');
      await leaveFree(files, totalBytes * 0.5);
      await until(() => figure(store, 'store_disk_free_bytes') > totalBytes * 0.4);
      await store.compact();
      assert.equal(figure(store, 'store_blocks'), 1);
    },
    {
      nowMs: () => nowMs,
      retention: {
        services: new Map([1, 2, 3, 4].map((name) => [`service ${name}`, DAY_MS])),
        tenants: new Map([[OTHER_TENANT, { maxAgeMs: 2 * DAY_MS }]]),
      },
    },
  );
});

test('a service that is too old is left out of the blocks for which there is room, also of that which others leave', async () => {
  const files = smallDisk(0);
  let nowMs = 20_000 * DAY_MS;
  await inFaultyStore(
    files,
    async (store) => {
      const large = half(noisySpans(1));
      const small = [2, 3].map((seed) => half(shopSpans(10, 2, seed)));
      await writeBlock(store, large);
      for (const spans of small) await writeBlock(store, spans);
      await writeBlock(store, noisySpans(4), OTHER_TENANT);
      const left = (spans: readonly Span[]): Promise<number> => spansLeft(store, spans);
      const { totalBytes } = await files.space();
      await leaveFree(files, Math.ceil(totalBytes * 0.05) + 6000);
      nowMs += DAY_MS;
      const room = /1 blocks of [0-9]+ bytes .* not so much room beside what is kept free/;
      await assert.rejects(store.applyRetention(), room);
      assert.deepEqual(await Promise.all([large, ...small].map(left)), [10, 5, 5]);
      // It is not looked for more often than once in a minute.
      await assert.rejects(store.applyRetention(), room);
      assert.equal(figure(store, 'store_compactions_postponed_total'), 1);
      nowMs += DAY_MS;
      await store.applyRetention();
      assert.equal(await left(large), 5);
      assert.equal(figure(store, 'store_expired_spans_total'), 25);
    },
    {
      nowMs: () => nowMs,
      retention: {
        services: new Map([['load', DAY_MS]]),
        tenants: new Map([[OTHER_TENANT, { maxAgeMs: 2 * DAY_MS }]]),
      },
    },
  );
});

test('a block that waits for room keeps none from its turn that is due within the same minute', async () => {
  const files = smallDisk(0);
  let nowMs = 20_000 * DAY_MS;
  await inFaultyStore(
    files,
    async (store) => {
      const [large, small] = [half(noisySpans(1)), half(shopSpans(10, 2, 2))];
      for (const spans of [large, small]) {
        await writeBlock(store, spans);
        nowMs += 30_000;
      }
      // The segment of the log that had the large ones is not used again.
      await until(() => files.paths().filter((path) => path.endsWith('.wal')).length === 1);
      const { totalBytes } = await files.space();
      await leaveFree(files, Math.ceil(totalBytes * 0.05) + 6000);
      nowMs += DAY_MS - 60_000;
      for (const left of [10, 5]) {
        const room = /1 blocks of [0-9]+ bytes .* not so much room beside what is kept free/;
        await assert.rejects(store.applyRetention(), room);
        assert.equal(await spansLeft(store, large), 10);
        assert.equal(await spansLeft(store, small), left);
        assert.equal(figure(store, 'store_compactions_postponed_total'), 1);
        nowMs += 30_000;
      }
      await leaveFree(files, totalBytes / 2);
      await store.applyRetention();
      assert.equal(await spansLeft(store, large), 5);
    },
    { nowMs: () => nowMs, retention: { services: new Map([['load', DAY_MS]]) } },
  );
});

test('a size that is kept holds also where there is no room to leave a service out first', async () => {
  const files = smallDisk(0);
  let nowMs = 20_000 * DAY_MS;
  const lists = [1, 2, 3].map((seed) => half(noisySpans(seed)));
  let bytes = 0;
  await inFaultyStore(
    files,
    async (store) => {
      for (const spans of lists) {
        await writeBlock(store, spans);
      }
      bytes = figure(store, 'store_block_bytes');
      nowMs += DAY_MS;
      await store.applyRetention();
    },
    { nowMs: () => nowMs },
  );
  // A start lets go of the segments of the log.
  await inFaultyStore(files, async () => {}, { nowMs: () => nowMs });
  const { totalBytes } = await files.space();
  await leaveFree(files, Math.ceil(totalBytes * 0.05) + 100);
  await inFaultyStore(
    files,
    async (store) => {
      await assert.rejects(store.applyRetention(), /not so much room/);
      assert.equal(figure(store, 'store_compactions_postponed_total'), 3);
      assert.equal(figure(store, 'store_blocks'), 2);
      assert.equal(await spansLeft(store, lists[0]!), 0);
      assert.equal(await spansLeft(store, lists[2]!), 10);
    },
    {
      nowMs: () => nowMs,
      retention: { services: new Map([['load', DAY_MS]]), maxBytes: Math.round(bytes * 0.8) },
    },
  );
});

test('a deletion needs room for the blocks that have such spans and others, not for those that it looks into', async () => {
  const files = smallDisk(0);
  await inFaultyStore(files, async (store) => {
    const lists = [1, 2, 3, 4].map((seed) => shopSpans(20, 4, seed));
    for (const spans of lists) {
      await writeBlock(store, spans);
    }
    const everything: SpanPredicate = { op: 'and', args: [] };
    const { totalBytes } = await files.space();
    const reserve = Math.ceil(totalBytes * 0.05);
    await leaveFree(files, reserve + 100);
    assert.equal(await store.deleteSpans(DEFAULT_TENANT, { where: isService('nobody') }), 0);
    const traceIds = [lists[2]![0]!.traceId];
    const one = { where: everything, traceIds };
    await assert.rejects(store.deleteSpans(DEFAULT_TENANT, one), /1 blocks of [0-9]+ bytes/);
    assert.equal(figure(store, 'store_block_spans'), 80);
    await leaveFree(files, reserve + figure(store, 'store_block_bytes') / 2);
    assert.equal(
      await store.deleteSpans(DEFAULT_TENANT, one),
      lists[2]!.filter(({ traceId }) => traceIds.includes(traceId)).length,
    );
    await leaveFree(files, reserve + 100);
    const left = figure(store, 'store_block_spans');
    assert.equal(await store.deleteSpans(DEFAULT_TENANT, { where: everything }), left);
    assert.equal(figure(store, 'store_blocks'), 0);
  });
});

/** Spans of a batch that no compression makes much smaller. */
function noisySpans(seed: number): Span[] {
  const words = seededWords(seed);
  return shopSpans(10, 1, seed).map((one) => ({
    ...one,
    attributes: attributes({
      noise: Array.from({ length: 400 }, () => (words() >>> 0).toString(36)).join(''),
    }),
  }));
}

test('on a disk whose reserve is less than a seal takes, no more is taken than can be sealed, and it goes on by itself', async () => {
  const files = smallDisk(0);
  const taken: Span[] = [];
  let refusals = 0;
  let most = 0;
  let nowMs = 0;
  await inFaultyStore(
    files,
    async (store) => {
      for (let seed = 1; refusals < 100; seed++) {
        const spans = noisySpans(seed);
        try {
          await writeSpans(store, spans);
          taken.push(...spans);
        } catch (error) {
          assert.ok(error instanceof SpoorError && error.code === 'unavailable', String(error));
          refusals++;
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        most = Math.max(most, figure(store, 'store_head_bytes'));
        assert.equal(figure(store, 'store_seal_failures_total'), 0, `after ${seed} batches`);
      }
      await store.settle();
      assert.equal(figure(store, 'store_seal_failures_total'), 0);
      assert.ok(most > 2 * 0.05 * files.capacityBytes, `the head had ${most} bytes`);
      // The room is used, but for the reserve and less than one more batch.
      const { freeBytes } = await files.space();
      assert.ok(freeBytes < 0.15 * files.capacityBytes, `${freeBytes} are free`);
      const found = await readTraces(
        store,
        taken.map(({ traceId }) => traceId),
      );
      assert.equal(found.length, taken.length);
    },
    { slabRows: 10_000, segmentBytes: 32 << 10, isPatient: false, nowMs: () => (nowMs += 300) },
  );
});

test('where nobody is to wait for room, what needs sealing on a full disk fails and says how much room is missing', async () => {
  const files = smallDisk(0);
  const trial = new StoreTrial();
  await inFaultyStore(files, async (store) => {
    for (const lot of LOTS.slice(0, 3)) await trial.write(store, lot, DEFAULT_TENANT);
  });
  await leaveFree(files, 700);
  const message = /sealing failed: ENOSPC.*; it may take 0\.0 MiB, and 0\.0 MiB are free/;
  await inFaultyStore(
    files,
    async (store) => {
      await assert.rejects(store.settle(), message);
      await assert.rejects(store.compact(), message);
      await assert.rejects(
        store.deleteSpans(DEFAULT_TENANT, { where: isService('service 1') }),
        message,
      );
      await trial.check(store, 'after a deletion that failed');
    },
    { isPatient: false },
  );
  await leaveFree(files, 100 << 10);
  await inFaultyStore(
    files,
    async (store) => {
      await store.compact();
      await trial.check(store, 'with room again');
    },
    { isPatient: false },
  );
});

test('a shutdown ends a start that waits for room to seal what the log has', async () => {
  const files = smallDisk(0);
  const trial = new StoreTrial();
  await inFaultyStore(
    files,
    async (store) => {
      for (const lot of LOTS.slice(0, 9)) await trial.write(store, lot, DEFAULT_TENANT);
    },
    { slabRows: 1000 },
  );
  await leaveFree(files, 700);
  const log = new LogLines();
  const store = storeOnFaulty(files, {
    slabRows: 1,
    logger: log.logger,
    // It would wait for ever.
    later: () => () => undefined,
  });
  const started = assert.rejects(store.start(), /shut down before all was sealed/);
  await until(() => log.lines.some((line) => line.startsWith('sealing failed')));
  await store.shutdown();
  await started;
  await leaveFree(files, 100 << 10);
  await inFaultyStore(files, (again) => trial.check(again, 'with room again'));
});

test('where nobody is to wait for room, a start fails whose log has more than the head', async () => {
  const files = smallDisk(0);
  const trial = new StoreTrial();
  await inFaultyStore(
    files,
    async (store) => {
      for (const lot of LOTS.slice(0, 9)) await trial.write(store, lot, DEFAULT_TENANT);
    },
    { slabRows: 1000 },
  );
  await leaveFree(files, 700);
  const store = storeOnFaulty(files, { isPatient: false, slabRows: 1 });
  await assert.rejects(store.start(), /sealing failed: ENOSPC/);
  await store.shutdown();
  await leaveFree(files, 100 << 10);
  await inFaultyStore(files, (again) => trial.check(again, 'with room again'));
});
