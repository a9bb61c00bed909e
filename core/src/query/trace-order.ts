// SPDX-License-Identifier: Apache-2.0
import type { TraceOrder, TracePosition, TraceSummary } from './trace-query.ts';

/** What each order goes by, and whether the least comes first. */
const ORDERS: Readonly<
  Record<
    TraceOrder,
    {
      readonly key: 'start' | 'duration' | 'spans' | 'errors';
      readonly leastFirst: boolean;
    }
  >
> = {
  newest: { key: 'start', leastFirst: false },
  oldest: { key: 'start', leastFirst: true },
  longest: { key: 'duration', leastFirst: false },
  shortest: { key: 'duration', leastFirst: true },
  most_spans: { key: 'spans', leastFirst: false },
  most_errors: { key: 'errors', leastFirst: false },
};

/** Number of a trace that an order goes by. */
export type TraceKey = (typeof ORDERS)[TraceOrder]['key'];

/** What an order goes by. */
export function keyOfOrder(order: TraceOrder): TraceKey {
  return ORDERS[order].key;
}

/** Whether the trace with the least key is the first. */
export function isLeastFirst(order: TraceOrder): boolean {
  return ORDERS[order].leastFirst;
}

/** Where a trace stands in an order. */
export function positionOf(order: TraceOrder, trace: TraceSummary): TracePosition {
  const { traceId } = trace;
  switch (ORDERS[order].key) {
    case 'start':
      return { key: trace.startTimeUnixNano, traceId };
    case 'duration':
      return { key: trace.endTimeUnixNano - trace.startTimeUnixNano, traceId };
    case 'spans':
      return { key: BigInt(trace.spanCount), traceId };
    case 'errors':
      return { key: BigInt(trace.errorCount), traceId };
  }
}

/** Order of two positions: negative when `a` comes first. */
export function comparePositions(order: TraceOrder, a: TracePosition, b: TracePosition): number {
  if (a.key !== b.key) return a.key < b.key === ORDERS[order].leastFirst ? -1 : 1;
  return a.traceId < b.traceId ? -1 : a.traceId > b.traceId ? 1 : 0;
}
