// SPDX-License-Identifier: Apache-2.0
import { enableCompileCache } from 'node:module';
import { DEFAULT_TENANT, type Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { writeSpans } from '#storage/testing/store-harness.ts';
import { ColumnarStore } from '../columnar-store.ts';
import type { ColumnarStoreOptions } from '../columnar-store-options.ts';
import type { FaultyFiles } from './faulty-files.ts';
import { SPARE_MS } from '../wal/wal-segment-supply.ts';
import { inlineWorkers } from './inline-worker.ts';

// The tests start some hundred workers.
enableCompileCache();

/** What a store said in its log: the texts of warnings and errors, in order. */
export class LogLines {
  readonly lines: string[] = [];
  readonly logger: ColumnarStoreOptions['logger'] = {
    info: () => {},
    warn: (_: unknown, text?: string) => this.lines.push(text ?? ''),
    error: (_: unknown, text?: string) => this.lines.push(text ?? ''),
  };
}

/** Slabs of so few spans that sealing happens often. */
export const SLAB_ROWS = 40;

/** Small segments of the log, which are quickly made. */
const SEGMENT_BYTES = 1 << 20;

/** A store on a directory, not started yet. */
export function storeOn(dir: string, options: Partial<ColumnarStoreOptions> = {}): ColumnarStore {
  return new ColumnarStore({
    dir,
    logger: new LogLines().logger,
    slabRows: SLAB_ROWS,
    segmentBytes: SEGMENT_BYTES,
    mergeFanIn: Infinity,
    ...options,
  });
}

/** Where the store of {@link storeOnFaulty} lies. */
const FAULTY_DIR = '/data/store';

/** A store on files in memory, with all of it on this thread; it waits for nothing. */
export function storeOnFaulty(
  files: FaultyFiles,
  options: Partial<ColumnarStoreOptions> = {},
): ColumnarStore {
  return storeOn(FAULTY_DIR, {
    files,
    createWorker: inlineWorkers(files.workers),
    slabRows: SLAB_ROWS / 2,
    segmentBytes: 8 << 10,
    later: (action, delayMs) => {
      // The log does not come to rest: which of its files are there follows from what is done alone.
      const soon = delayMs === SPARE_MS ? undefined : setTimeout(action, 1);
      return () => clearTimeout(soon);
    },
    ...options,
  });
}

/** Lets `use` work with a store on files in memory, and shuts it down afterwards. */
export async function inFaultyStore(
  files: FaultyFiles,
  use: (store: ColumnarStore) => Promise<unknown>,
  options: Partial<ColumnarStoreOptions> = {},
): Promise<void> {
  const store = storeOnFaulty(files, options);
  try {
    await store.start();
    await use(store);
  } finally {
    await store.shutdown();
  }
}

/**
 * What is left when the power goes at a call of a start or of the shutdown behind it, one after the other.
 * @param stride 3: at every third call
 */
export async function* powerLosses(
  files: FaultyFiles,
  options: Partial<ColumnarStoreOptions>,
  stride: number,
): AsyncGenerator<{ readonly after: FaultyFiles; readonly what: string }> {
  const untouched = files.copy();
  await inFaultyStore(untouched, async () => {}, options);
  for (let call = 1; call <= untouched.calls; call += stride) {
    for (const keep of ['nothing', 'all'] as const) {
      const copy = files.copy();
      copy.failAt(call, 'EIO', true);
      // The start fails, or what comes after it.
      await inFaultyStore(copy, async () => {}, options).catch(() => undefined);
      yield { after: copy.powerLoss({ keep }), what: `call ${call}, ${keep} kept` };
    }
  }
}

/** Lets `use` work with a store on a directory, and shuts it down afterwards. */
export async function withStore<Result>(
  dir: string,
  use: (store: ColumnarStore) => Result | Promise<Result>,
  options: Partial<ColumnarStoreOptions> = {},
): Promise<Result> {
  const store = storeOn(dir, options);
  try {
    await store.start();
    return await use(store);
  } finally {
    await store.shutdown();
  }
}

/** Writes plain spans as one batch, and waits until they are in a block. */
export async function writeBlock(
  store: ColumnarStore,
  spans: readonly Span[],
  tenant: Tenant = DEFAULT_TENANT,
): Promise<void> {
  await writeSpans(store, spans, tenant);
  await store.settle();
}

/** Waits until everything is sealed, or cannot be for the moment. */
export async function settledOrFailed(store: ColumnarStore): Promise<void> {
  let isSettled = false;
  store.settle().then(
    () => (isSettled = true),
    // It is shut down, where not all could be.
    () => undefined,
  );
  while (!isSettled && store.unhealthy === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The value of a figure. */
export function figure(store: ColumnarStore, name: string): number {
  return store.figures().get(name)!.value;
}
