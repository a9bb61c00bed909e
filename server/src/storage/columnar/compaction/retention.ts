// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import type { AgeTime } from './age-time.ts';
import { type BlockRewriter, RETRY_MS } from './block-rewriter.ts';
import type { CompactionFailures } from './compaction-failures.ts';
import type { CompactionCounts } from './compaction-figures.ts';
import {
  blocksBeyondSize,
  blocksPastAge,
  expiredSpans,
  hasAgesOfServices,
  type RetentionPolicy,
} from './retention-policy.ts';
import { Setbacks } from './setbacks.ts';

/** Blocks of which a smaller part is past its age are not written anew for it: the next merge leaves it out. */
const REWRITE_RATIO = 0.3;

/** What {@link Retention} works with. */
export interface RetentionParts {
  readonly logger: Pick<Logger, 'info'>;
  readonly ageTime: AgeTime;
  /** Time since some moment, which nobody can set. */
  readonly passedMs: () => number;
  readonly policy: RetentionPolicy;
  readonly blocks: Pick<LiveBlocks, 'all' | 'readable' | 'commit' | 'failed' | 'settled'>;
  readonly rewriter: BlockRewriter;
  readonly failures: CompactionFailures;
  readonly counts: Pick<CompactionCounts, 'expiredBlocks' | 'expiredSpans'>;
}

/** Removes what is past its age, or more than is to be kept. */
export class Retention {
  readonly #parts: RetentionParts;
  /** Per block what was found to be too little of it to rewrite it. */
  readonly #weighed = new Map<number, string>();
  readonly #failed: Setbacks;
  /** Per block why spans could not be left out of it though nothing is wrong with it, and until when that is not tried again (passed ms). */
  readonly #putOff = new Map<number, { readonly error: SpoorError; readonly untilMs: number }>();

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#failed = new Setbacks(parts.passedMs);
  }

  /**
   * Removes all that is to go now. A block of which spans could not be left out is not tried again for a while, see {@link Setbacks};
   * where nothing is wrong with it, as without room, for a minute.
   * @throws why not, now or within that minute, once all others were tried and the size that is kept holds; {SpoorError} unavailable at
   * once: nothing can be committed, or the store is closed
   */
  async apply(): Promise<void> {
    const { ageTime, blocks, policy } = this.#parts;
    const nowMs = await ageTime.now();
    // That makes room for what is written anew.
    await this.#drop(blocksPastAge(blocks.all(), policy, nowMs));
    try {
      await this.#expireSpans(nowMs);
    } finally {
      // What is left may fit by now, and must where there is no room for that.
      await this.#drop(blocksBeyondSize(blocks.all(), policy));
    }
  }

  /** Removes blocks as a whole. */
  async #drop(unwanted: readonly BlockEntry[]): Promise<void> {
    if (unwanted.length === 0) return;
    const { blocks, counts, logger } = this.#parts;
    await blocks.commit({ removeBlocks: unwanted.map(({ tenant, id }) => ({ tenant, id })) });
    const spans = unwanted.reduce((sum, block) => sum + block.spans, 0);
    counts.expiredBlocks += unwanted.length;
    counts.expiredSpans += spans;
    logger.info({ blocks: unwanted.length, spans }, 'retention removed blocks');
    await blocks.settled();
  }

  /**
   * Leaves spans of services that are past their age out of blocks that are not.
   * @throws why not out of one, now or within the last minute, once all others were tried
   */
  async #expireSpans(nowMs: number): Promise<void> {
    const { blocks, policy, rewriter, failures, counts, passedMs } = this.#parts;
    if (!hasAgesOfServices(policy)) return;
    const errors: unknown[] = [];
    const readable = blocks.readable();
    const known = new Set(readable.map(({ id }) => id));
    for (const id of this.#weighed.keys()) if (!known.has(id)) this.#weighed.delete(id);
    for (const [id, { untilMs }] of this.#putOff) {
      if (!known.has(id) || passedMs() >= untilMs) this.#putOff.delete(id);
    }
    for (const block of this.#failed.others(readable)) {
      const where = expiredSpans(block, policy, nowMs);
      const text = JSON.stringify(where);
      if (where === undefined || this.#weighed.get(block.id) === text) continue;
      const putOff = this.#putOff.get(block.id);
      // Each try reads the block.
      if (putOff !== undefined) {
        errors.push(putOff.error);
        continue;
      }
      try {
        const dropped = await rewriter.leaveOut([{ block, without: { where } }], REWRITE_RATIO);
        if (dropped === 0) this.#weighed.set(block.id, text);
        if (dropped === block.spans) counts.expiredBlocks++;
        counts.expiredSpans += dropped;
      } catch (error) {
        failures.setBack(this.#failed, [block], error);
        errors.push(error);
        if (error instanceof SpoorError && error.code === 'unavailable') {
          this.#putOff.set(block.id, { error, untilMs: passedMs() + RETRY_MS });
        }
        // Nothing that is written would count.
        if (blocks.failed !== undefined) break;
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
