// SPDX-License-Identifier: Apache-2.0
import type { TraceTree } from './trace-tree.ts';

/**
 * Rows of the tree in pre-order without those below a collapsed row.
 * @param isCollapsed asked once for each row that is shown.
 */
export function visibleRows(tree: TraceTree, isCollapsed: (row: number) => boolean): Int32Array {
  const visible = new Int32Array(tree.rows);
  let length = 0;
  for (let i = 0; i < tree.rows;) {
    const row = tree.order[i]!;
    visible[length++] = row;
    i += isCollapsed(row) ? tree.subtreeSize[row]! : 1;
  }
  return visible.subarray(0, length);
}
