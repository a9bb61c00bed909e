// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { writeSpans } from '#storage/testing/store-harness.ts';
import { overlapsPath } from '../block/block-path.ts';
import { overlapsFlaw } from '../derived/overlaps-file.ts';
import { shopSpans } from '../testing/block-fixture.ts';
import { figure, LogLines, withStore } from '../testing/store-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { segmentPath, WAL_DIR } from '../wal/wal-segment.ts';
import { LOCK_FILE } from '../directory/data-lock.ts';
import { storeStats } from './store-stats.ts';
import { StoppedStore } from './stopped-store.ts';
import { verifyStore, type VerifyReport } from './verify-store.ts';

/** Starts a store that will be asked, and waits until the file of overlaps is whole. */
async function makeOverlaps(dir: string, path: string): Promise<void> {
  const isWhole = (): boolean => existsSync(path) && overlapsFlaw(readFileSync(path)) === undefined;
  await withStore(
    dir,
    async () => {
      while (!isWhole()) await new Promise((resolve) => setImmediate(resolve));
    },
    { isAsked: true },
  );
}

async function verified(dir: string): Promise<VerifyReport> {
  await using store = await StoppedStore.open(dir);
  return await verifyStore(store);
}

test('a file of overlaps that was torn does no harm, and the next start makes it anew', () =>
  withDirectory(async (dir) => {
    const path = overlapsPath(dir, DEFAULT_TENANT);
    const found = async (): Promise<{ problems: string[]; harmless: string[] }> => {
      const { problems, harmless } = await verified(dir);
      return {
        problems: problems.map((one) => one.path),
        harmless: harmless.map((one) => one.path),
      };
    };
    const spans = shopSpans(60, 10, 1);
    await withStore(dir, async (store) => {
      for (const from of [0, 30]) {
        await writeSpans(store, spans.slice(from, from + 30));
        await store.settle();
      }
    });
    await makeOverlaps(dir, path);
    assert.deepEqual(await found(), { problems: [], harmless: [] });
    for (const length of [100, 0]) {
      truncateSync(path, length);
      assert.deepEqual(await found(), { problems: [], harmless: [path] });
      await makeOverlaps(dir, path);
      assert.deepEqual(await found(), { problems: [], harmless: [] });
    }
  }));

/** Flips a bit of the last byte that was written to the log of a store. */
function flipLastWritten(dir: string): string {
  const path = segmentPath(join(dir, WAL_DIR), 1);
  const bytes = readFileSync(path);
  bytes[bytes.findLastIndex((byte) => byte !== 0)]! ^= 4;
  writeFileSync(path, bytes);
  return path;
}

test('a damaged last record is damage where the store was stopped in good order, and told where it was not', () =>
  withDirectory(async (dir) => {
    const stopped = join(dir, 'stopped');
    const killed = join(dir, 'killed');
    await withStore(stopped, async (store) => {
      for (let n = 1; n <= 3; n++) await writeSpans(store, shopSpans(2, 3, n));
      cpSync(stopped, killed, { recursive: true });
    });
    for (const [at, problem, note] of [
      [stopped, 'is damaged at its end: records 3 to 3 are lost', undefined],
      [killed, undefined, 'is no whole record: taken for a write that a crash cut off'],
    ] as const) {
      const path = flipLastWritten(at);
      const { problems, harmless } = await verified(at);
      for (const [found, expected] of [
        [problems, problem],
        [harmless, note],
      ] as const) {
        assert.deepEqual(
          found.map((one) => one.path),
          expected === undefined ? [] : [path],
        );
        if (expected !== undefined) assert.ok(found[0]!.what.includes(expected), found[0]!.what);
      }
      const log = new LogLines();
      await withStore(at, (store) => void store.damage.length, { logger: log.logger });
      assert.equal(log.lines.length, 1, log.lines.join());
      assert.ok(log.lines[0]!.includes(problem ?? note!), log.lines.join());
    }
  }));

test('a store that cannot be written is verified and added up, and nothing is made there', () =>
  withDirectory(async (dir) => {
    await withStore(dir, async (store) => {
      await writeSpans(store, shopSpans(10, 3));
      await store.settle();
      await writeSpans(store, shopSpans(10, 3, 2));
    });
    for (const hasLock of [true, false]) {
      if (!hasLock) rmSync(join(dir, LOCK_FILE));
      const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' });
      for (const path of ['', ...paths].map((name) => join(dir, name))) {
        chmodSync(path, statSync(path).isDirectory() ? 0o555 : 0o444);
      }
      try {
        await asNobody(async () => {
          const { problems, logSpans, blockSpans } = await verified(dir);
          assert.deepEqual([problems, logSpans, blockSpans], [[], 10, 10]);
          await using store = await StoppedStore.open(dir);
          assert.equal((await storeStats(store)).tenants[0]?.spans, 10);
        });
      } finally {
        for (const path of ['', 'wal', 'tenants']) chmodSync(join(dir, path), 0o755);
        for (const path of readdirSync(join(dir, 'tenants')))
          chmodSync(join(dir, 'tenants', path), 0o755);
      }
      assert.deepEqual(readdirSync(dir, { recursive: true, encoding: 'utf8' }), paths);
    }
  }));

test('of a directory that must not be looked into it is not said that no store is in it', () =>
  withDirectory(async (dir) => {
    await withStore(dir, (store) => writeSpans(store, shopSpans(1, 3)));
    chmodSync(dir, 0o000);
    try {
      await asNobody(() => assert.rejects(StoppedStore.open(dir), /data directory \S+: EACCES/));
    } finally {
      chmodSync(dir, 0o755);
    }
  }));

test('what a start lost of the log is told by each later one, and by verify, until its file is removed', async () => {
  for (const [ending, damage] of [
    ['.damaged', () => undefined],
    ['.damaged', truncateSync],
    ['.missing', rmSync],
  ] as const) {
    await withDirectory(async (dir) => {
      await withStore(dir, async (store) => {
        for (let n = 1; n <= 3; n++) await writeSpans(store, shopSpans(2, 3, n));
      });
      const path = flipLastWritten(dir);
      damage(path);
      const told: string[][] = [];
      const startAndWrite = (): Promise<void> =>
        withStore(dir, async (store) => {
          told.push(store.damage.map((one) => one.path));
          assert.equal(figure(store, 'store_damaged_files'), new Set(told.at(-1)).size);
          await writeSpans(store, shopSpans(2, 3, 4));
          await store.settle();
        });
      for (let n = 0; n < 3; n++) await startAndWrite();
      const kept = path + ending;
      assert.deepEqual(told.slice(1), [[kept], [kept]]);
      assert.ok(told[0]!.includes(path));
      const { problems, harmless, strayFiles } = await verified(dir);
      assert.deepEqual(problems, []);
      assert.deepEqual(
        harmless.map((one) => one.path),
        [kept],
      );
      assert.deepEqual(strayFiles, []);
      rmSync(kept);
      await startAndWrite();
      assert.deepEqual(told.at(-1), []);
    });
  }
});

/** Runs `use` as a user whom modes of files keep from something. */
async function asNobody(use: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  try {
    await use();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
