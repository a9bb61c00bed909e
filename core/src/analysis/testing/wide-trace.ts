// SPDX-License-Identifier: Apache-2.0
import type { Span } from '#model/span.ts';
import { countedReads } from '#model/testing/counted-reads.ts';
import { span, spanId } from '#query/testing/example-span.ts';
import { batchOf } from '#query/testing/span-body.ts';
import { NameCodes } from '../name-codes.ts';
import { placedValues } from '../placed-values.ts';
import { SpanRows } from '../span-rows.ts';
import { SpanSource } from '../span-source.ts';

/** Spans of a wide trace. */
export const WIDE_SPANS = 2000;

/** Rows of a trace of many spans, each with a start of its own. */
export function wideTrace(given: (i: number) => Partial<Span>): SpanRows {
  const batch = batchOf(
    Array.from({ length: WIDE_SPANS }, (_, i) =>
      span({ startTimeUnixNano: BigInt(i), ...given(i) }),
    ),
  );
  const rows = new SpanRows();
  const source = new SpanSource(batch, placedValues(batch), new NameCodes());
  rows.add(
    source,
    Uint32Array.from({ length: WIDE_SPANS }, (_, row) => row),
  );
  return rows;
}

/** Rows whose ids were picked to have one hash where nothing about the hash is secret; each is the child of the one before. */
export function wideTraceOfOneHash(): SpanRows {
  const rows = wideTrace((i) => ({ spanId: spanId(i + 1) }));
  for (let i = 0; i < WIDE_SPANS; i++) {
    rows.spanWords.set([Math.imul(i + 1, 0x9e3779b1), i + 1], i * 2);
  }
  rows.parentWords.set(rows.spanWords.subarray(0, WIDE_SPANS * 2 - 2), 2);
  return rows;
}

/** Counts the words of a column that `use` reads. */
export function readsOf(rows: SpanRows, column: 'spanWords' | 'service', use: () => void): number {
  const counted = countedReads(rows[column]);
  rows[column] = counted.values;
  use();
  return counted.reads;
}
