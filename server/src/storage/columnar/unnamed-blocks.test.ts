// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { assertSameAnswers } from '#storage/testing/same-answers.ts';
import { queryFor, writeSpans } from '#storage/testing/store-harness.ts';
import { TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { ColumnarStore } from './columnar-store.ts';
import type { ColumnarStoreOptions } from './columnar-store-options.ts';
import { shopSpans } from './testing/block-fixture.ts';
import { FaultyFiles } from './testing/faulty-files.ts';
import { figure, inFaultyStore } from './testing/store-fixture.ts';

const PARTS = [1, 2, 3].map((seed) => shopSpans(20, 4, seed));
const SPANS = PARTS.flat();

/** Room for everything in one slab: blocks are made when a test says so. */
const OPTIONS: Partial<ColumnarStoreOptions> = { slabRows: 1000 };

const DAY_MS = 86_400_000;

/** So many bytes are left out after each that is tried, and so many calls. */
const STRIDE = 31;
const CALL_STRIDE = 3;

/** A store that was shut down, with three blocks; the second one is written of spans that the first one has in part. */
async function withBlocks({ isMerged = false } = {}): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  await inFaultyStore(
    files,
    async (store) => {
      for (const part of PARTS) {
        await writeSpans(store, [...PARTS[0]!.slice(0, 5), ...part]);
        await store.settle();
      }
      if (isMerged) await store.compact();
    },
    OPTIONS,
  );
  return files;
}

function only(files: FaultyFiles, pattern: RegExp): string[] {
  return files.paths().filter((path) => pattern.test(path));
}

/** A log that was used again since: nothing of what is in blocks is in it. */
async function loseLog(files: FaultyFiles): Promise<void> {
  for (const path of only(files, /\.wal$/)) await files.unlink(path);
}

async function assertWhole(store: ColumnarStore): Promise<void> {
  const oracle = new TraceOracle();
  oracle.write(DEFAULT_TENANT, SPANS);
  const queries = [queryFor(), queryFor(undefined, { order: 'most_spans' })];
  await assertSameAnswers(store, oracle, DEFAULT_TENANT, queries);
}

/** As {@link assertWhole}, and nothing is said to be missing. */
async function assertComplete(store: ColumnarStore): Promise<void> {
  await assertWhole(store);
  assert.equal(store.unreadable(DEFAULT_TENANT), undefined);
  assert.equal(figure(store, 'store_damaged_blocks'), 0);
}

for (const isMerged of [false, true]) {
  const what = isMerged ? 'a merged block' : 'blocks';
  test(`no byte of the manifest takes ${what} out of answers, whether the log has the spans still or not`, async () => {
    const whole = await withBlocks({ isMerged });
    const [manifest] = only(whole, /MANIFEST$/);
    const content = whole.content(manifest!);
    for (const hasLog of [true, false]) {
      for (let at = 0; at < content.length; at += STRIDE) {
        const files = whole.copy();
        files.put(manifest!, content.with(at, content[at]! ^ 0x10));
        if (!hasLog) await loseLog(files);
        for (let start = 0; start < 2; start++) {
          await inFaultyStore(files, assertComplete, OPTIONS);
        }
        assert.deepEqual(only(files, /unnamed|tmp$/), [], `byte ${at}`);
      }
    }
  });

  test(`a manifest that is cut anywhere, or missing, takes ${what} out of no answer`, async () => {
    const whole = await withBlocks({ isMerged });
    const [manifest] = only(whole, /MANIFEST$/);
    const content = whole.content(manifest!);
    for (let length = 0; length < content.length; length += STRIDE) {
      const files = whole.copy();
      await loseLog(files);
      if (length === 0) await files.unlink(manifest!);
      else files.put(manifest!, content.slice(0, length));
      for (let start = 0; start < 2; start++) {
        // One that names some of the blocks that were merged since cannot know that they are not missing.
        await inFaultyStore(files, isMerged ? assertWhole : assertComplete, OPTIONS);
      }
    }
  });
}

test('at whatever call the power goes while blocks are named again, the next start has them once', async () => {
  const whole = await withBlocks();
  const [manifest] = only(whole, /MANIFEST$/);
  const content = whole.content(manifest!);
  const lengths = [0, content.length >> 1, content.length - 20];
  for (const length of lengths) {
    const damaged = whole.copy();
    await loseLog(damaged);
    if (length === 0) await damaged.unlink(manifest!);
    else damaged.put(manifest!, content.slice(0, length));
    const untouched = damaged.copy();
    await inFaultyStore(untouched, async () => {}, OPTIONS);
    for (let call = 1; call <= untouched.calls; call += CALL_STRIDE) {
      for (const keep of ['nothing', 'all'] as const) {
        const copy = damaged.copy();
        copy.failAt(call, 'EIO', true);
        // The start fails, or what comes after it.
        await inFaultyStore(copy, async () => {}, OPTIONS).catch(() => undefined);
        const after = copy.powerLoss({ keep });
        await inFaultyStore(after, assertComplete, OPTIONS).catch((error: unknown) => {
          throw new Error(`cut at ${length}, call ${call}, ${keep} kept`, { cause: error });
        });
      }
    }
  }
});

/** A manifest after a crash in the middle of a commit. */
function tear(files: FaultyFiles): void {
  const [manifest] = only(files, /MANIFEST$/);
  files.put(manifest!, Buffer.concat([files.content(manifest!), Buffer.from('torn')]));
}

test('what was removed stays so when its file is there again after a crash that tore the manifest', async () => {
  const files = await withBlocks();
  const before = files.copy();
  const all: SpanPredicate = { op: 'and', args: [] };
  await inFaultyStore(
    files,
    async (store) => {
      assert.equal(await store.deleteSpans(DEFAULT_TENANT, { where: all }), SPANS.length);
    },
    OPTIONS,
  );
  const removed = only(before, /\.block$/);
  assert.deepEqual(only(files, /\.block$/), []);
  // That they were removed was not durable.
  for (const path of removed) files.put(path, before.content(path));
  tear(files);
  await inFaultyStore(
    files,
    async (store) => {
      assert.deepEqual((await store.findTraces(DEFAULT_TENANT, queryFor())).traces, []);
    },
    OPTIONS,
  );
  assert.deepEqual(only(files, /tenants/), []);
});

test('directories of no tenant are left alone, whatever is in them and with the manifest', async () => {
  for (const harm of [
    tear,
    (files: FaultyFiles) => void files.unlink(only(files, /MANIFEST$/)[0]!),
  ]) {
    const files = await withBlocks();
    const [block] = only(files, /\.block$/);
    const odd = ['lost+found', 'default.bak', 'a b', 'x'.repeat(70)].map((name) =>
      block!.replace('/default/', `/${name}/`),
    );
    odd.push(block!.replace(/\d+\.block/, '9007199254740991.block'));
    for (const path of odd) files.put(path, files.content(block!));
    harm(files);
    for (let start = 0; start < 2; start++) await inFaultyStore(files, assertComplete, OPTIONS);
    for (const path of odd) assert.ok(files.paths().includes(path), path);
  }
});

test('blocks of two tenants that have one number are both taken back', async () => {
  const other = parseTenant('other');
  const [files, others] = [await withBlocks(), await withBlocks()];
  for (const path of only(others, /\.block$/)) {
    files.put(path.replace('/default/', '/other/'), others.content(path));
  }
  await loseLog(files);
  await files.unlink(only(files, /MANIFEST$/)[0]!);
  for (let start = 0; start < 2; start++) {
    await inFaultyStore(
      files,
      async (store) => {
        await assertComplete(store);
        const oracle = new TraceOracle();
        oracle.write(other, SPANS);
        await assertSameAnswers(store, oracle, other, [queryFor()]);
      },
      OPTIONS,
    );
  }
});

test('what is taken back counts as having come in with the newest that is known, however old its spans are', async () => {
  const newestMs = Number(SPANS[0]!.startTimeUnixNano / 1_000_000n) + 30 * DAY_MS;
  const options = { ...OPTIONS, nowMs: () => newestMs, retention: { maxAgeMs: 7 * DAY_MS } };
  const files = new FaultyFiles();
  await inFaultyStore(
    files,
    async (store) => {
      for (const part of PARTS) {
        await writeSpans(store, part);
        await store.settle();
      }
    },
    options,
  );
  await loseLog(files);
  await files.unlink(only(files, /MANIFEST$/)[0]!);
  await inFaultyStore(
    files,
    async (store) => {
      await store.applyRetention();
      await assertComplete(store);
    },
    options,
  );
});

test('what a crash left is removed by the next start, also when that ends before it knows', async () => {
  const files = await withBlocks();
  const [block] = only(files, /\.block$/);
  files.put(block!.replace(/\d+\.block/, '0000000009.block'), files.content(block!));
  const untouched = files.copy();
  await inFaultyStore(untouched, async () => {}, OPTIONS);
  for (let call = 1; call <= untouched.calls; call++) {
    const copy = files.copy();
    copy.failAt(call, 'EIO', true);
    await inFaultyStore(copy, async () => {}, OPTIONS).catch(() => undefined);
    const after = copy.powerLoss({ keep: 'all' });
    await inFaultyStore(after, assertComplete, OPTIONS);
    assert.equal(only(after, /tenants.*block/).length, 3, `call ${call}`);
  }
});
