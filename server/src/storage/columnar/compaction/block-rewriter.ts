// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { AskedWorker, CreateWorker } from '#workers/worker-client.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import type { CompactionCounts } from './compaction-figures.ts';
import type { CompactionReply, CompactionRequest, CompactionResult } from './compaction-worker.ts';
import { mergedEntry } from './merged-entry.ts';
import type { SpanSelection } from './span-selection.ts';

/** Pause after blocks could not be written anew: most often the disk is full, and each try writes until it is. */
export const RETRY_MS = 60_000;

/** What a merge may take for its blocks, in bytes; those of some dozens of columns take a hundredth of that. */
export const MAX_MERGE_WEIGHT = 64 << 20;

/** Heap of the worker beyond its buffers. */
const WORKER_HEAP_MIB = 512;

/** Blocks are written anew one after the other, or hours apart. */
const WORKER_IDLE_MS = 10_000;

/** Options of {@link BlockRewriter}. */
export interface BlockRewriterOptions {
  readonly dir: string;
  readonly createWorker: CreateWorker;
  readonly blocks: LiveBlocks;
  /** Whether so many bytes can be written while others write too, as the disk is now. */
  readonly hasRoomFor: (bytes: number) => Promise<boolean>;
  readonly counts: Pick<CompactionCounts, 'rewrittenBytes' | 'postponed'>;
}

/** A block, and the spans that are left out when it is written anew; undefined for none. */
export interface RewrittenBlock {
  readonly block: BlockEntry;
  readonly without: SpanSelection | undefined;
}

/** Writes blocks anew, alone or several as one, in a worker, and puts the new ones in their place. For one caller at a time. */
export class BlockRewriter {
  readonly #options: BlockRewriterOptions;
  readonly #worker: AskedWorker<CompactionRequest, CompactionReply>;

  constructor(options: BlockRewriterOptions) {
    this.#options = options;
    this.#worker = options.createWorker(new URL('./compaction-worker.ts', import.meta.url), {
      maxHeapMib: WORKER_HEAP_MIB,
      idleMs: WORKER_IDLE_MS,
    });
  }

  /** Breaks off what is under way: nothing of it counts yet. */
  async close(): Promise<void> {
    await this.#worker.close();
  }

  /**
   * Has the worker write a new block of others of one tenant; it does not count yet.
   * @throws {SpoorError} corrupt: one of them is damaged, and left out from now on; unavailable: there is no room, or no descriptor; internal
   */
  async write(
    sources: readonly RewrittenBlock[],
    how: Partial<Pick<CompactionRequest, 'others' | 'minDropRatio' | 'hasNoRoom'>> = {},
  ): Promise<{ result: CompactionResult; id: number }> {
    const { dir, blocks } = this.#options;
    const { tenant } = sources[0]!.block;
    const blockId = blocks.takeId();
    const reply = await this.#worker.request((id) => ({
      id,
      dir,
      tenant,
      sources: sources.map(({ block, without }) => ({ id: block.id, without })),
      blockId,
      minDropRatio: -1,
      maxWeight: MAX_MERGE_WEIGHT,
      ...how,
    }));
    blocks.noteDamage(reply.damaged);
    if ('result' in reply) return { result: reply.result, id: blockId };
    const code = reply.damaged.length > 0 ? 'corrupt' : 'internal';
    throw new SpoorError(reply.isTransient ? 'unavailable' : code, reply.error, {
      cause: reply.stack,
    });
  }

  /**
   * Leaves spans out of blocks, and removes others as a whole, all in one step.
   * @param minDropRatio a block of which no more than this part would go stays as it is
   * @param unwanted blocks that go as a whole
   * @returns how many spans these were
   * @throws {SpoorError} as {@link write}, and unavailable: a block was left out meanwhile; nothing was removed
   */
  async leaveOut(
    wanted: readonly RewrittenBlock[],
    minDropRatio: number,
    unwanted: readonly BlockEntry[] = [],
  ): Promise<number> {
    const { blocks, hasRoomFor, counts } = this.#options;
    const addBlocks: BlockEntry[] = [];
    const removeBlocks = [...unwanted];
    let dropped = unwanted.reduce((sum, { spans }) => sum + spans, 0);
    try {
      for (const one of wanted) {
        const { block } = one;
        // Most often few have such spans.
        const hasNoRoom = !(await hasRoomFor(block.sizeBytes));
        const { result, id } = await this.write([one], { minDropRatio, hasNoRoom });
        if (result.needsRoom === true) throw this.#noRoomFor([block]);
        if (result.dropped === 0) continue;
        dropped += result.dropped;
        removeBlocks.push(block);
        if (result.block !== undefined) {
          addBlocks.push(mergedEntry([block], result.block, id, block.level));
        }
      }
    } catch (error) {
      await blocks.discard(addBlocks);
      throw error;
    }
    if (removeBlocks.length === 0) return 0;
    await this.replace(removeBlocks, addBlocks, unwanted);
    counts.rewrittenBytes += bytesOf(addBlocks);
    return dropped;
  }

  /**
   * Puts new blocks in the place of others. What of these is left out since they were read may be in yet others by now.
   * @param unwanted those of them that are only to go
   * @throws {SpoorError} unavailable
   */
  async replace(
    sources: readonly BlockEntry[],
    addBlocks: readonly BlockEntry[],
    unwanted: readonly BlockEntry[] = [],
  ): Promise<void> {
    const { blocks } = this.#options;
    const usable = new Set([...blocks.readable(), ...unwanted]);
    const unusable = sources.find((block) => !usable.has(block));
    if (unusable !== undefined) {
      await blocks.discard(addBlocks);
      throw new SpoorError('unavailable', `block ${unusable.id} was left out meanwhile`);
    }
    const removeBlocks = sources.map(({ tenant, id }) => ({ tenant, id }));
    await blocks.commit({ addBlocks, removeBlocks });
  }

  /** Makes sure that blocks can be written anew while they are still there. @throws {SpoorError} unavailable */
  async requireRoom(blocks: readonly BlockEntry[]): Promise<void> {
    if (!(await this.#options.hasRoomFor(bytesOf(blocks)))) throw this.#noRoomFor(blocks);
  }

  /** Counts what is put off, and says why. */
  #noRoomFor(blocks: readonly BlockEntry[]): SpoorError {
    this.#options.counts.postponed++;
    return new SpoorError(
      'unavailable',
      `${blocks.length} blocks of ${bytesOf(blocks)} bytes are to be written anew, and there is not so much room beside what is kept free on the disk`,
      { retryAfterMs: RETRY_MS },
    );
  }
}

function bytesOf(blocks: readonly BlockEntry[]): number {
  return blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
