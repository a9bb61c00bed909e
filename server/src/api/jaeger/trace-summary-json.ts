// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import {
  mergePartials,
  servicesByName,
  toSummary,
  type TracePartial,
  TraceSummarizer,
} from '@spoor/core/query/summarize-trace.ts';
import type { TraceSummary } from '@spoor/core/query/trace-query.ts';
import { shownService } from '@spoor/core/query/unnamed-service.ts';
import type { JsonStyle } from '#api/json-style.ts';
import type { SummarizedTrace } from './summarized-traces.ts';
import { hasDetails, traceDetails, type TraceDetails } from './trace-details.ts';

/** Spans that are summed up between two turns of others: some milliseconds. */
const PIECE_SPANS = 8192;

/**
 * A `TraceSummary` of Jaeger's api_v3 in its JSON: 64-bit numbers are texts, numbers that are 0 are left out. How many
 * spans have lost their parent is not told. A trace without a root has an empty `rootServiceName`, and no other has.
 * @param details what is said of the trace beside that; a service that they do not know came or went meanwhile
 */
export function traceSummaryJson(summary: TraceSummary, details?: TraceDetails): object {
  const { rootSpanId, rootServiceName } = summary;
  return {
    traceId: summary.traceId,
    rootServiceName: rootSpanId === '' ? rootServiceName : shownService(rootServiceName),
    rootOperationName: summary.rootSpanName,
    ...(details === undefined || rootSpanId !== ''
      ? {}
      : {
          firstServiceName: details.firstServiceName,
          firstOperationName: details.firstSpanName,
        }),
    minStartTimeUnixNano: String(summary.startTimeUnixNano),
    maxEndTimeUnixNano: String(summary.endTimeUnixNano),
    ...counts(summary),
    services: shownServices(summary.services).map((service) => ({
      name: service.name,
      ...counts(service),
      ...(details === undefined
        ? {}
        : { selfTimeNano: String(details.selfTimeNanos.get(service.name) ?? 0n) }),
    })),
  };
}

/** The services by the names of answers; two may have one name then. */
function shownServices(stored: TraceSummary['services']): TraceSummary['services'] {
  // The one without a name is the first.
  if (stored[0]?.name !== '') return stored;
  const services = new Map<string, { spanCount: number; errorCount: number }>();
  for (const { name, spanCount, errorCount } of stored) {
    const shown = shownService(name);
    const before = services.get(shown) ?? { spanCount: 0, errorCount: 0 };
    services.set(shown, {
      spanCount: before.spanCount + spanCount,
      errorCount: before.errorCount + errorCount,
    });
  }
  return servicesByName(services);
}

/** Where the JSON of a summary stands in its answer. */
interface SummaryPlace {
  /** What stands before it. */
  readonly before: string;
  readonly style: JsonStyle;
  /** Of the object in the answer. */
  readonly depth: number;
}

/**
 * The JSON of the summary of a trace, in pieces that are empty but for the last: a trace may have millions of spans.
 * @param batch all spans of the trace, at least one, each once
 * @param withDetails whether it has details, as far as traces of so many spans have
 */
export function* traceSummaryPieces(
  batch: SpanBatch,
  withDetails: boolean,
  place: SummaryPlace,
): Generator<string, void, undefined> {
  const summarizer = new TraceSummarizer();
  const partials: TracePartial[] = [];
  for (let first = 0; first < batch.rows; first += PIECE_SPANS) {
    const length = Math.min(PIECE_SPANS, batch.rows - first);
    const rows = Uint32Array.from({ length }, (_, i) => first + i);
    partials.push(summarizer.partial([{ columns: batch, rows }]));
    yield '';
  }
  const summary = toSummary(mergePartials(partials));
  yield* detailedSummaryPieces({ summary, batch: withDetails ? batch : undefined }, place);
}

/** As {@link traceSummaryPieces}, of a summary that is there. */
export function* detailedSummaryPieces(
  { summary, batch }: SummarizedTrace,
  { before, style, depth }: SummaryPlace,
): Generator<string, void, undefined> {
  const details =
    batch !== undefined && hasDetails(batch.rows) ? yield* traceDetails(batch) : undefined;
  yield before + style.value(traceSummaryJson(summary, details), depth);
}

function counts({ spanCount, errorCount }: { spanCount: number; errorCount: number }): object {
  return {
    spanCount,
    ...(errorCount === 0 ? {} : { errorSpanCount: errorCount }),
  };
}
