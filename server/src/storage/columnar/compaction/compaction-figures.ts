// SPDX-License-Identifier: Apache-2.0

/** What was done with the blocks of a store since the start. */
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

/** Those of them that only grow, counted by whoever does what they are of. */
export type CompactionCounts = {
  -readonly [Name in Exclude<keyof CompactionFigures, 'tooWide'>]: number;
};

/** All at 0. */
export function noCounts(): CompactionCounts {
  return {
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
}
