// SPDX-License-Identifier: Apache-2.0
import { selfTimes } from '@spoor/core/analysis/self-time.ts';
import { SPAN_PROBLEMS } from '@spoor/core/analysis/trace-tree.ts';
import { type JaegerTrace, decodeTraces } from '#api/jaeger-json.ts';
import { createTrace } from './trace.ts';

/** A service's part in a trace. */
export interface ServicePart {
  readonly service: string;
  readonly spanCount: number;
  /** Time in its spans with none of their children running, in µs. */
  readonly selfUs: number;
}

/** A trace as one line of a list of results. */
export interface TraceSummary {
  readonly traceId: string;
  readonly rootService: string;
  readonly rootOperation: string;
  /** Whether the root names a parent that is not there. */
  readonly rootMissing: boolean;
  /** Epoch µs. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly spanCount: number;
  readonly errorCount: number;
  /** By time, the longest first. */
  readonly parts: readonly ServicePart[];
}

/** Summaries of the traces in an answer, in its order; the spans are let go. */
export function summariseTraces(data: unknown, where: string): readonly TraceSummary[] {
  return decodeTraces(data, where)
    .filter((trace) => trace.spans.length > 0)
    .map(summarise);
}

function summarise(source: JaegerTrace): TraceSummary {
  const trace = createTrace(source);
  const { tree } = trace;
  const root = tree.roots[0]!;
  const selfUs = selfTimes(tree, trace.offsetUs, trace.durationUs);
  const parts = trace.services.map((service) => ({ service, spanCount: 0, selfUs: 0 }));
  for (let row = 0; row < tree.rows; row++) {
    const part = parts[trace.serviceOf[row]!]!;
    part.spanCount++;
    part.selfUs += selfUs[row]!;
  }
  return {
    traceId: trace.traceId,
    rootService: trace.services[trace.serviceOf[root]!]!,
    rootOperation: trace.spans[root]!.operationName,
    rootMissing: (tree.problems[root]! & (SPAN_PROBLEMS.missingParent | SPAN_PROBLEMS.cycle)) !== 0,
    startUs: trace.startUs,
    durationUs: trace.totalUs,
    spanCount: tree.rows,
    errorCount: trace.errorCount,
    parts: parts.sort((a, b) => b.selfUs - a.selfUs || b.spanCount - a.spanCount),
  };
}
