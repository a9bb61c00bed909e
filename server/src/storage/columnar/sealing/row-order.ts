// SPDX-License-Identifier: Apache-2.0
import { endOfWord, WordSorter } from '@spoor/core/model/word-sorter.ts';
import { SpanContents, type SpanPlace } from '@spoor/core/query/span-contents.ts';
import { allEntries } from '../block/values-chunk.ts';
import { sameContent } from './same-content.ts';
import type { SpanUnion } from './span-union.ts';

/** Up to this many rows of a trace, insertion beats a general sort. */
const INSERTION_SORT_ROWS = 64;

/** Each row is compared with so many different ones of its key, of which there may be thousands. */
const COMPARED_ROWS = 4;

/** The order in which rows stand in a block. */
export interface RowOrder {
  /** Rows of the union by trace id, start and span id; copies of a span appear once. */
  readonly rows: Uint32Array;
  /** Index in `rows` of each trace's first row, and the number of rows at the end. */
  readonly traceStarts: Uint32Array;
}

/** Orders the rows of a union and drops exact copies. */
export function orderRows(union: SpanUnion): RowOrder {
  const heads = traceHeads(union);
  const order = allEntries(heads.length);
  new WordSorter().sort(heads, order);
  sortRuns(union, heads, order);
  return withoutCopies(union, order);
}

/** Orders the rows of each run whose trace ids begin alike. */
function sortRuns(union: SpanUnion, heads: Uint32Array, order: Uint32Array): void {
  for (let i = 0; i < order.length;) {
    const end = endOfWord(heads, i);
    if (end - i > 1) sortRun(union, order, i, end);
    i = end;
  }
}

/** Per row the first four bytes of its trace id. */
function traceHeads({ rows, traceId }: SpanUnion): Uint32Array {
  const heads = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = row * 16;
    heads[row] =
      (traceId[at]! << 24) | (traceId[at + 1]! << 16) | (traceId[at + 2]! << 8) | traceId[at + 3]!;
  }
  return heads;
}

/** An order without some of its rows; traces of which no row is left are gone as well. */
export function withoutRows(
  { rows, traceStarts }: RowOrder,
  isDropped: Uint8Array,
): RowOrder & { readonly traces: Uint32Array } {
  const kept = new Uint32Array(rows.length);
  const starts: number[] = [];
  const traces: number[] = [];
  let count = 0;
  for (let trace = 0; trace < traceStarts.length - 1; trace++) {
    const first = count;
    for (let i = traceStarts[trace]!; i < traceStarts[trace + 1]!; i++) {
      if (isDropped[i] === 0) kept[count++] = rows[i]!;
    }
    if (count === first) continue;
    starts.push(first);
    traces.push(trace);
  }
  starts.push(count);
  return {
    rows: kept.subarray(0, count),
    traceStarts: Uint32Array.from(starts),
    traces: Uint32Array.from(traces),
  };
}

/** Orders rows whose trace ids begin alike; nearly always they are one small trace. */
function sortRun(union: SpanUnion, order: Uint32Array, start: number, end: number): void {
  if (end - start <= INSERTION_SORT_ROWS && isOneTrace(union, order, start, end)) {
    insertionSort(union, order, start, end);
  } else {
    order.subarray(start, end).sort((a, b) => compareRows(union, a, b));
  }
}

function isOneTrace(union: SpanUnion, order: Uint32Array, start: number, end: number): boolean {
  for (let i = start + 1; i < end; i++)
    if (!sameTrace(union, order[start]!, order[i]!)) return false;
  return true;
}

function insertionSort(union: SpanUnion, order: Uint32Array, start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const row = order[i]!;
    let at = i;
    while (at > start && compareInTrace(union, order[at - 1]!, row) > 0) {
      order[at] = order[at - 1]!;
      at--;
    }
    order[at] = row;
  }
}

function compareRows(union: SpanUnion, a: number, b: number): number {
  return compareBytes(union.traceId, a * 16, b * 16, 16) || compareInTrace(union, a, b);
}

function compareInTrace({ startHi, startLo, spanId }: SpanUnion, a: number, b: number): number {
  return (
    startHi[a]! - startHi[b]! ||
    startLo[a]! - startLo[b]! ||
    compareBytes(spanId, a * 8, b * 8, 8) ||
    a - b
  );
}

function sameTrace({ traceWords }: SpanUnion, a: number, b: number): boolean {
  return (
    traceWords[a * 4] === traceWords[b * 4] &&
    traceWords[a * 4 + 1] === traceWords[b * 4 + 1] &&
    traceWords[a * 4 + 2] === traceWords[b * 4 + 2] &&
    traceWords[a * 4 + 3] === traceWords[b * 4 + 3]
  );
}

/** Whether two rows have all that they are ordered by in common. */
function sameKey(union: SpanUnion, a: number, b: number): boolean {
  const { startLo, startHi, spanWords } = union;
  return (
    startLo[a] === startLo[b] &&
    spanWords[a * 2] === spanWords[b * 2] &&
    spanWords[a * 2 + 1] === spanWords[b * 2 + 1] &&
    startHi[a] === startHi[b] &&
    sameTrace(union, a, b)
  );
}

function compareBytes(bytes: Uint8Array, a: number, b: number, length: number): number {
  for (let i = 0; i < length; i++) {
    const difference = bytes[a + i]! - bytes[b + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Copies have the same trace id, start and span id, so they stand together. */
function withoutCopies(union: SpanUnion, order: Uint32Array): RowOrder {
  const kept = new Uint32Array(order.length);
  const starts: number[] = [];
  let count = 0;
  let contents: SpanContents | undefined;
  for (let i = 0; i < order.length;) {
    const row = order[i]!;
    if (i === 0 || !sameTrace(union, order[i - 1]!, row)) starts.push(count);
    let end = i + 1;
    while (end < order.length && sameKey(union, row, order[end]!)) end++;
    if (end === i + 1) {
      kept[count++] = row;
    } else {
      const rows = distinctRows(union, order.subarray(i, end));
      if (rows.length === 1) {
        kept[count++] = row;
      } else {
        contents ??= new SpanContents();
        const places = rows.map((same) => unionPlace(union, same));
        for (const place of contents.distinct(places)) kept[count++] = place.unionRow;
      }
    }
    i = end;
  }
  starts.push(count);
  return { rows: kept.subarray(0, count), traceStarts: Uint32Array.from(starts) };
}

/** Rows with one key, without what is plainly the same as one before: most often all but the first, which was sent again. */
function distinctRows(union: SpanUnion, rows: Uint32Array): number[] {
  const distinct: number[] = [];
  for (const row of rows) {
    const compared = distinct.slice(0, COMPARED_ROWS);
    if (!compared.some((other) => sameContent(union, other, row))) distinct.push(row);
  }
  return distinct;
}

/** Where a row of a union comes from. */
export function unionPlace(
  { bases, sources }: SpanUnion,
  unionRow: number,
): SpanPlace & { readonly unionRow: number } {
  let source = 0;
  let end = sources.length;
  while (end - source > 1) {
    const middle = (source + end) >>> 1;
    if (bases[middle]! <= unionRow) source = middle;
    else end = middle;
  }
  return { columns: sources[source]!, row: unionRow - bases[source]!, unionRow };
}
