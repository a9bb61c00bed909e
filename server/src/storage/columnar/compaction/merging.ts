// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import type { AgeTime } from './age-time.ts';
import { type BlockRewriter, MAX_MERGE_WEIGHT, RETRY_MS } from './block-rewriter.ts';
import type { CompactionFailures } from './compaction-failures.ts';
import type { CompactionCounts } from './compaction-figures.ts';
import { inTurn, type PlannedMerge, planMerge } from './merge-policy.ts';
import { mergedEntry } from './merged-entry.ts';
import { expiredSpans, keptBytes, type RetentionPolicy } from './retention-policy.ts';
import { Setbacks } from './setbacks.ts';

/** What {@link Merging} works with. */
export interface MergingParts {
  readonly logger: Pick<Logger, 'warn'>;
  readonly ageTime: AgeTime;
  /** Time since some moment, which nobody can set. */
  readonly passedMs: () => number;
  /** What is past its age is left out, and no block becomes a large part of what is kept. */
  readonly retention: RetentionPolicy;
  /** Sealed blocks that make one merged one, 8 by default; Infinity: blocks are only merged when that is asked for. */
  readonly mergeFanIn: number | undefined;
  readonly blocks: Pick<LiveBlocks, 'readable'>;
  readonly rewriter: BlockRewriter;
  readonly failures: CompactionFailures;
  readonly counts: Pick<
    CompactionCounts,
    'merges' | 'mergedSpans' | 'mergedBytes' | 'expiredSpans'
  >;
}

/** Makes few blocks of many. */
export class Merging {
  readonly #parts: MergingParts;
  readonly #keptBytes: (tenant: Tenant) => number;
  readonly #failed: Setbacks;
  /** Blocks with so many columns that merging them with a narrower one would take too much memory. */
  readonly #tooWide = new Set<number>();
  /** The tenant of the last merge, done or not. */
  #lastTenant: Tenant | undefined;
  /** Nothing is merged in the background before this. */
  #againMs = 0;

  constructor(parts: MergingParts) {
    this.#parts = parts;
    this.#keptBytes = (tenant) => keptBytes(tenant, parts.retention);
    this.#failed = new Setbacks(parts.passedMs);
  }

  /** So many blocks are found to be too wide for a merge. */
  get tooWide(): number {
    return this.#tooWide.size;
  }

  /** Does the next merge that is due; returns whether there was one. */
  async mergeDue(): Promise<boolean> {
    const { ageTime, passedMs, mergeFanIn, failures } = this.#parts;
    if (mergeFanIn === Infinity || passedMs() < this.#againMs) return false;
    const nowMs = await ageTime.now();
    const free = inTurn(this.#failed.others(this.#mergeable()), this.#lastTenant);
    const plan = planMerge(free, nowMs, { fanIn: mergeFanIn, keptBytes: this.#keptBytes });
    if (plan === undefined) return false;
    this.#lastTenant = plan.blocks[0]!.tenant;
    try {
      await this.#merge(plan, nowMs);
    } catch (error) {
      this.#againMs = passedMs() + RETRY_MS;
      failures.setBack(this.#failed, plan.blocks, error);
      throw error;
    }
    return true;
  }

  /**
   * Merges all blocks that fit together, as at the end of their days; those that cannot be merged stay as they are.
   * @throws why not, once all others are merged, {SpoorError} corrupt only if nothing but damage is the reason; unavailable at once: there
   * is no room, or the store is closed
   */
  async mergeAll(): Promise<void> {
    const failed = new Set<number>();
    const failures: unknown[] = [];
    for (;;) {
      const nowMs = await this.#parts.ageTime.now();
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
        failures.push(error);
        // Without one that was found damaged the others may fit.
        const readable = new Set(this.#parts.blocks.readable());
        if (!plan.blocks.every((block) => readable.has(block))) continue;
        for (const { id } of plan.blocks) failed.add(id);
      }
    }
    if (failures.length > 0) throw failures.find((error) => !isDamage(error)) ?? failures[0];
  }

  /** Blocks that may be merged. */
  #mergeable(): BlockEntry[] {
    const readable = this.#parts.blocks.readable();
    if (this.#tooWide.size === 0) return readable;
    const known = new Set(readable.map(({ id }) => id));
    for (const id of this.#tooWide) if (!known.has(id)) this.#tooWide.delete(id);
    return readable.filter(({ id }) => !this.#tooWide.has(id));
  }

  async #merge({ blocks: planned, level }: PlannedMerge, nowMs: number): Promise<void> {
    const { logger, retention, rewriter, counts } = this.#parts;
    await rewriter.requireRoom(planned);
    const sources = planned.map((block) => {
      const where = expiredSpans(block, retention, nowMs);
      return { block, without: where === undefined ? undefined : { where } };
    });
    const { result, id } = await rewriter.write(sources);
    if (result.tooWide !== undefined) {
      this.#tooWide.add(result.tooWide);
      const [{ tenant }] = planned as [BlockEntry];
      logger.warn(
        { tenant, block: result.tooWide },
        `block ${result.tooWide} of tenant ${tenant} has so many names or attribute keys that merging it would take over ${MAX_MERGE_WEIGHT >> 20} MiB: it stays as it is, until the next start at least`,
      );
      return;
    }
    const blocks = planned.slice(0, result.sources);
    const added = result.block === undefined ? [] : [mergedEntry(blocks, result.block, id, level)];
    await rewriter.replace(blocks, added);
    counts.merges++;
    counts.expiredSpans += result.dropped;
    for (const { spans, sizeBytes } of added) {
      counts.mergedSpans += spans;
      counts.mergedBytes += sizeBytes;
    }
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof SpoorError && error.code === 'corrupt';
}
