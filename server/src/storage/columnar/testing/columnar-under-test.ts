// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreUnderTest } from '#storage/testing/store-harness.ts';
import type { ColumnarStore } from '../columnar-store.ts';
import type { ColumnarStoreOptions } from '../columnar-store-options.ts';
import { FaultyFiles } from './faulty-files.ts';
import { storeOn, storeOnFaulty } from './store-fixture.ts';

const HOUR_MS = 3_600_000;
/** What is older is forgotten. */
const MAX_AGE_MS = 7 * 24 * HOUR_MS;
/** A history may wait often before anything of it is too old. */
const WAIT_MS = 5 * HOUR_MS;

/** A new store on a temporary directory, with threads, for the tests that every store passes. */
export async function columnarOnDisk(): Promise<StoreUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), 'spoor-columnar-'));
  return columnarUnderTest(
    (options) => storeOn(dir, options),
    () => rm(dir, { recursive: true }),
  );
}

/** The same on files in memory and one thread: cheap to make, and all happens in one order. */
export function columnarInMemory(): StoreUnderTest {
  const files = new FaultyFiles();
  return columnarUnderTest((options) => storeOnFaulty(files, options));
}

function columnarUnderTest(
  make: (options: Partial<ColumnarStoreOptions>) => ColumnarStore,
  remove: () => Promise<void> = async () => {},
): StoreUnderTest {
  let skippedMs = 0;
  const options = {
    nowMs: (): number => Date.now() + skippedMs,
    retention: { maxAgeMs: MAX_AGE_MS },
    mergeFanIn: 3,
  };
  let store = make(options);
  return {
    store,
    reopen: async () => {
      await store.shutdown();
      store = make(options);
      await store.start();
      return store;
    },
    settle: () => store.settle(),
    merge: () => store.compact(),
    delete: async (tenant, where) => {
      await store.deleteSpans(tenant, { where });
    },
    expire: async () => {
      await store.settle();
      skippedMs += MAX_AGE_MS;
      await store.applyRetention();
    },
    wait: () => {
      skippedMs += WAIT_MS;
    },
    close: async () => {
      await store.shutdown();
      await remove();
    },
  };
}
