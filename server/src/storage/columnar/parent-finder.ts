// SPDX-License-Identifier: Apache-2.0
import type { SpanUnion } from './span-union.ts';

/** Numbers in the `parent` column below this are not row numbers. */
export const PARENT_NONE = 0;
export const PARENT_ELSEWHERE = 1;
export const PARENT_ROW = 2;

/** Traces up to this many rows are searched row by row. */
const SCAN_ROWS = 24;

/** Turns parent ids into row numbers inside the trace, which compress where ids do not. */
export class ParentFinder {
  #table = new Int32Array(256);

  /**
   * @param rows rows of the group, whole traces
   * @param lengths rows of each trace
   * @returns per row 0 for no parent, 1 for a parent that is not in the trace's part, or 2 + the parent's place in the trace;
   * and the rows whose parent is not there, in order
   */
  find(
    union: SpanUnion,
    rows: Uint32Array,
    lengths: Uint32Array,
  ): { parents: Uint32Array; elsewhere: Uint32Array } {
    const parents = new Uint32Array(rows.length);
    const elsewhere: number[] = [];
    let start = 0;
    for (const length of lengths) {
      if (length > SCAN_ROWS) this.#fill(union, rows, start, length);
      for (let i = start; i < start + length; i++) {
        const at = rows[i]! * 8;
        if (isZero(union.parentSpanId, at)) continue;
        const place =
          length > SCAN_ROWS
            ? this.#lookup(union, rows, start, at)
            : scan(union, rows, start, length, at);
        if (place < 0) {
          parents[i] = PARENT_ELSEWHERE;
          elsewhere.push(rows[i]!);
        } else parents[i] = PARENT_ROW + place;
      }
      start += length;
    }
    return { parents, elsewhere: Uint32Array.from(elsewhere) };
  }

  #fill(union: SpanUnion, rows: Uint32Array, start: number, length: number): void {
    let size = this.#table.length;
    while (size < length * 2) size *= 2;
    if (size > this.#table.length) this.#table = new Int32Array(size);
    const table = this.#table.fill(-1);
    const mask = table.length - 1;
    for (let place = 0; place < length; place++) {
      const at = rows[start + place]! * 8;
      let slot = hashId(union.spanId, at) & mask;
      while (table[slot] !== -1) slot = (slot + 1) & mask;
      table[slot] = place;
    }
  }

  #lookup(union: SpanUnion, rows: Uint32Array, start: number, parentAt: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let slot = hashId(union.parentSpanId, parentAt) & mask;
    for (;;) {
      const place = table[slot]!;
      if (place < 0) return -1;
      if (sameId(union, rows[start + place]! * 8, parentAt)) return place;
      slot = (slot + 1) & mask;
    }
  }
}

function scan(
  union: SpanUnion,
  rows: Uint32Array,
  start: number,
  length: number,
  parentAt: number,
): number {
  for (let place = 0; place < length; place++) {
    if (sameId(union, rows[start + place]! * 8, parentAt)) return place;
  }
  return -1;
}

function sameId(union: SpanUnion, spanAt: number, parentAt: number): boolean {
  const { spanId, parentSpanId } = union;
  for (let k = 7; k >= 0; k--) if (spanId[spanAt + k] !== parentSpanId[parentAt + k]) return false;
  return true;
}

function hashId(bytes: Uint8Array, at: number): number {
  const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  const high =
    bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
  const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

function isZero(bytes: Uint8Array, at: number): boolean {
  for (let k = 7; k >= 0; k--) if (bytes[at + k] !== 0) return false;
  return true;
}
