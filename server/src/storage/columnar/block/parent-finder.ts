// SPDX-License-Identifier: Apache-2.0
import { hashTwo } from '@spoor/core/model/word-hash.ts';
import { WordList } from '@spoor/core/model/word-list.ts';
import type { WritableSpans } from './writable-spans.ts';

/** In the `parent` column: 0 for no parent, this for one that is not in this part of the trace, and from the next on rows. */
export const PARENT_ELSEWHERE = 1;
export const PARENT_ROW = 2;

/** Where ids are looked up. */
type SpanIds = Pick<WritableSpans, 'spanWords' | 'parentWords'>;

/** Traces up to this many rows are searched row by row. */
const SCAN_ROWS = 24;

/** Turns parent ids into row numbers inside the trace, which compress where ids do not. */
export class ParentFinder {
  /** Places in the trace, by hash; -1 where there is none. */
  #table = new Int32Array(256);
  #mask = 255;

  /**
   * @param rows rows of the group, whole traces
   * @param lengths rows of each trace
   * @returns per row 0 for no parent, 1 for a parent that is not in the trace's part, or 2 + the parent's place in the trace;
   * and the rows whose parent is not there, in order
   */
  find(
    ids: SpanIds,
    rows: Uint32Array,
    lengths: Uint32Array,
  ): { parents: Uint32Array; elsewhere: Uint32Array } {
    const parents = new Uint32Array(rows.length);
    let start = 0;
    for (let trace = 0; trace < lengths.length; trace++) {
      this.#findInTrace(ids, rows, start, lengths[trace]!, parents);
      start += lengths[trace]!;
    }
    return { parents, elsewhere: rowsElsewhere(rows, parents) };
  }

  #findInTrace(
    ids: SpanIds,
    rows: Uint32Array,
    start: number,
    length: number,
    parents: Uint32Array,
  ): void {
    if (length > SCAN_ROWS) this.#fill(ids, rows, start, length);
    for (let i = start; i < start + length; i++) {
      parents[i] = this.#parent(ids, rows, start, length, i);
    }
  }

  /** Parent of the row at `i` in the trace at `[start, start + length)`, as the column has it. */
  #parent(ids: SpanIds, rows: Uint32Array, start: number, length: number, i: number): number {
    const at = rows[i]! * 2;
    if (ids.parentWords[at] === 0 && ids.parentWords[at + 1] === 0) return 0;
    const place =
      length > SCAN_ROWS
        ? this.#table[this.#slotOf(ids, rows, start, ids.parentWords, at)]!
        : scan(ids, rows, start, length, at);
    return place < 0 ? PARENT_ELSEWHERE : PARENT_ROW + place;
  }

  /** Puts the ids of a trace into the table, each with its first place. */
  #fill(ids: SpanIds, rows: Uint32Array, start: number, length: number): void {
    let size = 64;
    while (size < length * 2) size *= 2;
    if (size > this.#table.length) this.#table = new Int32Array(size);
    this.#mask = size - 1;
    const table = this.#table.fill(-1, 0, size);
    for (let place = 0; place < length; place++) {
      const slot = this.#slotOf(ids, rows, start, ids.spanWords, rows[start + place]! * 2);
      if (table[slot]! < 0) table[slot] = place;
    }
  }

  /** Where the id in two words of `words` is in the table, or would be. */
  #slotOf(
    { spanWords }: SpanIds,
    rows: Uint32Array,
    start: number,
    words: Uint32Array,
    at: number,
  ): number {
    const table = this.#table;
    const mask = this.#mask;
    const first = words[at]!;
    const second = words[at + 1]!;
    let slot = hashTwo(first, second) & mask;
    for (let place = table[slot]!; place >= 0; place = table[slot]!) {
      const other = rows[start + place]! * 2;
      if (spanWords[other] === first && spanWords[other + 1] === second) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}

/** The rows whose parent is not in the trace's part. */
function rowsElsewhere(rows: Uint32Array, parents: Uint32Array): Uint32Array {
  const elsewhere = new WordList();
  for (let i = 0; i < rows.length; i++) {
    if (parents[i] === PARENT_ELSEWHERE) elsewhere.push(rows[i]!);
  }
  return elsewhere.words.subarray(0, elsewhere.count);
}

function scan(
  ids: SpanIds,
  rows: Uint32Array,
  start: number,
  length: number,
  parentAt: number,
): number {
  const { spanWords, parentWords } = ids;
  const first = parentWords[parentAt];
  for (let place = 0; place < length; place++) {
    const at = rows[start + place]! * 2;
    if (spanWords[at] === first && spanWords[at + 1] === parentWords[parentAt + 1]) return place;
  }
  return -1;
}
