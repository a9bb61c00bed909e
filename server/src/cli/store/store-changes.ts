// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import { ColumnarStore } from '#storage/columnar/columnar-store.ts';
import { isOutOfSpace } from '#storage/columnar/files/store-files.ts';
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
  /** Blocks that were left as they are since they cannot be read. */
  readonly damagedBlocks: number;
  /** Undefined when nothing was to be deleted. */
  readonly deletedSpans?: number;
}

/**
 * Opens a store as a server does, seals what is only in its log, and compacts it or deletes from it.
 * @param tell what the store warns of
 * @throws {SpoorError} as a start of the store; unavailable: there is no room, or a block cannot be read that may hold such spans, and nothing was deleted
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
    // Who typed the command can make room, and does not know that it waits for that.
    isPatient: false,
  });
  try {
    await store.start();
    await store.settle();
    const before = blocksNow(store);
    if (deletion === undefined) {
      // Of a damaged block the store has warned, and all others are merged.
      await store.compact().catch(unlessDamaged);
      return { before, ...changed(store) };
    }
    const { tenant, selection, dropUnreadable } = deletion;
    const deletedSpans = await store.deleteSpans(tenant, selection, { dropUnreadable });
    return { before, ...changed(store), deletedSpans };
  } catch (error) {
    throw isOutOfSpace(error) ? roomMissing(dir, deletion, error) : error;
  } finally {
    await store.shutdown();
  }
}

function unlessDamaged(error: unknown): void {
  if (!(error instanceof SpoorError && error.code === 'corrupt')) throw error;
}

function changed(store: ColumnarStore): Pick<ChangeReport, 'after' | 'damagedBlocks'> {
  return { after: blocksNow(store), damagedBlocks: figure(store, 'store_damaged_blocks') };
}

function figure(store: ColumnarStore, name: string): number {
  return store.figures().get(name)?.value ?? 0;
}

function roomMissing(dir: string, deletion: Deletion | undefined, cause: unknown): SpoorError {
  const undone = deletion === undefined ? 'not all was merged' : 'nothing was deleted';
  return new SpoorError(
    'unavailable',
    `${undone} in ${dir}, and nothing is lost: ${messageOf(cause)}. Make room on its disk, also for what is only in the write-ahead log and becomes blocks first, or move the directory to a larger one, and try again`,
    { cause },
  );
}

function blocksNow(store: ColumnarStore): BlocksNow {
  return {
    blocks: figure(store, 'store_blocks'),
    spans: figure(store, 'store_block_spans'),
    sizeBytes: figure(store, 'store_block_bytes'),
  };
}
