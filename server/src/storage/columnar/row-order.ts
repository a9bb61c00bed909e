// SPDX-License-Identifier: Apache-2.0
import { OtlpProtoEncoder } from '@spoor/core/wire/otlp/encode.ts';
import type { SpanUnion } from './span-union.ts';

/** Rows that one sort can take: 32 bits of trace id and a row number share the 53 bits of a double. */
const MAX_SORT_ROWS = 2 ** 21;

/** Up to this many rows of a trace, insertion beats a general sort. */
const INSERTION_SORT_ROWS = 32;

/** The order in which rows stand in a block. */
export interface RowOrder {
  /** Rows of the union by trace id, start and span id; copies of a span appear once. */
  readonly rows: Uint32Array;
  /** Index in `rows` of each trace's first row, and the number of rows at the end. */
  readonly traceStarts: Uint32Array;
}

/** Orders the rows of a union and drops exact copies. */
export function orderRows(union: SpanUnion): RowOrder {
  const { rows, traceId } = union;
  const keys = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = row * 16;
    const head =
      ((traceId[at]! << 24) |
        (traceId[at + 1]! << 16) |
        (traceId[at + 2]! << 8) |
        traceId[at + 3]!) >>>
      0;
    keys[row] = head * MAX_SORT_ROWS + row;
  }
  keys.sort();
  const order = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) order[i] = keys[i]! % MAX_SORT_ROWS;
  for (let i = 0; i < rows;) {
    const head = Math.floor(keys[i]! / MAX_SORT_ROWS);
    let end = i + 1;
    while (end < rows && Math.floor(keys[end]! / MAX_SORT_ROWS) === head) end++;
    if (end - i > 1) sortRun(union, order, i, end);
    i = end;
  }
  return withoutCopies(union, order);
}

function sortRun(union: SpanUnion, order: Uint32Array, start: number, end: number): void {
  if (end - start > INSERTION_SORT_ROWS) {
    order.subarray(start, end).sort((a, b) => compareRows(union, a, b));
    return;
  }
  for (let i = start + 1; i < end; i++) {
    const row = order[i]!;
    let at = i;
    while (at > start && compareRows(union, order[at - 1]!, row) > 0) {
      order[at] = order[at - 1]!;
      at--;
    }
    order[at] = row;
  }
}

function compareRows(union: SpanUnion, a: number, b: number): number {
  return (
    (sameTrace(union, a, b) ? 0 : compareBytes(union.traceId, a * 16, b * 16, 16)) ||
    union.startHi[a]! - union.startHi[b]! ||
    union.startLo[a]! - union.startLo[b]! ||
    compareBytes(union.spanId, a * 8, b * 8, 8) ||
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

function sameSpanId({ spanWords }: SpanUnion, a: number, b: number): boolean {
  return spanWords[a * 2] === spanWords[b * 2] && spanWords[a * 2 + 1] === spanWords[b * 2 + 1];
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
  const { startLo, startHi } = union;
  const kept = new Uint32Array(order.length);
  const starts: number[] = [];
  let count = 0;
  let content: SpanContent | undefined;
  /** Contents of the rows that share their ids with the one kept last, once there are two. */
  let seen: Set<string> | undefined;
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    const before = count === 0 ? -1 : kept[count - 1]!;
    if (before < 0 || !sameTrace(union, before, row)) {
      starts.push(count);
      seen = undefined;
    } else if (
      startLo[before] === startLo[row] &&
      startHi[before] === startHi[row] &&
      sameSpanId(union, before, row)
    ) {
      content ??= new SpanContent(union);
      seen ??= new Set([content.text(before)]);
      const text = content.text(row);
      if (seen.has(text)) continue;
      seen.add(text);
    } else {
      seen = undefined;
    }
    kept[count++] = row;
  }
  starts.push(count);
  return { rows: kept.subarray(0, count), traceStarts: Uint32Array.from(starts) };
}

/** What spans hold, as texts: their encoded bytes, in which equal content is equal. */
class SpanContent {
  readonly #union: SpanUnion;
  readonly #encoders = new Map<number, OtlpProtoEncoder>();

  constructor(union: SpanUnion) {
    this.#union = union;
  }

  text(row: number): string {
    const { bases, sources } = this.#union;
    let source = 0;
    let end = sources.length;
    while (end - source > 1) {
      const middle = (source + end) >>> 1;
      if (bases[middle]! <= row) source = middle;
      else end = middle;
    }
    let encoder = this.#encoders.get(source);
    if (encoder === undefined) {
      encoder = new OtlpProtoEncoder(sources[source]!);
      this.#encoders.set(source, encoder);
    }
    const local = row - bases[source]!;
    const { buffer, byteOffset, length } = encoder.encode(local, local + 1);
    return Buffer.from(buffer, byteOffset, length).toString('latin1');
  }
}
