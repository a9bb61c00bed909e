// SPDX-License-Identifier: Apache-2.0
import type { TraceTree } from './trace-tree.ts';

/**
 * Self time of each span in µs: the part of its duration in which none of its children runs.
 * Children count only where they lie inside their parent, so the result is never negative.
 */
export function selfTimesUs(
  tree: TraceTree,
  startUs: ArrayLike<number>,
  durationUs: ArrayLike<number>,
): Float64Array {
  const selfUs = new Float64Array(tree.rows);
  for (let row = 0; row < tree.rows; row++) {
    const duration = Math.max(0, durationUs[row]!);
    const end = startUs[row]! + duration;
    let covered = 0;
    // Children come by start, so one sweep finds the union of their intervals.
    let reached = startUs[row]!;
    for (let i = tree.childOffsets[row]!; i < tree.childOffsets[row + 1]!; i++) {
      const child = tree.children[i]!;
      const childEnd = Math.min(end, startUs[child]! + Math.max(0, durationUs[child]!));
      const from = Math.max(reached, startUs[child]!);
      if (childEnd > from) {
        covered += childEnd - from;
        reached = childEnd;
      }
    }
    selfUs[row] = duration - covered;
  }
  return selfUs;
}
