// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { CreateWorker } from '#workers/worker-client.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { AgeTime } from './age-time.ts';
import { BlockReturn } from './block-return.ts';
import { BlockRewriter } from './block-rewriter.ts';
import { CompactionFailures } from './compaction-failures.ts';
import { type CompactionFigures, noCounts } from './compaction-figures.ts';
import { type DeleteOptions, deleteSpans } from './deletion.ts';
import type { GuardedClock } from './guarded-clock.ts';
import { Merging } from './merging.ts';
import { Retention } from './retention.ts';
import type { RetentionPolicy } from './retention-policy.ts';
import type { SpanSelection } from './span-selection.ts';

/** How often it is looked whether something is to be done, beside the times when blocks came. */
const CHECK_MS = 60_000;

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

/** Looks after the blocks of a store once they are sealed: one thing at a time, so that no two work on the same block. */
export class Compactor {
  readonly #blocks: LiveBlocks;
  readonly #counts = noCounts();
  readonly #failures: CompactionFailures;
  readonly #rewriter: BlockRewriter;
  readonly #return: BlockReturn;
  readonly #retention: Retention;
  readonly #merging: Merging;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** The last of the things to do; never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  /** Whether a check waits for its turn. */
  #checking = false;

  constructor(options: CompactorOptions) {
    const counts = this.#counts;
    const failures = new CompactionFailures({ ...options, counts });
    const rewriter = new BlockRewriter({ ...options, counts });
    const parts = { ...options, ageTime: new AgeTime(options), rewriter, failures, counts };
    this.#blocks = options.blocks;
    this.#failures = failures;
    this.#rewriter = rewriter;
    this.#return = new BlockReturn(parts);
    this.#retention = new Retention({ ...parts, policy: options.retention });
    this.#merging = new Merging(parts);
  }

  start(): void {
    this.#timer = setInterval(() => this.check(), CHECK_MS).unref();
    this.check();
  }

  /** Breaks off what is under way: nothing of it counts yet. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#failures.close();
    clearInterval(this.#timer);
    await this.#rewriter.close();
    await this.#last;
  }

  get figures(): CompactionFigures {
    return { ...this.#counts, tooWide: this.#merging.tooWide };
  }

  /** Does in the background what is due; to be called when there are new blocks. */
  check(): void {
    const isStarted = this.#timer !== undefined;
    if (!isStarted || this.#checking || this.#closed) return;
    this.#checking = true;
    const done = this.#enqueue(async () => {
      this.#checking = false;
      try {
        await this.#doWhatIsDue();
        this.#failures.clear();
      } catch (error) {
        this.#failures.tell(error);
      }
    });
    // It rejects only when the store was closed meanwhile.
    done.catch(() => undefined);
  }

  async #doWhatIsDue(): Promise<void> {
    // Nothing of it would count.
    if (this.#blocks.failed !== undefined) return;
    await this.#return.takeBackUnread();
    try {
      await this.#retention.apply();
    } finally {
      // Others get their turn in between.
      if (await this.#merging.mergeDue()) this.check();
    }
  }

  /**
   * Removes all that retention wants gone now.
   * @throws why spans that are past their age could not be left out of a block, now or within the last minute; what else is to go is gone,
   * but for blocks with which something else failed before
   */
  applyRetention(): Promise<void> {
    return this.#enqueue(() => this.#retention.apply());
  }

  /**
   * Merges all blocks that fit together, as at the end of their days; those that cannot be merged stay as they are.
   * @throws why not, once all others are merged; {SpoorError} unavailable at once: there is no room, or the store is closed
   */
  compact(): Promise<void> {
    return this.#enqueue(() => this.#merging.mergeAll());
  }

  /**
   * Removes spans of a tenant from its blocks, in one step.
   * @returns how many there were
   * @throws {SpoorError} unavailable: a block that may hold such spans cannot be read, or there is no room; nothing was removed
   */
  delete(tenant: Tenant, selection: SpanSelection, options?: DeleteOptions): Promise<number> {
    const parts = { blocks: this.#blocks, rewriter: this.#rewriter };
    return this.#enqueue(async () => {
      const deleted = await deleteSpans(parts, tenant, selection, options);
      this.#counts.deletedSpans += deleted;
      return deleted;
    });
  }

  /**
   * Takes a block back that was left out, when all of it can be read. Nothing else may be under way, and nothing be sealed meanwhile.
   * Never rejects.
   */
  takeBack(block: BlockEntry): Promise<void> {
    return this.#return.takeBack(block);
  }

  #enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(() => {
      if (this.#closed) throw new SpoorError('unavailable', 'the store is closed');
      return work();
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
