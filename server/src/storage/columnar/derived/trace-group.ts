// SPDX-License-Identifier: Apache-2.0
import { type BlockGroup, chunkOf, type GroupChunk } from '../block/block-format.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { codeAt, decodeCodes, decodePlanes, type Halves } from '../block/chunk-codec.ts';
import { PARENT_ELSEWHERE, PARENT_ROW } from '../block/parent-finder.ts';

/** Where the rows before some row end in what has not one entry a row. */
interface Passed {
  row: number;
  entries: number;
}

/** A group of a block whose traces are looked at one after the other, in ascending order. */
export class TraceGroup {
  /** Its place in the block. */
  readonly number: number;
  readonly #block: BlockReader;
  readonly #group: BlockGroup;
  readonly #traceStarts: Uint32Array;
  readonly #chunks = new Map<GroupChunk, Uint8Array>();
  #trace = 0;
  #start = 0;
  #end = 0;
  /** Parents that are noted by their id. */
  readonly #others: Passed = { row: 0, entries: 0 };
  #shapes: Uint32Array | undefined;
  /** Per column. */
  readonly #values = new Map<number, { readonly chunk: Uint8Array; readonly passed: Passed }>();

  constructor(block: BlockReader, number: number) {
    this.number = number;
    this.#block = block;
    this.#group = block.footer.groups[number]!;
    this.#traceStarts = block.group(number).traceStarts;
  }

  /** Goes to a trace, by its number in the group; all else is about it. @returns its rows in the group, `[start, end)` */
  seek(trace: number): { start: number; end: number } {
    this.#trace = trace;
    this.#start = this.#traceStarts[trace]!;
    this.#end = this.#traceStarts[trace + 1]!;
    return { start: this.#start, end: this.#end };
  }

  get spanIds(): Uint8Array {
    return this.#chunk('spanIds').subarray(this.#start * 8, this.#end * 8);
  }

  /** 8 bytes a row; zeros without parent. */
  parentIds(): Uint8Array {
    const ids = new Uint8Array((this.#end - this.#start) * 8);
    const spanIds = this.#chunk('spanIds');
    const elsewhere = this.#chunk('otherParents');
    const parents = this.#chunk('parent');
    const others = this.#others;
    if (elsewhere.length > 0) {
      for (let row = others.row; row < this.#start; row++) {
        if (codeAt(parents, row) === PARENT_ELSEWHERE) others.entries++;
      }
    }
    for (let row = this.#start, at = 0; row < this.#end; row++, at += 8) {
      const place = codeAt(parents, row);
      if (place === PARENT_ELSEWHERE) copyId(elsewhere, others.entries++, ids, at);
      else if (place >= PARENT_ROW) copyId(spanIds, this.#start + place - PARENT_ROW, ids, at);
    }
    others.row = this.#end;
    return ids;
  }

  /** Epoch ns. */
  starts(): Halves {
    const base = decodePlanes(this.#chunk('traceStart'), this.#group.traces, 1, this.#trace);
    const starts = this.#planes('start');
    const { lo, hi } = starts;
    for (let i = 0; i < lo.length; i++) {
      const sum = lo[i]! + base.lo[0]!;
      lo[i] = sum;
      hi[i] = hi[i]! + base.hi[0]! + (sum > 0xffffffff ? 1 : 0);
    }
    return starts;
  }

  durations(): Halves {
    return this.#planes('duration');
  }

  /** Of a column with one code a row. */
  codes(what: 'kind' | 'status' | 'name' | 'resource' | 'shape'): Uint32Array {
    return decodeCodes(this.#chunk(what), this.#end - this.#start, this.#start);
  }

  /**
   * Code of the first value that a row of the trace has in a column with a dictionary. For each column ask row by row.
   * @param timesInShape how many values of the column a row with each shape has
   * @param row counted from the first one of the trace
   */
  firstCode(column: number, timesInShape: Uint32Array, row: number): number {
    let values = this.#values.get(column);
    if (values === undefined) {
      const { columns } = this.#group;
      const chunk = columns.chunk(columns.find(column));
      values = { chunk: this.#block.chunk(chunk), passed: { row: 0, entries: 0 } };
      this.#values.set(column, values);
    }
    this.#shapes ??= decodeCodes(this.#chunk('shape'), this.#group.rows);
    const { chunk, passed } = values;
    for (; passed.row < this.#start + row; passed.row++) {
      passed.entries += timesInShape[this.#shapes[passed.row]!]!;
    }
    return codeAt(chunk, passed.entries);
  }

  #planes(what: 'start' | 'duration'): Halves {
    const count = this.#end - this.#start;
    return decodePlanes(this.#chunk(what), this.#group.rows, count, this.#start);
  }

  #chunk(what: GroupChunk): Uint8Array {
    let chunk = this.#chunks.get(what);
    if (chunk === undefined) {
      chunk = this.#block.chunk(chunkOf(this.#group, what));
      this.#chunks.set(what, chunk);
    }
    return chunk;
  }
}

/** Copies number `entry` of a list of ids. (A view of eight bytes costs more than they do.) */
function copyId(from: Uint8Array, entry: number, into: Uint8Array, at: number): void {
  for (let k = 0; k < 8; k++) into[at + k] = from[entry * 8 + k]!;
}
