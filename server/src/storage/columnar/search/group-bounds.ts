// SPDX-License-Identifier: Apache-2.0
import type { BlockReader } from '../block/block-reader.ts';
import type { TraceRank } from './trace-rank.ts';
import type { TraceSummaries } from './trace-summaries.ts';

/** Of each group of a block the rank of its best trace, kept in the block's cache. */
export function groupBounds(
  reader: BlockReader,
  summaries: TraceSummaries,
  rank: TraceRank,
): Float64Array {
  const { firstTraces } = reader;
  const groups = firstTraces.length - 1;
  return reader.decoded(-1, `bounds ${rank.order}`, groups * 8, () => {
    const ranks = rank.ranksOf(summaries.all());
    return Float64Array.from({ length: groups }, (_, g) => {
      let best = -Infinity;
      for (let t = firstTraces[g]!; t < firstTraces[g + 1]!; t++) best = Math.max(best, ranks[t]!);
      return best;
    });
  });
}
