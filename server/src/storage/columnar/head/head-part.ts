// SPDX-License-Identifier: Apache-2.0
import { grownWords } from '@spoor/core/model/column-arrays.ts';
import type { HeadBatch } from './head-batch.ts';
import { HeadNames } from './head-names.ts';
import { TraceNumbers } from './trace-numbers.ts';

/** Rows of a trace in a batch. */
interface HeadRows {
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

/**
 * The batches of a tenant in one life of a slab, with an index of their traces, which are numbered as they come. Batches are
 * only added; all of it goes with the slab, which bounds it.
 *
 * The index is brought up to date when it is asked, batch by batch: who does not need it does not pay for it.
 */
export class HeadPart {
  readonly #batches: HeadBatch[] = [];
  readonly #names = new HeadNames();
  /** Batches that the names are of. */
  #named = 0;
  readonly #numbers = new TraceNumbers();
  /** Of each indexed batch, by its own numbers, the numbers of its traces here. */
  readonly #traces: Uint32Array[] = [];
  /** Per trace its first and last entry. */
  #first = new Uint32Array(64);
  #last = new Uint32Array(64);
  /** An entry is a trace in a batch: the number of the batch, that of the trace in it, and the next entry of the trace. */
  #entryBatch = new Uint32Array(64);
  #entryTrace = new Uint32Array(64);
  #next = new Uint32Array(64);
  #entries = 0;

  /** @param batches in order */
  static of(batches: readonly HeadBatch[]): HeadPart {
    const part = new HeadPart();
    for (const batch of batches) part.add(batch);
    return part;
  }

  /** In the order in which they came. */
  get batches(): readonly HeadBatch[] {
    return this.#batches;
  }

  /** What the batches name. */
  get names(): HeadNames {
    for (; this.#named < this.#batches.length; this.#named++) {
      this.#names.add(this.#batches[this.#named]!.batch);
    }
    return this.#names;
  }

  /** Distinct traces of all batches. */
  get traceCount(): number {
    this.#update();
    return this.#numbers.count;
  }

  add(batch: HeadBatch): void {
    this.#batches.push(batch);
  }

  /** The number of the trace with the id at `words[at, at + 4)`; -1 without rows of it. */
  find(words: Uint32Array, at: number): number {
    this.#update();
    return this.#numbers.find(words, at);
  }

  /** Ids of all traces by number, four words each. */
  get ids(): Uint32Array {
    this.#update();
    return this.#numbers.words;
  }

  /** The numbers of the traces of a batch, by their numbers there, ascending where they are new. @param at number of the batch */
  tracesOf(at: number): Uint32Array {
    this.#update();
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

  #update(): void {
    for (let at = this.#traces.length; at < this.#batches.length; at++) this.#index(at);
  }

  #index(at: number): void {
    const { idWords, traces } = this.#batches[at]!;
    const numbers = new Uint32Array(traces.count);
    for (let trace = 0; trace < traces.count; trace++) {
      const before = this.#numbers.count;
      const number = this.#numbers.add(idWords, traces.firstRowOf(trace) * 4);
      numbers[trace] = number;
      this.#addEntry(number, at, trace, number === before);
    }
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
