// SPDX-License-Identifier: Apache-2.0
import type { PlannedSpan, SpanPlan, TraceKey } from './span-plan.ts';

/** What is read of a span in OTLP's JSON. */
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number };
}

interface OtlpTrace {
  readonly result: {
    readonly resourceSpans: readonly {
      readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
    }[];
  };
}

/**
 * Fetches one trace as OTLP JSON, whose times are whole, and compares its spans with the plan.
 * @returns what differs; empty when nothing does
 */
export async function findDifferences(
  queryUrl: string,
  plan: SpanPlan,
  key: TraceKey,
): Promise<string[]> {
  const answer = await fetch(`${queryUrl}/api/v3/traces/${plan.traceId(key)}`);
  if (answer.status !== 200) return [`${answer.status} ${await answer.text()}`];
  // The API answers with this shape; the comparison finds what differs from it.
  const trace = (await answer.json()) as OtlpTrace;
  const spans = trace.result.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans),
  );
  return spans.flatMap((span) => {
    const spanKey = plan.spanKey(span.spanId);
    if (spanKey === undefined) return [`span ${span.spanId} is of no request`];
    const want = plan.span(plan.request(spanKey.request), spanKey.index);
    return isSame(want, span) ? [] : [`${JSON.stringify(span)} is not the planned ${want.spanId}`];
  });
}

function isSame(want: PlannedSpan, got: OtlpSpan): boolean {
  return (
    got.traceId === want.traceId &&
    (got.parentSpanId ?? '') === want.parentSpanId &&
    got.name === want.name &&
    got.kind === want.kind &&
    BigInt(got.startTimeUnixNano) === want.startTimeUnixNano &&
    BigInt(got.endTimeUnixNano) - want.startTimeUnixNano === BigInt(want.durationNanos) &&
    (got.status?.code === 2) === want.isError
  );
}
