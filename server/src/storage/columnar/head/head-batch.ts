// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { HeadTraces } from './head-traces.ts';
import { ValueFilter } from './value-filter.ts';

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
  #values: ValueFilter | undefined;

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
    return (this.#traces ??= new HeadTraces(this.batch, this.idWords));
  }

  /** What values its attributes may have. */
  get values(): ValueFilter {
    return (this.#values ??= new ValueFilter(this.batch));
  }
}
