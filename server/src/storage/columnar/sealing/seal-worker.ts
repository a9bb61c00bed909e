// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { BlockFile } from '../block/block-file.ts';
import { blockPath } from '../block/block-path.ts';
import { encodeBlock } from './block-writer.ts';
import { type BlocksMessage, type DamagedBlock, KnownBlocks } from '../live/known-blocks.ts';
import { readSlab, type SlabView } from '../head/slab.ts';
import { fileErrorCode, type WorkerFiles } from '../files/store-files.ts';
import { DISK_WORKER_FILES } from '../files/worker-files.ts';
import { serveMessages } from '#workers/worker-thread.ts';

/** Asks the worker to write the spans of a slab as one block a tenant. */
export interface SealRequest {
  readonly id: number;
  readonly dir: string;
  readonly slab: SlabView;
  /** Tenants by their number in the slab. */
  readonly tenants: readonly Tenant[];
  /** Ids for the blocks, one for each tenant in the slab. */
  readonly blockIds: readonly number[];
}

/** A block that is on disk, in its place, and in no manifest yet. */
export interface SealedBlock {
  readonly tenant: Tenant;
  readonly id: number;
  readonly rows: number;
  readonly traces: number;
  readonly bytes: number;
  readonly minStartUnixNano: bigint;
  readonly maxStartUnixNano: bigint;
}

/** What comes back: the blocks, none of a tenant whose spans are all in blocks already; or why there are none. */
export type SealReply = {
  readonly id: number;
  /** Blocks that could not be read: what they hold may now stand twice. */
  readonly damaged: readonly DamagedBlock[];
} & (
  | { readonly blocks: readonly SealedBlock[] }
  | {
      readonly error: string;
      readonly stack: string;
      /** Of a file call that failed, such as `ENOSPC`; otherwise empty. */
      readonly fileError: string;
    }
);

/** Writes blocks and makes them durable; nobody looks at them before they are in the manifest. */
function seal(request: SealRequest, files: WorkerFiles, known: KnownBlocks): SealedBlock[] {
  const batches = new Map<number, SpanBatch[]>();
  for (const { tenantNumber, batch } of readSlab(request.slab)) {
    const list = batches.get(tenantNumber);
    if (list === undefined) batches.set(tenantNumber, [batch]);
    else list.push(batch);
  }
  const written: BlockFile[] = [];
  try {
    return [...batches].flatMap(([tenantNumber, list], i) => {
      const tenant = request.tenants[tenantNumber]!;
      const id = request.blockIds[i]!;
      const encoded = encodeBlock(list, known.of(tenant));
      if (encoded === undefined) return [];
      const { parts, ...block } = encoded;
      const file = new BlockFile(files, blockPath(request.dir, tenant, id));
      written.push(file);
      file.write(parts);
      file.finish();
      return [{ tenant, id, ...block }];
    });
  } catch (error) {
    // It is tried again under other ids: these would stay, and the disk may be full already.
    for (const file of written) file.discard();
    throw error;
  }
}

/** What answers the requests to seal, on the thread that calls it; what it is told of blocks needs no answer. */
export function createAnswerer(
  files: WorkerFiles,
): (message: SealRequest | BlocksMessage) => SealReply | undefined {
  const known = new KnownBlocks(files);
  return (message) => {
    if ('added' in message) {
      known.change(message);
      return undefined;
    }
    const { id } = message;
    try {
      const blocks = seal(message, files, known);
      return { id, blocks, damaged: known.takeDamage() };
    } catch (error) {
      const { message: why, stack = '' } =
        error instanceof Error ? error : new Error(String(error));
      const damaged = known.takeDamage();
      return { id, error: why, stack, fileError: fileErrorCode(error), damaged };
    }
  };
}

serveMessages(createAnswerer(DISK_WORKER_FILES));
