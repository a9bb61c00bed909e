// SPDX-License-Identifier: Apache-2.0
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { BlockFigures } from '../block/block-builder.ts';
import { BlockFile } from '../block/block-file.ts';
import { blockPath } from '../block/block-path.ts';
import { BlockReader } from '../block/block-reader.ts';
import { ByteCache } from '../block/frame-cache.ts';
import { type BlockInfo, damagedBlock, type DamagedBlock } from '../live/known-blocks.ts';
import { OpenFiles } from '../files/open-files.ts';
import { isTransientFileError, type WorkerFiles } from '../files/store-files.ts';
import { DISK_WORKER_FILES } from '../files/worker-files.ts';
import { serveMessages } from '#workers/worker-thread.ts';
import { mergeBlocks } from './block-merger.ts';
import { remainderWithout } from './held-elsewhere.ts';
import { mergeWeight } from './merge-weight.ts';
import { type Remainder, remainderOf, type SpanSelection } from './span-selection.ts';

/** Frames that several columns of a group share; every group is read once. */
const CACHE_BYTES = 2 << 20;

/** Sealing and questions go first. */
const NICENESS = 10;

/** Asks the worker to write what some blocks hold as one new block. */
export interface CompactionRequest {
  readonly id: number;
  readonly dir: string;
  readonly tenant: Tenant;
  readonly sources: readonly {
    readonly id: number;
    /** Spans that are left out; undefined for none. */
    readonly without?: SpanSelection | undefined;
  }[];
  /** Blocks of the tenant whose spans are left out as well; undefined for none. */
  readonly others?: readonly BlockInfo[] | undefined;
  /** Id of the new block. */
  readonly blockId: number;
  /** Nothing is written when no more than this part of the spans would be left out: the blocks stay as they are. */
  readonly minDropRatio: number;
  /** There is no room for the new block: when there would be one, nothing is done but to say so. */
  readonly hasNoRoom?: boolean;
  /** Of several blocks only the first are taken when all weigh more than this in bytes; see {@link mergeWeight}. */
  readonly maxWeight: number;
}

/** What was done. */
export interface CompactionResult {
  /** On disk, in its place, and in no manifest yet; undefined when no span is left or nothing was written. */
  readonly block: BlockFigures | undefined;
  /** Spans that were left out; 0 when nothing was to be done. */
  readonly dropped: number;
  /** Spans that were there twice. */
  readonly copies: number;
  /** So many of the blocks, from the first on, are in it; of several that are too wide to be merged in bounded memory only some. */
  readonly sources: number;
  /** There was no room for what would have been written; then nothing was done. */
  readonly needsRoom?: boolean;
  /** Id of the wider one of the first two blocks, when these are too wide already; then nothing was done. */
  readonly tooWide?: number;
}

/** What comes back: the result, or why there is none, and which blocks could not be read. */
export type CompactionReply = {
  readonly id: number;
  readonly damaged: readonly DamagedBlock[];
} & (
  | { readonly result: CompactionResult }
  | {
      readonly error: string;
      readonly stack: string;
      /** Whether it may pass by itself, whatever is in the blocks: there is no room or no descriptor. */
      readonly isTransient: boolean;
    }
);

function compact(
  request: CompactionRequest,
  workerFiles: WorkerFiles,
  readers: BlockReader[],
  damaged: DamagedBlock[],
): CompactionResult {
  const { dir, tenant, others, blockId } = request;
  const cache = new ByteCache<unknown>(CACHE_BYTES);
  const files = new OpenFiles(workerFiles);
  const weights: number[] = [];
  for (const { id } of request.sources) {
    const reader = openBlock(() => new BlockReader(blockPath(dir, tenant, id), id, cache, files), {
      tenant,
      id,
      damaged,
    });
    readers.push(reader);
    if (request.sources.length === 1) break;
    weights.push(mergeWeight(reader));
    const weight = weights.reduce((sum, one) => sum + one);
    if (weight <= request.maxWeight || readers.length === 1) continue;
    readers.pop()!.close();
    break;
  }
  const count = readers.length;
  if (count === 1 && request.sources.length > 1) {
    const wider = weights[0]! >= weights[1]! ? 0 : 1;
    const tooWide = request.sources[wider]!.id;
    return { block: undefined, dropped: 0, copies: 0, sources: 0, tooWide };
  }
  const sources = request.sources.slice(0, count);
  const remainders = sources.map(({ without }, s): Remainder | undefined => {
    if (others !== undefined) {
      return remainderWithout(readers[s]!, others, { dir, files: workerFiles, damaged });
    }
    return without === undefined ? undefined : remainderOf(readers[s]!, without);
  });
  const dropped = remainders.reduce((sum, remainder) => sum + (remainder?.dropped ?? 0), 0);
  const rows = readers.reduce((sum, { footer }) => sum + footer.rows, 0);
  if (dropped <= rows * request.minDropRatio)
    return { block: undefined, dropped: 0, copies: 0, sources: count };
  if (dropped === rows) return { block: undefined, dropped, copies: 0, sources: count };
  if (request.hasNoRoom === true) {
    return { block: undefined, dropped: 0, copies: 0, sources: count, needsRoom: true };
  }
  const path = blockPath(dir, tenant, blockId);
  const file = new BlockFile(workerFiles, path);
  try {
    const inputs = readers.map((reader, s) => {
      const remainder = remainders[s];
      const isWhole = remainder === undefined || remainder.dropped === 0;
      return { reader, kept: isWhole ? undefined : (g: number) => remainder.kept[g] };
    });
    const { copies, ...block } = mergeBlocks(
      inputs,
      (parts) => file.write(parts),
      others !== undefined,
    );
    file.finish();
    const written = new BlockReader(path, blockId, cache, files);
    written.close();
    if (written.footer.rows !== rows - dropped - copies || block.rows !== written.footer.rows) {
      throw new SpoorError(
        'internal',
        `block ${path}: ${written.footer.rows} spans were written of ${rows}, without ${dropped} left out and ${copies} copies`,
      );
    }
    return { block, dropped, copies, sources: count };
  } catch (error) {
    file.discard();
    throw error;
  }
}

/** Opens a block; one that cannot be opened is noted. */
function openBlock(
  open: () => BlockReader,
  { damaged, ...block }: Pick<DamagedBlock, 'tenant' | 'id'> & { damaged: DamagedBlock[] },
): BlockReader {
  try {
    return open();
  } catch (error) {
    const isCorrupt = error instanceof SpoorError && error.code === 'corrupt';
    if (isCorrupt) damaged.push(damagedBlock(block, error));
    throw error;
  }
}

function answer(request: CompactionRequest, files: WorkerFiles): CompactionReply {
  const { id, tenant, sources } = request;
  const readers: BlockReader[] = [];
  const damaged: DamagedBlock[] = [];
  try {
    return { id, result: compact(request, files, readers, damaged), damaged };
  } catch (error) {
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    const at = readers.findIndex(({ damage }) => damage !== undefined);
    if (at >= 0) damaged.push(damagedBlock({ tenant, id: sources[at]!.id }, readers[at]!.damage));
    return { id, error: message, stack, isTransient: isTransientFileError(error), damaged };
  } finally {
    for (const reader of readers) reader.close();
  }
}

/** What answers the requests, on the thread that calls it. */
export function createAnswerer(
  files: WorkerFiles,
): (request: CompactionRequest) => CompactionReply {
  return (request) => answer(request, files);
}

/** Lowers the priority of this thread alone, where the system can: on Linux a thread has a number like a process. */
function stepBack(): void {
  try {
    const thread = readlinkSync('/proc/thread-self').split('/').at(-1);
    setPriority(Number(thread), NICENESS);
  } catch {
    // Elsewhere it shares the processor evenly.
  }
}

if (parentPort !== null) stepBack();
serveMessages(createAnswerer(DISK_WORKER_FILES));
