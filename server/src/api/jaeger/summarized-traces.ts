// SPDX-License-Identifier: Apache-2.0
import { formatTraceId, type Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { TraceSummary } from '@spoor/core/query/trace-query.ts';
import type { ReadOptions, TraceReader } from '#storage/tracestore.ts';
import { hasDetails } from './trace-details.ts';

/** A trace that was found. */
export interface SummarizedTrace {
  readonly summary: TraceSummary;
  /** All of its spans, as of a moment later than the summary; undefined where they were not read. */
  readonly batch: SpanBatch | undefined;
}

/**
 * Reads the spans of those traces that have details, one trace after the other, and gives all traces in the order of their summaries.
 * A trace that is deleted meanwhile comes without spans.
 */
export async function* readSummarized(
  reader: TraceReader,
  tenant: Tenant,
  summaries: readonly TraceSummary[],
  options: ReadOptions,
): AsyncGenerator<SummarizedTrace, void, undefined> {
  const ids = summaries.flatMap(({ traceId, spanCount }) => (hasDetails(spanCount) ? traceId : []));
  let at = 0;
  for await (const batch of reader.getTraces(tenant, ids, options)) {
    const id = formatTraceId(batch.traceId, 0);
    for (; summaries[at]!.traceId !== id; at++) yield { summary: summaries[at]!, batch: undefined };
    yield { summary: summaries[at++]!, batch };
  }
  for (; at < summaries.length; at++) yield { summary: summaries[at]!, batch: undefined };
}
