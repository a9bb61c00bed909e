// SPDX-License-Identifier: Apache-2.0
import { isLeastFirst, keyOfOrder, type TraceKey } from '@spoor/core/query/trace-order.ts';
import type { TraceOrder } from '@spoor/core/query/trace-query.ts';
import { ROUGH_SLACK_NANOS, roughNanos } from '../head/head-batch.ts';
import type { LooseTrace } from './loose-trace.ts';
import type { SummariesRef } from '../block/summaries-section.ts';
import { durationAt, nanosAt, roughDurationAt, type TraceColumns } from '../block/trace-columns.ts';

/**
 * The keys of an order as doubles, turned so that the greatest comes first: cheap, and right up to `slack`. The exact ones are
 * looked at where that is not enough.
 */
export class TraceRank {
  readonly order: TraceOrder;
  readonly key: TraceKey;
  readonly #sign: 1 | -1;

  constructor(order: TraceOrder) {
    this.order = order;
    this.key = keyOfOrder(order);
    this.#sign = isLeastFirst(order) ? -1 : 1;
  }

  /** Rank of an exact key. */
  ofKey(key: bigint): number {
    return this.#sign * Number(key);
  }

  /** By how much another rank of the same key may differ from this one; 0 where a rank says all that the key does. */
  slackAt(rank: number): number {
    const isExact =
      this.key === 'spans' ||
      this.key === 'errors' ||
      (this.key === 'duration' && Math.abs(rank) < 2 ** 53);
    return isExact ? 0 : 2 * ROUGH_SLACK_NANOS;
  }

  /** Ranks of traces by their columns. */
  ranksOf(columns: TraceColumns): Float64Array {
    const { traces } = columns;
    const ranks = new Float64Array(traces);
    const sign = this.#sign;
    switch (this.key) {
      case 'start': {
        const { lo, hi } = columns.start;
        for (let t = 0; t < traces; t++) ranks[t] = sign * roughNanos(hi[t]!, lo[t]!);
        break;
      }
      case 'duration': {
        const { start, length } = columns;
        const wide = { start, length };
        for (let t = 0; t < traces; t++) ranks[t] = sign * roughDurationAt(wide, t);
        break;
      }
      case 'spans':
        ranks.set(columns.spans);
        break;
      case 'errors':
        ranks.set(columns.errors);
    }
    return ranks;
  }

  /** Exact key of a trace by its columns. */
  keyAt(columns: TraceColumns, trace: number): bigint {
    switch (this.key) {
      case 'start':
        return nanosAt(columns.start, trace);
      case 'duration':
        return durationAt(columns, trace);
      case 'spans':
        return BigInt(columns.spans[trace]!);
      case 'errors':
        return BigInt(columns.errors[trace]!);
    }
  }

  /** Key of a trace with several parts: exact, or for counts not less than it is. */
  keyOf(trace: LooseTrace): bigint {
    switch (this.key) {
      case 'start':
        return trace.startTimeUnixNano;
      case 'duration':
        return trace.endTimeUnixNano - trace.startTimeUnixNano;
      case 'spans':
        return BigInt(trace.maxSpans);
      case 'errors':
        return BigInt(trace.maxErrors);
    }
  }

  /** Rank of the key that {@link keyOf} tells. */
  rankOf(trace: LooseTrace): number {
    switch (this.key) {
      case 'start':
        return this.#sign * trace.roughStart;
      case 'duration':
        return this.#sign * trace.minDuration;
      case 'spans':
        return trace.maxSpans;
      case 'errors':
        return trace.maxErrors;
    }
  }

  /** No trace that is wholly in a block ranks above this; Infinity where the block does not say. */
  boundOf(minStart: string, summaries: SummariesRef | undefined): number {
    if (summaries === undefined) return Infinity;
    switch (this.key) {
      case 'start':
        return this.#sign < 0 ? -Number(minStart) : Number(summaries.maxStart);
      case 'duration':
        return this.#sign < 0 ? -Number(summaries.minDuration) : Number(summaries.maxDuration);
      case 'spans':
        return summaries.maxSpans;
      case 'errors':
        return summaries.maxErrors;
    }
  }
}
