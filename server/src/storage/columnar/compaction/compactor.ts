// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import type { AskedWorker, CreateWorker } from '#workers/worker-client.ts';
import type { CompactionReply, CompactionRequest, CompactionResult } from './compaction-worker.ts';
import { AgeTime } from './age-time.ts';
import type { GuardedClock } from './guarded-clock.ts';
import { inTurn, type PlannedMerge, planMerge } from './merge-policy.ts';
import {
  expiredBlocks,
  expiredSpans,
  hasAgesOfServices,
  keptBytes,
  type RetentionPolicy,
} from './retention-policy.ts';
import { mergedEntry } from './merged-entry.ts';
import { Setbacks } from './setbacks.ts';
import type { SpanSelection } from './span-selection.ts';

/** How often it is looked whether something is to be done, beside the times when blocks came. */
const CHECK_MS = 60_000;

/** Pause after a merge that failed: most often the disk is full, and each try writes until it is. */
const RETRY_MS = 60_000;

/** Blocks of which a smaller part is past its age are not written anew for it: the next merge leaves it out. */
const REWRITE_RATIO = 0.3;

/** What a merge may take for its blocks, in bytes; those of some dozens of columns take a hundredth of that. */
const MAX_MERGE_WEIGHT = 64 << 20;

/** Heap of the worker beyond its buffers. */
const WORKER_HEAP_MIB = 512;

/** Merges come one after the other, or hours apart. */
const WORKER_IDLE_MS = 10_000;

/** Options of {@link Compactor}. */
export interface CompactorOptions {
  readonly dir: string;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Ages blocks. */
  readonly clock: GuardedClock;
  /** Time since some moment, which nobody can set. */
  readonly passedMs: () => number;
  readonly createWorker: CreateWorker;
  readonly retention: RetentionPolicy;
  /** Sealed blocks that make one merged one, 8 by default; Infinity: blocks are only merged when that is asked for. */
  readonly mergeFanIn: number | undefined;
  readonly blocks: LiveBlocks;
  /** Whether so many bytes can be written while others write too, as the disk is now. */
  readonly hasRoomFor: (bytes: number) => Promise<boolean>;
}

/** How {@link Compactor.delete} deletes. */
export interface DeleteOptions {
  /** Blocks that cannot be read and may hold such spans go as a whole. */
  readonly dropUnreadable?: boolean;
}

/** What was done since the start. */
export interface CompactionFigures {
  readonly merges: number;
  readonly mergedSpans: number;
  readonly mergedBytes: number;
  readonly rewrittenBytes: number;
  readonly expiredBlocks: number;
  readonly expiredSpans: number;
  readonly deletedSpans: number;
  /** Merges and rewrites that were put off for want of space. */
  readonly postponed: number;
  /** Merges and rewrites for retention that failed; each is tried again. */
  readonly failures: number;
  /** Blocks that are found to be too wide for a merge. */
  readonly tooWide: number;
}

/** Looks after the blocks of a store once they are sealed: one thing at a time, so that no two work on the same block. */
export class Compactor {
  readonly #options: CompactorOptions;
  readonly #ageTime: AgeTime;
  readonly #worker: AskedWorker<CompactionRequest, CompactionReply>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** The last of the things to do; never rejects. */
  #last: Promise<void> = Promise.resolve();
  /** Whether a check waits for its turn. */
  #checking = false;
  #mergeAgainMs = 0;
  /** When it is tried again to read what could not be read. */
  #takeBackMs: number | undefined;
  #failure: string | undefined;
  /** Per block what was found to be too little of it to rewrite it. */
  readonly #weighed = new Map<number, string>();
  /** Blocks with so many columns that merging them with a narrower one would take too much memory. */
  readonly #tooWide = new Set<number>();
  /** The tenant of the last merge, done or not. */
  #lastMerged: Tenant | undefined;
  readonly #keptBytes: (tenant: Tenant) => number;
  readonly #failedMerges: Setbacks;
  readonly #failedRewrites: Setbacks;
  readonly #figures = {
    merges: 0,
    mergedSpans: 0,
    mergedBytes: 0,
    rewrittenBytes: 0,
    expiredBlocks: 0,
    expiredSpans: 0,
    deletedSpans: 0,
    postponed: 0,
    failures: 0,
  };

  constructor(options: CompactorOptions) {
    this.#options = options;
    this.#keptBytes = (tenant) => keptBytes(tenant, options.retention);
    this.#ageTime = new AgeTime(options);
    this.#failedMerges = new Setbacks(options.passedMs);
    this.#failedRewrites = new Setbacks(options.passedMs);
    this.#worker = options.createWorker(new URL('./compaction-worker.ts', import.meta.url), {
      maxHeapMib: WORKER_HEAP_MIB,
      idleMs: WORKER_IDLE_MS,
    });
  }

  start(): void {
    this.#timer = setInterval(() => this.check(), CHECK_MS).unref();
    this.check();
  }

  /** Breaks off what is under way: nothing of it counts yet. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#worker.close();
    await this.#last;
  }

  get figures(): CompactionFigures {
    return { ...this.#figures, tooWide: this.#tooWide.size };
  }

  /** Does in the background what is due; to be called when there are new blocks. */
  check(): void {
    const isStarted = this.#timer !== undefined;
    if (!isStarted || this.#checking || this.#closed) return;
    this.#checking = true;
    const done = this.#enqueue(async () => {
      this.#checking = false;
      try {
        await this.#takeBackUnread();
        try {
          await this.#expire();
        } finally {
          await this.#mergeIfDue();
        }
        this.#failure = undefined;
      } catch (error) {
        if (this.#closed) return;
        const failure = messageOf(error);
        // The next check tries again, and may say the same.
        if (failure !== this.#failure) {
          this.#options.logger.error({ err: error }, `compaction failed: ${failure}`);
        }
        this.#failure = failure;
      }
    });
    // It rejects only when the store was closed meanwhile.
    done.catch(() => undefined);
  }

  /** Removes all blocks that retention wants gone now. */
  applyRetention(): Promise<void> {
    return this.#enqueue(() => this.#expire());
  }

  /**
   * Merges all blocks that fit together, as at the end of their days; those that cannot be merged stay as they are.
   * @throws why not, once all others are merged; {SpoorError} unavailable at once: there is no room, or the store is closed
   */
  compact(): Promise<void> {
    return this.#enqueue(async () => {
      const failed = new Set<number>();
      const failures: unknown[] = [];
      for (;;) {
        const nowMs = await this.#ageTime.now();
        const plan = planMerge(
          this.#mergeable().filter(({ id }) => !failed.has(id)),
          Infinity,
          { keptBytes: this.#keptBytes },
        );
        if (plan === undefined) break;
        try {
          await this.#merge(plan, nowMs);
        } catch (error) {
          if (error instanceof SpoorError && error.code === 'unavailable') throw error;
          for (const { id } of plan.blocks) failed.add(id);
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    });
  }

  /**
   * Removes spans of a tenant from its blocks, in one step.
   * @returns how many there were
   * @throws {SpoorError} unavailable: a block that may hold such spans cannot be read, or there is no room; nothing was removed
   */
  async delete(
    tenant: Tenant,
    selection: SpanSelection,
    options: DeleteOptions = {},
  ): Promise<number> {
    let deleted = 0;
    await this.#enqueue(async () => {
      const { startMinUnixNano = 0n, startMaxUnixNano = 2n ** 64n } = selection;
      const concerned = this.#options.blocks
        .all()
        .filter(
          (block) =>
            block.tenant === tenant &&
            block.maxStartUnixNano >= startMinUnixNano &&
            block.minStartUnixNano < startMaxUnixNano,
        );
      const readable = new Set(this.#options.blocks.readable());
      const unreadable = concerned.filter((block) => !readable.has(block));
      if (unreadable.length > 0 && options.dropUnreadable !== true) {
        const ids = unreadable.map(({ id }) => id).join(', ');
        throw new SpoorError(
          'unavailable',
          `nothing was deleted: blocks of tenant ${tenant} cannot be read and may hold such spans: ${ids}; a whole copy would bring them back`,
        );
      }
      const wanted = concerned
        .filter((block) => readable.has(block))
        .map((block) => ({ block, without: selection }));
      deleted = await this.#rewrite(wanted, 0, unreadable);
      this.#figures.deletedSpans += deleted;
    });
    return deleted;
  }

  /**
   * Takes a block back that was left out, when all of it can be read: it is written anew, without what other blocks hold by now.
   * Nothing may be sealed meanwhile. Never rejects.
   */
  async takeBack(block: BlockEntry): Promise<void> {
    const { blocks, logger } = this.#options;
    const what = { tenant: block.tenant, block: block.id };
    try {
      await this.#requireRoom([block]);
      const others = blocks.readable().filter(({ tenant }) => tenant === block.tenant);
      const { result, id } = await this.#ask([{ block, without: undefined }], { others });
      await blocks.commit({
        addBlocks:
          result.block === undefined ? [] : [mergedEntry([block], result.block, id, block.level)],
        removeBlocks: [keyOf(block)],
      });
      const spans = result.block?.rows ?? 0;
      logger.info({ ...what, spans }, 'a block that was left out can be read and is back');
    } catch (error) {
      logger.info({ ...what, err: error }, 'a block that was left out stays so');
    }
  }

  /** Tries to take back what the disk failed to read, a while after. */
  async #takeBackUnread(): Promise<void> {
    const { blocks, passedMs } = this.#options;
    const unread = blocks.unread();
    if (unread.length === 0) {
      this.#takeBackMs = undefined;
      return;
    }
    this.#takeBackMs ??= passedMs() + RETRY_MS;
    if (passedMs() < this.#takeBackMs) return;
    this.#takeBackMs = passedMs() + RETRY_MS;
    for (const block of unread) await blocks.alone(() => this.takeBack(block));
  }

  async #expire(): Promise<void> {
    const nowMs = await this.#ageTime.now();
    // What is not written anew for want of space must not keep what makes room from going.
    try {
      await this.#expireSpans(nowMs);
    } finally {
      await this.#dropBlocks(nowMs);
    }
  }

  /** Removes blocks that are past their age, or too many, as a whole. */
  async #dropBlocks(nowMs: number): Promise<void> {
    const { blocks, retention, logger } = this.#options;
    const expired = expiredBlocks(blocks.all(), retention, nowMs);
    if (expired.length === 0) return;
    await blocks.commit({ removeBlocks: expired.map(({ tenant, id }) => ({ tenant, id })) });
    const spans = expired.reduce((sum, block) => sum + block.spans, 0);
    this.#figures.expiredBlocks += expired.length;
    this.#figures.expiredSpans += spans;
    logger.info({ blocks: expired.length, spans }, 'retention removed blocks');
  }

  /** Leaves spans of services that are past their age out of blocks that are not. */
  async #expireSpans(nowMs: number): Promise<void> {
    const { blocks, retention } = this.#options;
    if (!hasAgesOfServices(retention)) return;
    const readable = blocks.readable();
    const known = new Set(readable.map(({ id }) => id));
    for (const id of this.#weighed.keys()) if (!known.has(id)) this.#weighed.delete(id);
    const gone = new Set(expiredBlocks(readable, retention, nowMs));
    for (const block of this.#failedRewrites.others(readable)) {
      if (gone.has(block)) continue;
      const where = expiredSpans(block, retention, nowMs);
      const text = JSON.stringify(where);
      if (where === undefined || this.#weighed.get(block.id) === text) continue;
      try {
        const dropped = await this.#rewrite([{ block, without: { where } }], REWRITE_RATIO);
        if (dropped === 0) this.#weighed.set(block.id, text);
        this.#figures.expiredSpans += dropped;
      } catch (error) {
        this.#setBack(this.#failedRewrites, [block], error);
        throw error;
      }
    }
  }

  async #mergeIfDue(): Promise<void> {
    const { passedMs, mergeFanIn } = this.#options;
    if (mergeFanIn === Infinity || passedMs() < this.#mergeAgainMs) return;
    const nowMs = await this.#ageTime.now();
    const free = inTurn(this.#failedMerges.others(this.#mergeable()), this.#lastMerged);
    const plan = planMerge(free, nowMs, { fanIn: mergeFanIn, keptBytes: this.#keptBytes });
    if (plan === undefined) return;
    this.#lastMerged = plan.blocks[0]!.tenant;
    try {
      await this.#merge(plan, nowMs);
    } catch (error) {
      this.#mergeAgainMs = passedMs() + RETRY_MS;
      this.#setBack(this.#failedMerges, plan.blocks, error);
      throw error;
    }
    // Others get their turn in between.
    this.check();
  }

  /**
   * Has blocks left alone with which something failed, and says so once. Nothing is done when the reason does not lie in what they
   * hold: there is no room, the store is closed, or one of them was found damaged and is left out anyway.
   */
  #setBack(setbacks: Setbacks, blocks: readonly BlockEntry[], error: unknown): void {
    const readable = new Set(this.#options.blocks.readable());
    const isOfStore = error instanceof SpoorError && error.code === 'unavailable';
    if (this.#closed || isOfStore || !blocks.every((block) => readable.has(block))) return;
    this.#figures.failures++;
    const ids = blocks.map(({ id }) => id);
    // What is said here is not said again.
    this.#failure = messageOf(error);
    if (setbacks.note(ids) > 1) return;
    const what = blocks.length > 1 ? 'be merged' : 'be written anew without what is past its age';
    this.#options.logger.error(
      { err: error, tenant: blocks[0]!.tenant, blocks: ids },
      `blocks of tenant ${blocks[0]!.tenant} cannot ${what}: ${ids.join(', ')}. They stay as they are, and it is tried again less and less often, at least once in an hour; others go on: ${this.#failure}`,
    );
  }

  /** Blocks that may be merged. */
  #mergeable(): BlockEntry[] {
    const readable = this.#options.blocks.readable();
    if (this.#tooWide.size === 0) return readable;
    const known = new Set(readable.map(({ id }) => id));
    for (const id of this.#tooWide) if (!known.has(id)) this.#tooWide.delete(id);
    return readable.filter(({ id }) => !this.#tooWide.has(id));
  }

  async #merge({ blocks: planned, level }: PlannedMerge, nowMs: number): Promise<void> {
    const { retention } = this.#options;
    await this.#requireRoom(planned);
    const sources = planned.map((block) => {
      const where = expiredSpans(block, retention, nowMs);
      return { block, without: where === undefined ? undefined : { where } };
    });
    const { result, id } = await this.#ask(sources);
    if (result.tooWide !== undefined) {
      this.#tooWide.add(result.tooWide);
      const [{ tenant }] = planned as [BlockEntry];
      this.#options.logger.warn(
        { tenant, block: result.tooWide },
        `block ${result.tooWide} of tenant ${tenant} has so many names or attribute keys that merging it would take over ${MAX_MERGE_WEIGHT >> 20} MiB: it stays as it is, until the next start at least`,
      );
      return;
    }
    const blocks = planned.slice(0, result.sources);
    const added = result.block === undefined ? [] : [mergedEntry(blocks, result.block, id, level)];
    await this.#replace(blocks, added);
    this.#figures.merges++;
    this.#figures.expiredSpans += result.dropped;
    for (const { spans, sizeBytes } of added) {
      this.#figures.mergedSpans += spans;
      this.#figures.mergedBytes += sizeBytes;
    }
  }

  /** Leaves spans out of blocks, and removes others as a whole, all in one step; returns how many spans these were. */
  async #rewrite(
    wanted: readonly { readonly block: BlockEntry; readonly without: SpanSelection }[],
    minDropRatio: number,
    unwanted: readonly BlockEntry[] = [],
  ): Promise<number> {
    const addBlocks: BlockEntry[] = [];
    const removeBlocks = [...unwanted];
    let dropped = unwanted.reduce((sum, { spans }) => sum + spans, 0);
    try {
      for (const one of wanted) {
        const { block } = one;
        // Most often few have such spans.
        const hasNoRoom = !(await this.#options.hasRoomFor(block.sizeBytes));
        const { result, id } = await this.#ask([one], { minDropRatio, hasNoRoom });
        if (result.needsRoom === true) throw this.#noRoomFor([block]);
        if (result.dropped === 0) continue;
        dropped += result.dropped;
        removeBlocks.push(block);
        if (result.block !== undefined) {
          addBlocks.push(mergedEntry([block], result.block, id, block.level));
        }
      }
    } catch (error) {
      await this.#options.blocks.discard(addBlocks);
      throw error;
    }
    if (removeBlocks.length === 0) return 0;
    await this.#replace(removeBlocks, addBlocks, unwanted);
    this.#figures.rewrittenBytes += addBlocks.reduce((sum, block) => sum + block.sizeBytes, 0);
    return dropped;
  }

  /**
   * Puts new blocks in the place of others. What of these is left out since they were read may be in yet others by now.
   * @param unwanted those of them that are only to go
   * @throws {SpoorError} unavailable
   */
  async #replace(
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
    await blocks.commit({ addBlocks, removeBlocks: sources.map(keyOf) });
  }

  /** Makes sure that blocks can be written anew while they are still there. @throws {SpoorError} unavailable */
  async #requireRoom(blocks: readonly BlockEntry[]): Promise<void> {
    const bytes = blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (!(await this.#options.hasRoomFor(bytes))) throw this.#noRoomFor(blocks);
  }

  /** Counts what is put off, and says why. */
  #noRoomFor(blocks: readonly BlockEntry[]): SpoorError {
    const bytes = blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#figures.postponed++;
    return new SpoorError(
      'unavailable',
      `${blocks.length} blocks of ${bytes} bytes are to be written anew, and there is not so much room beside what is kept free on the disk`,
      { retryAfterMs: RETRY_MS },
    );
  }

  /** Has the worker write a new block of others of one tenant. */
  async #ask(
    sources: readonly {
      readonly block: BlockEntry;
      readonly without: SpanSelection | undefined;
    }[],
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
    const code = reply.isTransient ? 'unavailable' : 'internal';
    throw new SpoorError(code, reply.error, { cause: reply.stack });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(() => {
      if (this.#closed) throw new SpoorError('unavailable', 'the store is closed');
      return work();
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function keyOf({ tenant, id }: BlockEntry): Pick<BlockEntry, 'tenant' | 'id'> {
  return { tenant, id };
}
