// SPDX-License-Identifier: Apache-2.0
import type { AttributeNameSum, AttributeValueSum } from '#storage/attribute-sums.ts';
import { chunkOf } from '../block/block-format.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { decodeCodes } from '../block/chunk-codec.ts';

/** Counts the names of a block's attributes; the footer knows them. */
export function addBlockNames(reader: BlockReader, sum: AttributeNameSum): void {
  const { columns, groups, keys, resources } = reader.footer;
  const byColumn = reader.decoded(-1, 'column counts', columns.length * 8, () => {
    const counts = new Float64Array(columns.length);
    for (const { columns: parts } of groups) {
      for (let i = 0; i < parts.length; i++) counts[parts.column(i)]! += parts.count(i);
    }
    return counts;
  });
  const tables = { keys: reader.table(keys), resources: reader.table(resources) };
  sum.addCounts(tables, columns.list(), byColumn, resourceRows(reader));
}

/** Counts the values of an attribute in a block. */
export function addBlockValues(
  reader: BlockReader,
  sum: AttributeValueSum,
  checkCancelled: () => void,
): void {
  const { columns, groups, keys, resources } = reader.footer;
  if (sum.isOfResource) {
    sum.addResources(reader.table(resources), resourceRows(reader));
    return;
  }
  for (const [column, type] of sum.columnsOf({ keys: reader.table(keys) }, columns.list())) {
    if (columns.isPlain(column)) {
      for (let g = 0; g < groups.length; g++) {
        checkCancelled();
        const { count, values } = reader.group(g).columns[column]!;
        for (let entry = 0; entry < count; entry++) sum.addEntry(type, values, entry, 1);
      }
      continue;
    }
    const table = reader.dictionary(column).table;
    const counts = reader.decoded(-1, `value counts ${column}`, table.count * 4, () =>
      countCodes(reader, column, table.count),
    );
    // Values that only copies had, which were left out, are in the dictionary all the same.
    counts.forEach((count, entry) => {
      if (count > 0) sum.addEntry(type, table, entry, count);
    });
  }
}

function countCodes(reader: BlockReader, column: number, entries: number): Uint32Array {
  const counts = new Uint32Array(entries);
  for (const { columns } of reader.footer.groups) {
    const part = columns.find(column);
    if (part < 0) continue;
    const chunk = reader.chunk(columns.chunk(part));
    for (const code of decodeCodes(chunk, columns.count(part))) counts[code]!++;
  }
  return counts;
}

/** Spans of each resource. */
function resourceRows(reader: BlockReader): Uint32Array {
  const { resources, groups } = reader.footer;
  return reader.decoded(-1, 'resource rows', resources.count * 4, () => {
    const counts = new Uint32Array(resources.count);
    for (const group of groups) {
      const chunk = reader.chunk(chunkOf(group, 'resource'));
      for (const code of decodeCodes(chunk, group.rows)) counts[code]!++;
    }
    return counts;
  });
}
