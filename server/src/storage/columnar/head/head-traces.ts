// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { type TraceColumns, TraceColumnsBuilder } from '../block/trace-columns.ts';
import { TraceNumbers } from './trace-numbers.ts';

/** A batch expects so many spans of each of its traces, more or less. */
const SPANS_PER_TRACE = 4;

/** The traces of a batch, numbered as they come in it. */
export class HeadTraces {
  readonly count: number;
  /** Number of each row's trace. */
  readonly traceOf: Uint32Array;
  readonly #batch: SpanBatch;
  readonly #rows: Uint32Array;
  readonly #starts: Uint32Array;
  #columns: TraceColumns | undefined;

  /** @param idWords trace ids of the batch, four words each */
  constructor(batch: SpanBatch, idWords: Uint32Array) {
    const { rows } = batch;
    const numbers = new TraceNumbers(Math.ceil(rows / SPANS_PER_TRACE));
    const traceOf = numberRows(rows, idWords, numbers);
    const starts = new Uint32Array(numbers.count + 1);
    for (let row = 0; row < rows; row++) starts[traceOf[row]! + 1]!++;
    for (let t = 0; t < numbers.count; t++) starts[t + 1]! += starts[t]!;
    const next = starts.slice();
    const byTrace = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) byTrace[next[traceOf[row]!]!++] = row;
    this.count = numbers.count;
    this.traceOf = traceOf;
    this.#batch = batch;
    this.#rows = byTrace;
    this.#starts = starts;
  }

  /** What searches need of the traces. Copies of a span count as often as they are in the batch. */
  get columns(): TraceColumns {
    if (this.#columns === undefined) {
      const builder = new TraceColumnsBuilder();
      builder.add({ columns: this.#batch, rows: this.#rows, traceStarts: this.#starts });
      this.#columns = builder.columns();
    }
    return this.#columns;
  }

  /** A row of a trace. */
  firstRowOf(trace: number): number {
    return this.#rows[this.#starts[trace]!]!;
  }

  /** Rows of a trace, ascending. */
  rowsOf(trace: number): Uint32Array {
    return this.#rows.subarray(this.#starts[trace], this.#starts[trace + 1]);
  }
}

/** Gives each row the number of its trace. */
function numberRows(rows: number, idWords: Uint32Array, numbers: TraceNumbers): Uint32Array {
  const traceOf = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    // Spans of a trace mostly follow each other.
    traceOf[row] =
      row > 0 && isSameTrace(idWords, row * 4) ? traceOf[row - 1]! : numbers.add(idWords, row * 4);
  }
  return traceOf;
}

/** Whether the id at word `at` is that of the row before. */
function isSameTrace(words: Uint32Array, at: number): boolean {
  return (
    words[at] === words[at - 4] &&
    words[at + 1] === words[at - 3] &&
    words[at + 2] === words[at - 2] &&
    words[at + 3] === words[at - 1]
  );
}
