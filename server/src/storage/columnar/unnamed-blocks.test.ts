// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { assertSameAnswers } from '#storage/testing/same-answers.ts';
import { queryFor, writeSpans } from '#storage/testing/store-harness.ts';
import { TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { ColumnarStore } from './columnar-store.ts';
import type { ColumnarStoreOptions } from './columnar-store-options.ts';
import { Manifest } from './manifest/manifest.ts';
import { decodeManifest } from './manifest/manifest-log.ts';
import { shopSpans } from './testing/block-fixture.ts';
import { FaultyFiles } from './testing/faulty-files.ts';
import { figure, inFaultyStore, powerLosses } from './testing/store-fixture.ts';
import { seededWords } from './testing/symbol-fixture.ts';

const PARTS = [1, 2, 3].map((seed) => shopSpans(20, 4, seed));
const SPANS = PARTS.flat();
/** What is written while blocks wait for room. */
const LATER = shopSpans(10, 3, 4);

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

/** Where the header and the records of a manifest end: if it is cut there, all that is left is whole. */
function recordEnds(manifest: Uint8Array): number[] {
  return [...manifest.keys()].map(
    (length) => decodeManifest(manifest.slice(0, length), '').endBytes,
  );
}

async function assertWhole(store: ColumnarStore, spans = SPANS): Promise<void> {
  const oracle = new TraceOracle();
  oracle.write(DEFAULT_TENANT, spans);
  const queries = [queryFor(), queryFor(undefined, { order: 'most_spans' })];
  await assertSameAnswers(store, oracle, DEFAULT_TENANT, queries);
}

/** As {@link assertWhole}, and nothing is said to be missing. */
async function assertComplete(store: ColumnarStore, spans = SPANS): Promise<void> {
  await assertWhole(store, spans);
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
    const lengths = new Set(recordEnds(content));
    for (let length = 0; length < content.length; length += STRIDE) lengths.add(length);
    for (const length of lengths) {
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
  // One of them ends in the first record: no segment of the log is named, so that its loss shows nowhere else.
  const lengths = [0, 23, content.length >> 1, content.length - 20];
  for (const length of lengths) {
    const files = whole.copy();
    await loseLog(files);
    if (length === 0) await files.unlink(manifest!);
    else files.put(manifest!, content.slice(0, length));
    for await (const { after, what } of powerLosses(files, OPTIONS, CALL_STRIDE)) {
      await inFaultyStore(after, assertComplete, OPTIONS).catch((error: unknown) => {
        throw new Error(`cut at ${length}, ${what}`, { cause: error });
      });
    }
  }
});

/** What becomes of the manifest of {@link withBlocks}. */
const HARMS: Readonly<Record<string, (manifest: Uint8Array) => Uint8Array | undefined>> = {
  'is missing': () => undefined,
  'has no record': (manifest) => manifest.slice(0, 16),
  'is cut in its first record': (manifest) => manifest.slice(0, 23),
  'is cut in a later record': (manifest) => manifest.slice(0, recordEnds(manifest)[500]! + 40),
  'is cut at the end of a record': (manifest) => manifest.slice(0, recordEnds(manifest)[500]),
};

for (const [harm, harmed] of Object.entries(HARMS)) {
  test(`where the manifest ${harm}, a block that is damaged as well is kept, at whatever call the power goes`, async () => {
    const whole = await withBlocks();
    // Some are in the log only.
    await inFaultyStore(whole, (store) => writeSpans(store, LATER), OPTIONS);
    const [manifest] = only(whole, /MANIFEST$/);
    const block = only(whole, /\.block$/).at(-1)!;
    const content = damaged(whole.content(block));
    whole.put(block, content);
    const left = harmed(whole.content(manifest!));
    if (left === undefined) whole.remove(manifest!);
    else whole.put(manifest!, left);
    for (const hasLog of [true, false]) {
      const files = whole.copy();
      if (!hasLog) await loseLog(files);
      for await (const { after, what } of powerLosses(files, OPTIONS, CALL_STRIDE)) {
        await inFaultyStore(after, async () => {}, OPTIONS);
        // Its number may be given again.
        const kept = after.paths().filter((path) => path.startsWith(block));
        assert.ok(
          kept.some((path) => Buffer.from(content).equals(after.content(path))),
          `${hasLog ? 'with' : 'without'} log, ${what}`,
        );
      }
    }
  });
}

test('what a start reads of a commit that is not durable yet takes no block away when the power goes', async () => {
  const whole = await withBlocks();
  const once = whole.copy();
  const merge = (store: ColumnarStore): Promise<unknown> => store.compact();
  await inFaultyStore(once, merge, OPTIONS);
  const removal = once.log.findIndex((call) => /^unlink .*block/.test(call));
  const commit = once.log.lastIndexOf('fdatasync MANIFEST', removal) + 1;
  const next = seededWords(7);
  for (let round = 0; round < 20; round++) {
    const files = whole.copy();
    files.failAt(commit, 'EIO', true);
    await inFaultyStore(files, merge, OPTIONS).catch(() => undefined);
    // It is read from the memory of the system, and not written again.
    files.failEach('fdatasync', 'EIO', only(files, /MANIFEST$/)[0]);
    await inFaultyStore(files, async () => {}, OPTIONS).catch(() => undefined);
    const after = files.powerLoss({ chance: () => next() / 2 ** 32 });
    await inFaultyStore(after, assertComplete, OPTIONS);
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

/** {@link withBlocks}, and what its manifest was before the last block or the merge. */
async function withOldManifest(
  isMerged: boolean,
): Promise<{ files: FaultyFiles; old: Uint8Array; manifest: string }> {
  const files = new FaultyFiles();
  let old: Uint8Array | undefined;
  const manifest = (): string => only(files, /MANIFEST$/)[0]!;
  await inFaultyStore(
    files,
    async (store) => {
      for (const [i, part] of PARTS.entries()) {
        if (!isMerged && i === PARTS.length - 1) old = files.content(manifest());
        await writeSpans(store, [...PARTS[0]!.slice(0, 5), ...part]);
        await store.settle();
      }
      if (!isMerged) return;
      old = files.content(manifest());
      await store.compact();
    },
    OPTIONS,
  );
  return { files: files.copy(), old: old!, manifest: manifest() };
}

/** A copy that is full when the manifest is to name blocks again, once the log was read. */
async function fullWhenNamed(harmed: FaultyFiles): Promise<FaultyFiles> {
  const files = harmed.copy();
  await inFaultyStore(files, async () => {}, OPTIONS);
  const upto = files.log.findIndex((call) => /^rename .*\.block$/.test(call));
  const call = files.log.lastIndexOf('writev MANIFEST', upto);
  assert.ok(call > 0 && upto > call, files.log.join('\n'));
  const full = harmed.copy();
  full.failAt(call + 1, 'ENOSPC');
  return full;
}

for (const isMerged of [false, true]) {
  for (const isTorn of [false, true]) {
    const what = `${isMerged ? 'a merged block' : 'a block'} that a ${isTorn ? 'torn' : 'short'} manifest does not name`;
    test(`${what} waits where the disk is full, is told as left out, and is back with the next start`, async () => {
      const { files: harmed, old, manifest } = await withOldManifest(isMerged);
      harmed.put(manifest, old);
      if (isTorn) tear(harmed);
      await loseLog(harmed);
      const files = await fullWhenNamed(harmed);
      await inFaultyStore(
        files,
        async (store) => {
          const waiting = only(files, /\.waiting$/);
          assert.equal(waiting.length, 1);
          assert.deepEqual(only(files, /unnamed/), []);
          const told = store.damage.find(({ path }) => path === waiting[0]);
          assert.match(told!.message, /does not name it, and the disk is too full/);
          // What it was merged of is missing as long as it is not named.
          assert.equal(figure(store, 'store_damaged_blocks'), isMerged ? 4 : 1);
          assert.equal(store.unreadable(DEFAULT_TENANT)!.blocks, isMerged ? 4 : 1);
          const where: SpanPredicate = { op: 'and', args: [] };
          const message = /nothing was deleted: .* would bring them back/;
          await assert.rejects(store.deleteSpans(DEFAULT_TENANT, { where }), message);
          // There is room again: the log goes on, as if nothing were missing in it.
          await writeSpans(store, LATER);
          await store.settle();
        },
        OPTIONS,
      );
      const after = files.powerLoss({ keep: 'nothing' });
      for (let start = 0; start < 2; start++) {
        await inFaultyStore(after, (store) => assertComplete(store, [...SPANS, ...LATER]), OPTIONS);
      }
      assert.deepEqual(only(after, /waiting|unnamed/), []);
    });
  }
}

test('at whatever call the power goes while a block that waited is named, the next start has it once', async () => {
  const { files: harmed, old, manifest } = await withOldManifest(false);
  harmed.put(manifest, old);
  await loseLog(harmed);
  const files = await fullWhenNamed(harmed);
  await inFaultyStore(files, async () => {}, OPTIONS);
  assert.equal(only(files, /waiting$/).length, 1);
  await inFaultyStore(files.copy(), assertComplete, OPTIONS);
  for await (const { after } of powerLosses(files, OPTIONS, CALL_STRIDE)) {
    await inFaultyStore(after, assertComplete, OPTIONS);
  }
});

/** Ends that the name of a file of a block may have. */
const ENDS = ['', '.left', '.torn', '.waiting'];

/** A block without its end. */
function damaged(block: Uint8Array): Uint8Array {
  return block.slice(0, -7);
}

test('of several files of a block the whole one gets its name, and none is lost', async () => {
  const { files: blocks, old, manifest } = await withOldManifest(false);
  const block = only(blocks, /\.block$/).at(-1)!;
  const whole = blocks.content(block);
  const pairs = ENDS.flatMap((a) => ENDS.filter((b) => a !== b).map((b) => [a, b] as const));
  for (const harm of ['short', 'torn', 'missing']) {
    for (const [wholeEnd, damagedEnd] of pairs) {
      const files = blocks.copy();
      files.remove(block);
      // In one order or the other in their directory.
      if (wholeEnd < damagedEnd) files.put(block + damagedEnd, damaged(whole));
      files.put(block + wholeEnd, whole);
      files.put(block + damagedEnd, damaged(whole));
      const earlier = new TextEncoder().encode('set aside earlier');
      files.put(`${block}.unnamed`, earlier);
      if (harm === 'missing') files.remove(manifest);
      else files.put(manifest, old);
      if (harm === 'torn') tear(files);
      await loseLog(files);
      for (let start = 0; start < 2; start++) {
        await inFaultyStore(files, assertComplete, OPTIONS);
      }
      const message = `${harm}, whole ${wholeEnd}, damaged ${damagedEnd}`;
      assert.deepEqual(files.content(`${block}.unnamed`), earlier, message);
      assert.deepEqual(files.content(`${block}.unnamed.2`), damaged(whole), message);
      assert.equal(only(files, /block/).length, 5, message);
    }
  }
});

test('a damaged file that has the name of a block is set aside for a whole one beside it', async () => {
  const files = await withBlocks();
  const block = only(files, /\.block$/).at(-1)!;
  const whole = files.content(block);
  files.put(block, damaged(whole));
  // It is noted that it is left out.
  await inFaultyStore(files, async () => {}, OPTIONS);
  files.put(`${block}.left`, whole);
  await inFaultyStore(files, assertComplete, OPTIONS);
  assert.deepEqual(files.content(`${block}.unnamed`), damaged(whole));
});

const arbitraryHarm = fc.record({
  isMerged: fc.boolean(),
  manifest: fc.oneof(
    fc.constant('missing' as const),
    // Behind the record that notes the segments of the log: without it none is missed.
    fc.record({ cutPermille: fc.integer({ min: 200, max: 999 }), isTorn: fc.boolean() }),
    fc.record({ flipPermille: fc.integer({ min: 0, max: 999 }) }),
  ),
  /** Of each block that is not named: the ends of the names of a whole file, and of a damaged one. */
  ends: fc.array(fc.tuple(fc.constantFrom(...ENDS), fc.option(fc.constantFrom(...ENDS))), {
    minLength: 4,
    maxLength: 4,
  }),
  /** Which write to the manifest in the first start finds the disk full, and whether all calls after it do. */
  full: fc.option(fc.record({ write: fc.nat({ max: 9 }), isForever: fc.boolean() })),
});

test('whatever becomes of the manifest and of names, on a full disk or not, no spans of a whole file are lost', async () => {
  const stores = [await withBlocks(), await withBlocks({ isMerged: true })];
  await fc.assert(
    fc.asyncProperty(arbitraryHarm, async ({ isMerged, manifest, ends, full }) => {
      const harmed = stores[Number(isMerged)]!.copy();
      const path = only(harmed, /MANIFEST$/)[0]!;
      const content = harmed.content(path);
      if (manifest === 'missing') harmed.remove(path);
      else if ('cutPermille' in manifest) {
        harmed.put(path, content.slice(0, (manifest.cutPermille * content.length) / 1000));
        if (manifest.isTorn) tear(harmed);
      } else {
        const at = Math.floor((manifest.flipPermille * content.length) / 1000);
        harmed.put(path, content.with(at, content[at]! ^ 0x10));
      }
      await loseLog(harmed);
      const read = await Manifest.read({ files: harmed.copy(), dir: '/data/store' });
      for (const [i, block] of only(harmed, /\.block$/).entries()) {
        if (read.has(DEFAULT_TENANT, Number.parseInt(block.slice(-16), 10))) continue;
        const [wholeEnd, damagedEnd] = ends[i]!;
        const whole = harmed.content(block);
        harmed.remove(block);
        if (damagedEnd !== null) harmed.put(block + damagedEnd, damaged(whole));
        harmed.put(block + wholeEnd, whole);
      }
      const files = harmed.copy();
      if (full !== null) {
        const untouched = harmed.copy();
        await inFaultyStore(untouched, async () => {}, OPTIONS);
        const writes = untouched.log.flatMap((call, i) =>
          /^writev MANIFEST/.test(call) ? i + 1 : [],
        );
        files.failAt(writes[full.write % writes.length]!, 'ENOSPC', full.isForever);
      }
      let taken: typeof LATER = [];
      await inFaultyStore(
        files,
        async (store) => {
          files.heal();
          await writeSpans(store, LATER);
          await store.settle();
          taken = LATER;
        },
        OPTIONS,
      ).catch(() => undefined);
      await inFaultyStore(
        files.powerLoss({ keep: 'all' }),
        (store) => assertWhole(store, [...SPANS, ...taken]),
        OPTIONS,
      );
    }),
    { numRuns: 60 },
  );
});
