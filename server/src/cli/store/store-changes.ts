// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { ColumnarStore } from '#storage/columnar/columnar-store.ts';
import { requireStore } from '#storage/columnar/inspection/stopped-store.ts';
import type { Deletion } from './deletion.ts';

/** Blocks of a store at one moment. */
interface BlocksNow {
  readonly blocks: number;
  readonly spans: number;
  readonly sizeBytes: number;
}

/** What was changed. */
export interface ChangeReport {
  readonly before: BlocksNow;
  readonly after: BlocksNow;
  /** Undefined when nothing was to be deleted. */
  readonly deletedSpans?: number;
}

/**
 * Opens a store as a server does, seals what is only in its log, and compacts it or deletes from it.
 * @param tell what the store warns of
 * @throws {SpoorError} as a start of the store; internal: a block cannot be read
 */
export async function changeStore(
  dir: string,
  deletion: Deletion | undefined,
  tell: (message: string) => void,
): Promise<ChangeReport> {
  requireStore(dir);
  const warn = (_: unknown, message = ''): void => tell(message);
  const store = new ColumnarStore({
    dir: resolve(dir),
    logger: { info: () => undefined, warn, error: warn },
    // Only what was asked for.
    mergeFanIn: Infinity,
  });
  try {
    await store.start();
    await store.settle();
    const before = blocksNow(store);
    if (deletion === undefined) {
      await store.compact();
      return { before, after: blocksNow(store) };
    }
    const { tenant, selection, dropUnreadable } = deletion;
    const deletedSpans = await store.deleteSpans(tenant, selection, { dropUnreadable });
    return { before, after: blocksNow(store), deletedSpans };
  } finally {
    await store.shutdown();
  }
}

function blocksNow(store: ColumnarStore): BlocksNow {
  const figures = store.figures();
  const value = (name: string): number => figures.get(name)?.value ?? 0;
  return {
    blocks: value('store_blocks'),
    spans: value('store_block_spans'),
    sizeBytes: value('store_block_bytes'),
  };
}
