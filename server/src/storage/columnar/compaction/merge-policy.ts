// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';

/** Sealed blocks that make one of level 1. */
const DEFAULT_FAN_IN = 8;

/** Blocks that a merge into the last level takes at most: each has a decoded group in memory. */
const LAST_FAN_IN = 16;

/** A merged block has at most so many spans: a rewrite takes seconds, and an answer needs few blocks. */
const MAX_SPANS = 2_000_000;

/**
 * Nor more bytes than this part of what is kept: beyond that the oldest blocks go whole, and with a large one much more than has to.
 * Blocks as sealed may be larger.
 */
const MAX_SHARE = 1 / 8;

/** What comes in on one day (UTC) is not mixed with other days, so that a day can expire as a whole. */
const DAY_MS = 86_400_000;

/** A day is over for merging when it has been over for so long: its last slab may be sealed after midnight. */
const DAY_END_SLACK_MS = 10 * 60_000;

/** A merge into the last level is worth its writing when so many blocks become one, */
const WORTH_BLOCKS = 4;
/** or when the block is small all the same. */
const SMALL_SPANS = 250_000;

/** Level of blocks that are not merged any more. */
const LAST_LEVEL = 2;

/** Blocks to be merged into one of `level`. */
export interface PlannedMerge {
  readonly blocks: readonly BlockEntry[];
  readonly level: number;
}

/** What a merge may be. */
export interface MergeBounds {
  /** Sealed blocks that make one of level 1, 8 by default; Infinity: none do. */
  readonly fanIn?: number | undefined;
  /** Bytes that are kept of a tenant; Infinity by default. */
  readonly keptBytes?: (tenant: Tenant) => number;
}

/**
 * The next merge of a store, or undefined when there is none to do.
 *
 * Blocks of one tenant and one day of ingest go together, oldest first. Eight sealed ones make one of level 1; those of level 1 make
 * one of level 2 when there are enough for {@link MAX_SPANS}, or sixteen of them. When the day is over, what is left of it goes to
 * level 2 as well. So a span is written at most three times, sealing included. At full speed it is two: eight full slabs are so many
 * spans that only two of level 1 would become one, which is not worth a third time.
 * @param nowMs Infinity: every day is over
 */
export function planMerge(
  blocks: readonly BlockEntry[],
  nowMs: number,
  { fanIn = DEFAULT_FAN_IN, keptBytes = () => Infinity }: MergeBounds = {},
): PlannedMerge | undefined {
  const days = Map.groupBy(
    blocks.filter(({ level }) => level < LAST_LEVEL),
    ({ tenant, createdUnixMs, isUndated = false }) =>
      `${tenant} ${Math.floor(createdUnixMs / DAY_MS)} ${isUndated}`,
  );
  for (const day of days.values()) {
    const oldestFirst = day.toSorted((a, b) => a.createdUnixMs - b.createdUnixMs || a.id - b.id);
    const isOver =
      (Math.floor(day[0]!.createdUnixMs / DAY_MS) + 1) * DAY_MS + DAY_END_SLACK_MS <= nowMs;
    const maxBytes = keptBytes(day[0]!.tenant) * MAX_SHARE;
    const merge = isOver
      ? planDayEnd(oldestFirst, maxBytes)
      : (planLevel(oldestFirst, 0, { fanIn, maxBytes }) ??
        planLevel(oldestFirst, 1, { fanIn: LAST_FAN_IN, maxBytes }));
    if (merge !== undefined) return merge;
  }
  return undefined;
}

/** The blocks with those of the tenants first that come after `last`: where merging falls behind, nobody is left out for good. */
export function inTurn(
  blocks: readonly BlockEntry[],
  last: Tenant | undefined,
): readonly BlockEntry[] {
  const next = blocks.findLastIndex(({ tenant }) => tenant === last) + 1;
  return next === 0 ? blocks : [...blocks.slice(next), ...blocks.slice(0, next)];
}

/** A merge of blocks of one level, if there are enough of them. */
function planLevel(
  day: readonly BlockEntry[],
  level: number,
  bounds: RunBounds,
): PlannedMerge | undefined {
  const some = day.filter((block) => block.level === level);
  for (const { blocks, isFull } of runs(some, bounds)) {
    if (blocks.length === bounds.fanIn || (isFull && isWorthIt(blocks))) {
      return { blocks, level: level + 1 };
    }
  }
  return undefined;
}

/** Everything that is left of a day, as far as two blocks fit together. */
function planDayEnd(day: readonly BlockEntry[], maxBytes: number): PlannedMerge | undefined {
  for (const { blocks } of runs(day, { fanIn: LAST_FAN_IN, maxBytes })) {
    if (isWorthIt(blocks)) return { blocks, level: LAST_LEVEL };
  }
  return undefined;
}

function isWorthIt(blocks: readonly BlockEntry[]): boolean {
  const spans = blocks.reduce((sum, block) => sum + block.spans, 0);
  return blocks.length >= WORTH_BLOCKS || (blocks.length > 1 && spans <= SMALL_SPANS);
}

/** How much one block may be made of. */
interface RunBounds {
  readonly fanIn: number;
  readonly maxBytes: number;
}

/** Blocks one after the other that make at most one block together; `isFull` when the next one would be too much. */
function* runs(
  blocks: readonly BlockEntry[],
  { fanIn, maxBytes }: RunBounds,
): Generator<{ blocks: BlockEntry[]; isFull: boolean }, void, undefined> {
  let run: BlockEntry[] = [];
  let spans = 0;
  let bytes = 0;
  for (const block of blocks) {
    const isTooMuch = spans + block.spans > MAX_SPANS || bytes + block.sizeBytes > maxBytes;
    const isFull = run.length > 0 && isTooMuch;
    if (isFull || run.length === fanIn) {
      yield { blocks: run, isFull };
      run = [];
      spans = 0;
      bytes = 0;
    }
    run.push(block);
    spans += block.spans;
    bytes += block.sizeBytes;
  }
  yield { blocks: run, isFull: false };
}
