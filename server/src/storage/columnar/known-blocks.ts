// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpoorError } from '@spoor/core/model/errors.ts';
import type { EarlierBlocks, OverlappedBlock } from './block-overlap.ts';
import { blockPath } from './block-path.ts';
import { BlockReader } from './block-reader.ts';
import { ByteCache } from './frame-cache.ts';
import { OpenFiles } from './open-files.ts';
import { fileErrorCode, type WorkerFiles } from './store-files.ts';
import type { TraceFilter } from './trace-filter.ts';

/** A block that the manifest names. */
export interface BlockInfo {
  readonly tenant: Tenant;
  readonly id: number;
  readonly minStartUnixNano: bigint;
  readonly maxStartUnixNano: bigint;
}

/**
 * Tells a worker which blocks came and went in one step; what it is asked later sees it so. Files of blocks that went must stay
 * until the worker has answered what it was asked before.
 */
export interface BlocksMessage {
  readonly dir: string;
  readonly added: readonly BlockInfo[];
  readonly removed: readonly Pick<BlockInfo, 'tenant' | 'id'>[];
  /** Blocks that are there and cannot be read: no worker looks into them any more, until they are removed or the store starts anew. */
  readonly unreadable: readonly Pick<BlockInfo, 'tenant' | 'id'>[];
}

/** A block that could not be read, and why. */
export interface DamagedBlock extends Pick<BlockInfo, 'tenant' | 'id'> {
  readonly reason: string;
  /** The disk failed to read it: what it holds may be whole, and readable later. */
  readonly isReadError: boolean;
}

/** What to say of a block after an error. */
export function damagedBlock(
  { tenant, id }: Pick<BlockInfo, 'tenant' | 'id'>,
  error: unknown,
): DamagedBlock {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return { tenant, id, reason: message, isReadError: fileErrorCode(cause) !== '' };
}

/** Open blocks of one worker: each has its footer in memory, some 80 kB for 100,000 spans. */
const MAX_OPEN = 32;

/** What readers share; they go through a block once and in order, so little is read again. */
const CACHE_BYTES = 2 << 20;

/**
 * The blocks of all tenants as a worker that writes blocks knows them. Their trace filters stay in memory, 2 bytes a trace: 2.2 MB
 * for 20 million spans in 1.1 million traces. Files are opened when a filter says that there is something to find.
 */
export class KnownBlocks {
  readonly #tenants = new Map<Tenant, Map<number, KnownBlock>>();
  /** By tenant, blocks that are there but cannot be read. */
  readonly #unreadable = new Map<Tenant, Set<number>>();
  /** Least recently used first. */
  readonly #open = new Map<KnownBlock, BlockReader>();
  readonly #cache = new ByteCache<unknown>(CACHE_BYTES);
  readonly #files: OpenFiles;
  readonly #damaged: DamagedBlock[] = [];

  constructor(files: WorkerFiles) {
    this.#files = new OpenFiles(files, MAX_OPEN);
  }

  /** Takes note of blocks that came and went. */
  change({ dir, added, removed, unreadable }: BlocksMessage): void {
    for (const info of added) {
      const known = this.#tenants.get(info.tenant) ?? new Map<number, KnownBlock>();
      this.#tenants.set(info.tenant, known);
      // A worker that starts just now may be told of a new block twice.
      if (known.has(info.id)) continue;
      const path = blockPath(dir, info.tenant, info.id);
      const open = (block: KnownBlock): BlockReader => this.#reader(block, path);
      known.set(info.id, new KnownBlock(info, open, this.#damaged));
    }
    for (const { tenant, id } of removed) {
      this.#forget(tenant, id);
      this.#unreadable.get(tenant)?.delete(id);
    }
    for (const { tenant, id } of unreadable) {
      this.#forget(tenant, id);
      const ids = this.#unreadable.get(tenant);
      if (ids === undefined) this.#unreadable.set(tenant, new Set([id]));
      else ids.add(id);
    }
  }

  /** Blocks of a tenant that can be read, newest first. */
  of(tenant: Tenant): EarlierBlocks {
    const known = [...(this.#tenants.get(tenant)?.values() ?? [])];
    const blocks = known.filter(({ isDamaged }) => !isDamaged).sort((a, b) => b.id - a.id);
    const unreadable = this.#unreadable.get(tenant)?.size ?? 0;
    return { blocks, isComplete: unreadable === 0 && blocks.length === known.length };
  }

  /** What was found to be damaged since the last call; it is left out from then on. */
  takeDamage(): DamagedBlock[] {
    return this.#damaged.splice(0);
  }

  #reader(block: KnownBlock, path: string): BlockReader {
    let reader = this.#open.get(block);
    if (reader === undefined) {
      reader = new BlockReader(path, block.id, this.#cache, this.#files);
      for (const oldest of this.#open.keys()) {
        if (this.#open.size < MAX_OPEN) break;
        this.#close(oldest);
      }
    }
    this.#open.delete(block);
    this.#open.set(block, reader);
    return reader;
  }

  #forget(tenant: Tenant, id: number): void {
    const known = this.#tenants.get(tenant);
    const block = known?.get(id);
    if (block === undefined) return;
    known!.delete(id);
    if (known!.size === 0) this.#tenants.delete(tenant);
    this.#close(block);
  }

  #close(block: KnownBlock): void {
    this.#open.get(block)?.close();
    this.#open.delete(block);
  }
}

/** One of {@link KnownBlocks}. */
class KnownBlock implements OverlappedBlock {
  readonly tenant: Tenant;
  readonly id: number;
  /** Epoch ns, rough. */
  readonly minStart: number;
  readonly maxStart: number;
  /** Nothing is looked for in it any more. */
  isDamaged = false;
  readonly #damaged: DamagedBlock[];
  readonly #open: (block: KnownBlock) => BlockReader;
  #filter: TraceFilter | undefined;

  constructor(info: BlockInfo, open: (block: KnownBlock) => BlockReader, damaged: DamagedBlock[]) {
    this.tenant = info.tenant;
    this.id = info.id;
    this.#damaged = damaged;
    this.minStart = Number(info.minStartUnixNano);
    this.maxStart = Number(info.maxStartUnixNano);
    this.#open = open;
  }

  /** @throws {SpoorError} corrupt; unavailable when too many files are open */
  get filter(): TraceFilter {
    return (this.#filter ??= this.reader().filter);
  }

  /** Valid until another block is asked for its reader. @throws {SpoorError} as {@link filter} */
  reader(): BlockReader {
    return this.#open(this);
  }

  setAside(error: SpoorError): void {
    this.isDamaged = true;
    this.#damaged.push(damagedBlock(this, error));
  }
}
