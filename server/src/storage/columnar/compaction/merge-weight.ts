// SPDX-License-Identifier: Apache-2.0
import type { BlockReader } from '../block/block-reader.ts';

/** Measured with blocks of 20,000 columns: what is kept of a column in its block, the maps of its codes and the new column. */
const COLUMN_BYTES = 1500;
/** Of a dictionary's entry: its code in the new dictionary, the groups that have it, its place in the page that is written. */
const ENTRY_BYTES = 12;
/** Of a shape and of a column in one: where it is read, where it is interned, and room for these to grow. */
const SHAPE_BYTES = 16;

/** Of an operation: its name as text, the number of that, the key of its counts. */
const OPERATION_BYTES = 300;

/** Memory that merging takes for a block, in bytes, beside the group that it stands in; roughly. */
export function mergeWeight({ footer, shapes }: BlockReader): number {
  let entries = 0;
  for (let c = 0; c < footer.columns.length; c++) entries += footer.columns.entries(c);
  return (
    footer.columns.length * COLUMN_BYTES +
    (footer.red?.keys ?? 0) * OPERATION_BYTES +
    entries * ENTRY_BYTES +
    (shapes.count + shapes.columns.length) * SHAPE_BYTES
  );
}
