// SPDX-License-Identifier: Apache-2.0
import type { TraceSummary } from '@spoor/core/query/trace-query.ts';

/**
 * A `TraceSummary` of Jaeger's api_v3 in its JSON: 64-bit numbers are texts, numbers that are 0 are left out. How many
 * spans have lost their parent is not told.
 */
export function traceSummaryJson(summary: TraceSummary): object {
  return {
    traceId: summary.traceId,
    rootServiceName: summary.rootServiceName,
    rootOperationName: summary.rootSpanName,
    minStartTimeUnixNano: String(summary.startTimeUnixNano),
    maxEndTimeUnixNano: String(summary.endTimeUnixNano),
    ...counts(summary),
    services: summary.services.map((service) => ({ name: service.name, ...counts(service) })),
  };
}

function counts({ spanCount, errorCount }: { spanCount: number; errorCount: number }): object {
  return {
    spanCount,
    ...(errorCount === 0 ? {} : { errorSpanCount: errorCount }),
  };
}
