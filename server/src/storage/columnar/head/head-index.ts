// SPDX-License-Identifier: Apache-2.0
import { grownWords } from '@spoor/core/model/column-arrays.ts';
import type { HeadBatch } from './head-batch.ts';
import { TraceNumbers } from './trace-numbers.ts';

/** Rows of a trace in a batch. */
export interface HeadRows {
  readonly head: HeadBatch;
  /** Number of the batch in its part. */
  readonly at: number;
  /** Number of the trace in the batch. */
  readonly trace: number;
  /** Ascending. */
  readonly rows: Uint32Array;
}

/** No entry. */
const NONE = 0xffffffff;

/** The traces of batches, numbered as they come, and where their rows are. */
export class HeadIndex {
  readonly numbers = new TraceNumbers();
  readonly #batches: HeadBatch[] = [];
  /** Of each batch, by its own numbers, the numbers of its traces here. */
  readonly #traces: Uint32Array[] = [];
  /** Per trace its first and last entry. */
  #first = new Uint32Array(64);
  #last = new Uint32Array(64);
  /** An entry is a trace in a batch: the number of the batch, that of the trace in it, and the next entry of the trace. */
  #entryBatch = new Uint32Array(64);
  #entryTrace = new Uint32Array(64);
  #next = new Uint32Array(64);
  #entries = 0;

  /** Takes those that it has not yet. @param batches of which it has the first ones */
  update(batches: readonly HeadBatch[]): void {
    for (let at = this.#batches.length; at < batches.length; at++) this.#add(batches[at]!);
  }

  /** The numbers of the traces of a batch, by their numbers there, ascending where they are new. @param at number of the batch */
  tracesOf(at: number): Uint32Array {
    return this.#traces[at]!;
  }

  /** Rows of a trace, batch by batch; none of -1. */
  rowsOf(trace: number): HeadRows[] {
    const found: HeadRows[] = [];
    for (let entry = this.#first[trace] ?? NONE; entry !== NONE; entry = this.#next[entry]!) {
      const at = this.#entryBatch[entry]!;
      const head = this.#batches[at]!;
      const inBatch = this.#entryTrace[entry]!;
      found.push({ head, at, trace: inBatch, rows: head.traces.rowsOf(inBatch) });
    }
    return found;
  }

  #add(batch: HeadBatch): void {
    const { idWords, traces } = batch;
    const at = this.#batches.length;
    const numbers = new Uint32Array(traces.count);
    for (let trace = 0; trace < traces.count; trace++) {
      const before = this.numbers.count;
      const number = this.numbers.add(idWords, traces.firstRowOf(trace) * 4);
      numbers[trace] = number;
      this.#addEntry(number, at, trace, number === before);
    }
    this.#batches.push(batch);
    this.#traces.push(numbers);
  }

  #addEntry(number: number, at: number, trace: number, isNew: boolean): void {
    const entry = this.#entries++;
    if (entry === this.#next.length) {
      this.#entryBatch = grownWords(this.#entryBatch, entry * 2);
      this.#entryTrace = grownWords(this.#entryTrace, entry * 2);
      this.#next = grownWords(this.#next, entry * 2);
    }
    if (number === this.#first.length) {
      this.#first = grownWords(this.#first, number * 2);
      this.#last = grownWords(this.#last, number * 2);
    }
    this.#entryBatch[entry] = at;
    this.#entryTrace[entry] = trace;
    this.#next[entry] = NONE;
    if (isNew) this.#first[number] = entry;
    else this.#next[this.#last[number]!] = entry;
    this.#last[number] = entry;
  }
}
