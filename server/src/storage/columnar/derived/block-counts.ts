// SPDX-License-Identifier: Apache-2.0
import { EdgeCounts } from '@spoor/core/analysis/edge-counts.ts';
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import { NameCodes } from '@spoor/core/analysis/name-codes.ts';
import { placedValues } from '@spoor/core/analysis/placed-values.ts';
import { SpanRows } from '@spoor/core/analysis/span-rows.ts';
import { SpanSource } from '@spoor/core/analysis/span-source.ts';
import type { CountedEdges } from '#storage/counted.ts';
import type { BlockReader } from '../block-reader.ts';

/** Calls between services in the traces of a block, as if it had all of their spans; kept in the cache. */
export function blockEdges(reader: BlockReader): CountedEdges {
  return reader.decoded(
    -1,
    'edges',
    (edges) => tableBytes(edges.table),
    () => {
      const names = new NameCodes();
      const edges = new EdgeCounts(names);
      const rows = new SpanRows();
      for (let g = 0; g < reader.footer.groups.length; g++) {
        const group = reader.group(g);
        const source = new SpanSource(group, placedValues(group), names);
        rows.clear();
        for (let row = 0; row < group.rows; row++) rows.add(source, row);
        for (let trace = 0; trace < group.traces; trace++) {
          edges.addTrace(rows, group.traceStarts[trace]!, group.traceStarts[trace + 1]!);
        }
      }
      return { texts: names.texts, keys: edges.keys, table: edges.counts.table() };
    },
  );
}

function tableBytes({ minutes, key, bucket }: MinuteTable): number {
  return minutes.length * 4 + key.length * 12 + bucket.length * 8;
}
