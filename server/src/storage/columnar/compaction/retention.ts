// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '#telemetry/logger.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { AgeTime } from './age-time.ts';
import type { BlockRewriter } from './block-rewriter.ts';
import type { CompactionFailures } from './compaction-failures.ts';
import type { CompactionCounts } from './compaction-figures.ts';
import {
  expiredBlocks,
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
  readonly blocks: Pick<LiveBlocks, 'all' | 'readable' | 'commit'>;
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

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#failed = new Setbacks(parts.passedMs);
  }

  /**
   * Removes all that is to go now.
   * @throws {SpoorError} spans that are past their age could not be left out of a block; whole blocks are gone all the same
   */
  async apply(): Promise<void> {
    const nowMs = await this.#parts.ageTime.now();
    // What is not written anew for want of space must not keep what makes room from going.
    try {
      await this.#expireSpans(nowMs);
    } finally {
      await this.#dropBlocks(nowMs);
    }
  }

  /** Removes blocks that are past their age, or too many, as a whole. */
  async #dropBlocks(nowMs: number): Promise<void> {
    const { blocks, policy, counts, logger } = this.#parts;
    const expired = expiredBlocks(blocks.all(), policy, nowMs);
    if (expired.length === 0) return;
    await blocks.commit({ removeBlocks: expired.map(({ tenant, id }) => ({ tenant, id })) });
    const spans = expired.reduce((sum, block) => sum + block.spans, 0);
    counts.expiredBlocks += expired.length;
    counts.expiredSpans += spans;
    logger.info({ blocks: expired.length, spans }, 'retention removed blocks');
  }

  /** Leaves spans of services that are past their age out of blocks that are not. */
  async #expireSpans(nowMs: number): Promise<void> {
    const { blocks, policy, rewriter, failures, counts } = this.#parts;
    if (!hasAgesOfServices(policy)) return;
    const readable = blocks.readable();
    const known = new Set(readable.map(({ id }) => id));
    for (const id of this.#weighed.keys()) if (!known.has(id)) this.#weighed.delete(id);
    const gone = new Set(expiredBlocks(readable, policy, nowMs));
    for (const block of this.#failed.others(readable)) {
      if (gone.has(block)) continue;
      const where = expiredSpans(block, policy, nowMs);
      const text = JSON.stringify(where);
      if (where === undefined || this.#weighed.get(block.id) === text) continue;
      try {
        const dropped = await rewriter.leaveOut([{ block, without: { where } }], REWRITE_RATIO);
        if (dropped === 0) this.#weighed.set(block.id, text);
        counts.expiredSpans += dropped;
      } catch (error) {
        failures.setBack(this.#failed, [block], error);
        throw error;
      }
    }
  }
}
