// SPDX-License-Identifier: Apache-2.0
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { blockPath } from './block-path.ts';
import { encodeBlock } from './block-writer.ts';
import { type BlocksMessage, type DamagedBlock, KnownBlocks } from './known-blocks.ts';
import { readSlab, type SlabView } from './slab.ts';

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
  | { readonly error: string; readonly stack: string }
);

const known = new KnownBlocks();

/** Writes a block and makes it durable; nobody looks at it before it is in the manifest. */
function seal(request: SealRequest): SealedBlock[] {
  const batches = new Map<number, SpanBatch[]>();
  for (const { tenantNumber, batch } of readSlab(request.slab)) {
    const list = batches.get(tenantNumber);
    if (list === undefined) batches.set(tenantNumber, [batch]);
    else list.push(batch);
  }
  const written: string[] = [];
  try {
    return [...batches].flatMap(([tenantNumber, list], i) => {
      const tenant = request.tenants[tenantNumber]!;
      const id = request.blockIds[i]!;
      const encoded = encodeBlock(list, known.of(tenant));
      if (encoded === undefined) return [];
      const { parts, ...block } = encoded;
      const path = blockPath(request.dir, tenant, id);
      written.push(path);
      writeDurably(path, parts);
      return [{ tenant, id, ...block }];
    });
  } catch (error) {
    // It is tried again under other ids: these would stay, and the disk may be full already.
    for (const path of written) removeIfThere(path);
    throw error;
  }
}

/** What cannot be removed now is removed at the next start. */
function removeIfThere(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {
    // The error that made it superfluous is the one to tell.
  }
}

function writeDurably(path: string, parts: readonly Uint8Array[]): void {
  const dir = dirname(path);
  if (!fs.existsSync(dir)) {
    fs.mkdirSync(dir, { recursive: true });
    // The directory of all tenants may be new, too.
    syncDir(join(dir, '..'));
    syncDir(join(dir, '../..'));
  }
  const file = fs.openSync(path, 'w');
  try {
    for (const part of parts) writeWhole(file, part);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  syncDir(dir);
}

function writeWhole(file: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += fs.writeSync(file, bytes, done, bytes.length - done);
}

function syncDir(dir: string): void {
  const handle = fs.openSync(dir, 'r');
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

parentPort?.on('message', (message: SealRequest | BlocksMessage) => {
  if ('added' in message) {
    known.change(message);
    return;
  }
  const { id } = message;
  let reply: SealReply;
  try {
    const blocks = seal(message);
    reply = { id, blocks, damaged: known.takeDamage() };
  } catch (error) {
    const { message: why, stack = '' } = error instanceof Error ? error : new Error(String(error));
    reply = { id, error: why, stack, damaged: known.takeDamage() };
  }
  parentPort?.postMessage(reply);
});
