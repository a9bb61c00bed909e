// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { DEFAULT_TENANT, type Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { assertSameAnswers } from '#storage/testing/same-answers.ts';
import { queryFor } from '#storage/testing/store-harness.ts';
import { TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { ColumnarStore } from './columnar-store.ts';
import type { ColumnarStoreOptions } from './columnar-store-options.ts';
import { FaultyFiles } from './testing/faulty-files.ts';
import {
  figure,
  inFaultyStore,
  LogLines,
  powerLosses,
  writeBlock,
} from './testing/store-fixture.ts';

/** Calls between a few services in three traces, all of them different. */
const SPANS = fc.sample(fc.uniqueArray(arbitraryCallSpan, { minLength: 40, maxLength: 40 }), {
  seed: 6,
  numRuns: 1,
})[0]!;
/** What comes again while the block of the first ones is left out. */
const [FIRST, AGAIN, LATER] = [SPANS.slice(0, 20), SPANS.slice(10, 30), SPANS.slice(30)];

const STARTS = FIRST.map(({ startTimeUnixNano }) => startTimeUnixNano).sort((a, b) =>
  a < b ? -1 : 1,
);
/** What the store says of the block of the first ones while it cannot be read. */
const UNREADABLE = {
  blocks: 1,
  spans: FIRST.length,
  startMinUnixNano: STARTS[0],
  startMaxUnixNano: STARTS.at(-1),
};

/** So many calls are left out after each at which the power goes. */
const STRIDE = 13;

/** Room for everything in one slab: blocks are made when a test says so. */
const OPTIONS: Partial<ColumnarStoreOptions> = { slabRows: 1000 };

async function assertHas(store: ColumnarStore, spans: readonly Span[]): Promise<void> {
  const oracle = new TraceOracle();
  oracle.write(DEFAULT_TENANT, spans);
  const queries = [queryFor(), queryFor(undefined, { order: 'most_spans' })];
  await assertSameAnswers(store, oracle, DEFAULT_TENANT, queries);
}

/** Asks everything, whatever the answers: damage is found when a block is looked into. */
async function askAll(store: ColumnarStore): Promise<void> {
  await assertHas(store, []).catch(() => undefined);
}

function blockPaths(files: FaultyFiles): string[] {
  return files.paths().filter((path) => path.endsWith('.block'));
}

/** A store with one block of the first spans, of which no one knows yet that a frame is damaged. */
async function withDamagedBlock(): Promise<{
  files: FaultyFiles;
  path: string;
  whole: Uint8Array;
}> {
  const files = new FaultyFiles();
  await inFaultyStore(files, (store) => writeBlock(store, FIRST), OPTIONS);
  const [path] = blockPaths(files);
  const whole = files.content(path!);
  files.put(path!, whole.slice().fill(0, 20, 400));
  return { files, path: path!, whole };
}

test('a block that was left out stays so over restarts, and comes back once when a whole copy is in its place', async () => {
  const { files: before, path, whole } = await withDamagedBlock();
  let files = before;
  await inFaultyStore(
    files,
    async (store) => {
      assert.equal(store.unreadable(DEFAULT_TENANT), undefined);
      await askAll(store);
      assert.equal(figure(store, 'store_damaged_blocks'), 1);
      assert.deepEqual(store.unreadable(DEFAULT_TENANT), UNREADABLE);
      assert.equal(store.unreadable('another' as Tenant), undefined);
      await writeBlock(store, AGAIN);
      await assertHas(store, AGAIN);
      assert.deepEqual(store.unreadable(DEFAULT_TENANT), UNREADABLE);
    },
    OPTIONS,
  );
  for (const keep of ['nothing', 'all'] as const) {
    // Nobody has to look into the block to know.
    files = files.powerLoss({ keep });
    await inFaultyStore(
      files,
      async (store) => {
        assert.equal(figure(store, 'store_damaged_blocks'), 1);
        assert.match(
          store.damage[0]!.message,
          /damaged block is left out of all answers: .*checksum/,
        );
        await assertHas(store, AGAIN);
        await store.compact();
        await assertHas(store, AGAIN);
        assert.deepEqual(store.unreadable(DEFAULT_TENANT), UNREADABLE);
      },
      OPTIONS,
    );
  }
  files.put(path, whole);
  const log = new LogLines();
  for (let start = 0; start < 2; start++) {
    await inFaultyStore(
      files,
      async (store) => {
        assert.deepEqual(store.damage, []);
        assert.equal(store.unreadable(DEFAULT_TENANT), undefined);
        assert.equal(figure(store, 'store_damaged_blocks'), 0);
        assert.equal(figure(store, 'store_block_spans'), 30);
        await assertHas(store, [...FIRST, ...AGAIN]);
      },
      { ...OPTIONS, logger: log.logger },
    );
  }
  assert.deepEqual(log.lines, []);
  await inFaultyStore(
    files,
    async (store) => {
      await writeBlock(store, LATER);
      await assertHas(store, SPANS);
      await store.compact();
      assert.equal(figure(store, 'store_blocks'), 1);
      await assertHas(store, SPANS);
    },
    OPTIONS,
  );
  assert.equal(blockPaths(files).length, 1);
});

test('a block is gone at once when all that it held came again before its copy', async () => {
  const { files, path, whole } = await withDamagedBlock();
  files.remove(path);
  await inFaultyStore(files, (store) => writeBlock(store, SPANS), OPTIONS);
  files.put(path, whole);
  await inFaultyStore(
    files,
    async (store) => {
      assert.equal(figure(store, 'store_blocks'), 1);
      assert.deepEqual(store.damage, []);
      await assertHas(store, SPANS);
    },
    OPTIONS,
  );
  assert.equal(blockPaths(files).length, 1);
});

test('a block that is still damaged when it is written anew stays where it is', async () => {
  const { files, path, whole } = await withDamagedBlock();
  await inFaultyStore(files, askAll, OPTIONS);
  // Another place than before.
  files.put(path, whole.slice().fill(0, whole.length - 200, whole.length - 100));
  for (let start = 0; start < 2; start++) {
    await inFaultyStore(
      files,
      async (store) => {
        assert.equal(figure(store, 'store_damaged_blocks'), 1);
        await assertHas(store, []);
      },
      OPTIONS,
    );
    assert.deepEqual(blockPaths(files), [path]);
  }
});

test('damage of a block that is to come back is not blamed on others that hold spans of its traces', async () => {
  const { files, path, whole } = await withDamagedBlock();
  await inFaultyStore(
    files,
    async (store) => {
      await askAll(store);
      await writeBlock(store, AGAIN);
    },
    OPTIONS,
  );
  // A frame after the other: some are read only when another block is compared.
  for (let at = 400; at < whole.length - 200; at += 300) {
    files.put(path, whole.slice().fill(0, at, at + 40));
    await inFaultyStore(
      files,
      async (store) => {
        if (blockPaths(files).includes(path)) await assertHas(store, AGAIN);
      },
      OPTIONS,
    );
  }
});

test('what the disk fails to read is taken back a minute later, or with the next start', async () => {
  let nowMs = 1_700_000_000_000;
  const options = { ...OPTIONS, nowMs: (): number => nowMs };
  const files = new FaultyFiles();
  await inFaultyStore(files, (store) => writeBlock(store, FIRST), options);
  const [path] = blockPaths(files);
  const log = new LogLines();
  await inFaultyStore(
    files,
    async (store) => {
      files.failEach('read', 'EIO', path!);
      await writeBlock(store, AGAIN);
      assert.equal(figure(store, 'store_damaged_blocks'), 1);
      assert.match(log.lines[0]!, /^a block that the disk does not read is left out .*: EIO/);
      await assertHas(store, AGAIN);
      nowMs += 59_000;
      await writeBlock(store, LATER.slice(0, 4));
      nowMs += 2000;
      await writeBlock(store, LATER.slice(4, 8));
      await store.applyRetention();
      assert.equal(figure(store, 'store_damaged_blocks'), 1, 'it fails still');
      files.heal();
      nowMs += 61_000;
      await writeBlock(store, LATER);
      await store.applyRetention();
      assert.equal(figure(store, 'store_damaged_blocks'), 0);
      assert.deepEqual(store.damage, []);
      await assertHas(store, SPANS);
      await store.compact();
      await assertHas(store, SPANS);
      assert.equal(figure(store, 'store_block_spans'), SPANS.length);
    },
    { ...options, logger: log.logger },
  );
  const [merged] = blockPaths(files);
  await inFaultyStore(
    files,
    async (store) => {
      files.failEach('read', 'EIO', merged!);
      await askAll(store);
      await writeBlock(store, AGAIN);
      await assertHas(store, AGAIN);
    },
    options,
  );
  files.heal();
  await inFaultyStore(files, (store) => assertHas(store, SPANS), options);
});

test('a block that a start cannot open is tried again a minute later', async () => {
  let nowMs = 1_700_000_000_000;
  const options = { ...OPTIONS, nowMs: (): number => nowMs };
  const files = new FaultyFiles();
  await inFaultyStore(files, (store) => writeBlock(store, FIRST), options);
  const [path] = blockPaths(files);
  files.failEach('open', 'EIO', path!);
  await inFaultyStore(
    files,
    async (store) => {
      assert.match(store.damage[0]!.message, /^a block that the disk does not read .*: EIO/);
      await writeBlock(store, AGAIN);
      files.heal();
      nowMs += 61_000;
      await writeBlock(store, LATER);
      await store.applyRetention();
      assert.deepEqual(store.damage, []);
      await assertHas(store, SPANS);
    },
    options,
  );
});

test('at whatever call the power goes while a block is taken back, the next start has it once', async () => {
  const { files, path, whole } = await withDamagedBlock();
  await inFaultyStore(files, askAll, OPTIONS);
  await inFaultyStore(files, (store) => writeBlock(store, AGAIN), OPTIONS);
  files.put(path, whole);
  for await (const { after, what } of powerLosses(files, OPTIONS, STRIDE)) {
    await inFaultyStore(
      after,
      async (store) => {
        await assertHas(store, [...FIRST, ...AGAIN]);
        assert.deepEqual(store.damage, [], what);
        assert.equal(figure(store, 'store_block_spans'), 30);
        assert.equal(blockPaths(after).length, figure(store, 'store_blocks'));
      },
      OPTIONS,
    );
    const others = after.paths().filter((one) => /damaged|unnamed|tmp/.test(one));
    assert.deepEqual(others, [], what);
  }
});
