// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '#model/batch-builder.ts';
import type { SpanBatch } from '#model/span-batch.ts';
import type { SpanColumns } from '#model/span-columns.ts';
import { SpanCopier } from '#model/span-copier.ts';
import { SpanContents } from './span-contents.ts';

/** Rows of one trace in one source. */
export interface TracePart {
  readonly columns: SpanColumns;
  readonly rows: ArrayLike<number>;
}

/**
 * The spans of one trace, each once: ordered by start, then span id, then content. Entry `i` is row `row[i]` of
 * `parts[part[i]]`.
 *
 * The order depends on nothing but the spans, so it is the same however they are spread over the parts.
 */
export interface TraceRows {
  readonly parts: readonly TracePart[];
  readonly count: number;
  readonly part: Uint32Array;
  readonly row: Uint32Array;
}

/**
 * Orders the spans of a trace over all of its parts. Copies (the same ids and the same content) collapse to one; spans with the same
 * ids but other content are all kept.
 * @param parts of one trace
 */
export function orderTrace(parts: readonly TracePart[]): TraceRows {
  let size = 0;
  for (const { rows } of parts) size += rows.length;
  const part = new Uint32Array(size);
  const row = new Uint32Array(size);
  const keys = [0, 1, 2, 3].map(() => new Uint32Array(size));
  const [startHi, startLo, idHi, idLo] = keys as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let at = 0;
  parts.forEach(({ columns, rows }, p) => {
    for (let i = 0; i < rows.length; i++, at++) {
      const r = rows[i]!;
      part[at] = p;
      row[at] = r;
      startHi[at] = columns.startHi[r]!;
      startLo[at] = columns.startLo[r]!;
      idHi[at] = bigEndian(columns.spanId, r * 8);
      idLo[at] = bigEndian(columns.spanId, r * 8 + 4);
    }
  });
  const compare = (a: number, b: number): number =>
    startHi[a]! - startHi[b]! ||
    startLo[a]! - startLo[b]! ||
    idHi[a]! - idHi[b]! ||
    idLo[a]! - idLo[b]!;
  const order = new Uint32Array(size);
  for (let i = 0; i < size; i++) order[i] = i;
  order.sort(compare);

  let count = 0;
  let contents: SpanContents | undefined;
  for (let i = 0; i < size;) {
    let end = i + 1;
    while (end < size && compare(order[i]!, order[end]!) === 0) end++;
    if (end === i + 1) {
      order[count++] = order[i]!;
    } else {
      contents ??= new SpanContents();
      const places = Array.from(order.subarray(i, end), (entry) => ({
        columns: parts[part[entry]!]!.columns,
        row: row[entry]!,
        entry,
      }));
      for (const { entry } of contents.distinct(places)) order[count++] = entry;
    }
    i = end;
  }
  const kept = order.subarray(0, count);
  return { parts, count, part: kept.map((i) => part[i]!), row: kept.map((i) => row[i]!) };
}

/**
 * One batch of all spans of a trace, in the order of {@link orderTrace}.
 * @param parts of one trace
 * @param builder an empty one; when this function throws it is of no more use
 */
export function joinTrace(
  parts: readonly TracePart[],
  builder: BatchBuilder = new BatchBuilder(),
): SpanBatch {
  const trace = orderTrace(parts);
  const copiers = parts.map(({ columns }) => new SpanCopier(columns, builder));
  for (let i = 0; i < trace.count; i++) copiers[trace.part[i]!]!.copy(trace.row[i]!);
  return builder.finish();
}

/** Four bytes as a number that orders as they do. */
function bigEndian(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}
