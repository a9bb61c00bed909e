// SPDX-License-Identifier: Apache-2.0
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import { placedValues } from '@spoor/core/analysis/placed-values.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { readEdges, readSpanCounts } from '../block/counts-codec.ts';
import { DerivedSection } from '../block/derived-section.ts';

/** Calls between services in the traces of a block, as if it had all of their spans; kept in the cache. */
export function blockEdges(reader: BlockReader): CountedEdges {
  const { edges } = reader.footer;
  if (edges === undefined) return countRows(reader).edges;
  return reader.decoded(-1, 'edges', edgesBytes, () => readEdges(reader, edges));
}

/** Spans of a block by service, operation, kind and status; kept in the cache. */
export function blockSpans(reader: BlockReader): CountedSpans {
  const { red } = reader.footer;
  if (red === undefined) return countRows(reader).spans;
  return reader.decoded(-1, 'red', tableBytes, () => readSpanCounts(reader, red));
}

/** Blocks of version 1 do not have the counts. */
function countRows(reader: BlockReader): { edges: CountedEdges; spans: CountedSpans } {
  return reader.decoded(
    -1,
    'derived',
    ({ edges, spans }) => edgesBytes(edges) + tableBytes(spans),
    () => {
      const section = new DerivedSection();
      for (let g = 0; g < reader.footer.groups.length; g++) {
        const columns = reader.group(g);
        section.add({
          columns,
          values: placedValues(columns),
          rows: Uint32Array.from({ length: columns.rows }, (_, row) => row),
          traceStarts: columns.traceStarts,
        });
      }
      return { edges: section.edges(), spans: section.spans() };
    },
  );
}

/** What a key is: an object of four or five values. */
const KEY_BYTES = 64;

/** What a text is beside its characters. */
const TEXT_BYTES = 24;

function edgesBytes(edges: CountedEdges): number {
  const texts = edges.texts.reduce((sum, text) => sum + TEXT_BYTES + text.length * 2, 0);
  return texts + tableBytes(edges);
}

function tableBytes({
  keys,
  table: { minutes, key, bucket },
}: {
  readonly keys: readonly unknown[];
  readonly table: MinuteTable;
}): number {
  return keys.length * KEY_BYTES + minutes.length * 4 + key.length * 12 + bucket.length * 8;
}
