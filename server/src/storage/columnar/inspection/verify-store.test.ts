// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { test } from 'node:test';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { writeSpans } from '#storage/testing/store-harness.ts';
import { overlapsPath } from '../block/block-path.ts';
import { overlapsFlaw } from '../derived/overlaps-file.ts';
import { shopSpans } from '../testing/block-fixture.ts';
import { withStore } from '../testing/store-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { StoppedStore } from './stopped-store.ts';
import { verifyStore } from './verify-store.ts';

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

test('a file of overlaps that was torn does no harm, and the next start makes it anew', () =>
  withDirectory(async (dir) => {
    const path = overlapsPath(dir, DEFAULT_TENANT);
    const found = async (): Promise<{ problems: string[]; harmless: string[] }> => {
      await using store = await StoppedStore.open(dir);
      const { problems, harmless } = await verifyStore(store);
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
