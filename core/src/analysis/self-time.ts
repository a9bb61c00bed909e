// SPDX-License-Identifier: Apache-2.0
import type { TraceTree } from './trace-tree.ts';

/**
 * Self time of each span: the part of its duration in which none of its children runs. Children count only where they lie
 * inside their parent, so the result is never negative.
 * @param start what the tree was made of, as `duration`; the result is in their unit
 */
export function selfTimes(
  tree: TraceTree,
  start: ArrayLike<number>,
  duration: ArrayLike<number>,
): Float64Array {
  const self = new Float64Array(tree.rows);
  for (let row = 0; row < tree.rows; row++) {
    const length = Math.max(0, duration[row]!);
    const end = start[row]! + length;
    let covered = 0;
    // Children come by start, so one sweep finds the union of their intervals.
    let reached = start[row]!;
    for (let i = tree.childOffsets[row]!; i < tree.childOffsets[row + 1]!; i++) {
      const child = tree.children[i]!;
      const childEnd = Math.min(end, start[child]! + Math.max(0, duration[child]!));
      const from = Math.max(reached, start[child]!);
      if (childEnd > from) {
        covered += childEnd - from;
        reached = childEnd;
      }
    }
    // Far from the origin ends are rounded.
    self[row] = Math.max(0, length - covered);
  }
  return self;
}
