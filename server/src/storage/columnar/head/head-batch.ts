// SPDX-License-Identifier: Apache-2.0
import { formatTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { type TraceColumns, TraceColumnsBuilder } from '../block/trace-columns.ts';

/** Epoch ns as a double: exact to 256 ns, for comparisons that allow for it. */
export function roughNanos(hi: number, lo: number): number {
  return hi * 4294967296 + lo;
}

/** By how much two {@link roughNanos} of the same time may differ, with room to spare. */
export const ROUGH_SLACK_NANOS = 1024;

/** A batch of the head with what searches need to know of it. */
export class HeadBatch {
  readonly batch: SpanBatch;
  readonly minStart: number;
  readonly maxStart: number;
  /** Trace ids, four words each. */
  readonly idWords: Uint32Array;
  #traces: HeadTraces | undefined;

  constructor(batch: SpanBatch) {
    this.batch = batch;
    let min = Infinity;
    let max = -Infinity;
    for (let row = 0; row < batch.rows; row++) {
      const start = roughNanos(batch.startHi[row]!, batch.startLo[row]!);
      if (start < min) min = start;
      if (start > max) max = start;
    }
    this.minStart = min;
    this.maxStart = max;
    const { buffer, byteOffset, byteLength } = batch.traceId;
    this.idWords = new Uint32Array(buffer, byteOffset, byteLength / 4);
  }

  /** The traces of the batch, worked out when they are first asked for. */
  get traces(): HeadTraces {
    return (this.#traces ??= new HeadTraces(this));
  }
}

/** The traces of a batch, numbered as they come in it. */
export class HeadTraces {
  readonly ids: readonly TraceId[];
  /** Number of each row's trace. */
  readonly traceOf: Uint32Array;
  /** Copies of a span count as often as they are in the batch. */
  readonly columns: TraceColumns;
  readonly #rows: Uint32Array;
  readonly #starts: Uint32Array;

  constructor({ batch, idWords }: HeadBatch) {
    const { rows, traceId } = batch;
    const ids: TraceId[] = [];
    const numbers = new Map<TraceId, number>();
    const traceOf = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) {
      // Spans of a trace mostly follow each other.
      if (row > 0 && isSameTrace(idWords, row * 4)) {
        traceOf[row] = traceOf[row - 1]!;
        continue;
      }
      const id = formatTraceId(traceId, row * 16);
      let number = numbers.get(id);
      if (number === undefined) {
        number = ids.push(id) - 1;
        numbers.set(id, number);
      }
      traceOf[row] = number;
    }
    const starts = new Uint32Array(ids.length + 1);
    for (const trace of traceOf) starts[trace + 1]!++;
    for (let t = 0; t < ids.length; t++) starts[t + 1]! += starts[t]!;
    const next = starts.slice();
    const byTrace = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) byTrace[next[traceOf[row]!]!++] = row;
    const builder = new TraceColumnsBuilder();
    builder.add({ columns: batch, rows: byTrace, traceStarts: starts });
    this.ids = ids;
    this.traceOf = traceOf;
    this.columns = builder.columns();
    this.#rows = byTrace;
    this.#starts = starts;
  }

  /** Rows of a trace, ascending. */
  rowsOf(trace: number): Uint32Array {
    return this.#rows.subarray(this.#starts[trace], this.#starts[trace + 1]);
  }
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
