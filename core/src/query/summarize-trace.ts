// SPDX-License-Identifier: Apache-2.0
import { formatSpanId, formatTraceId, isZeroSpanId } from '#model/ids.ts';
import { type SpanColumns, StatusByte, type SymbolTable } from '#model/span-columns.ts';
import { symbolBytes, symbolText, uint64 } from '#model/span-reader.ts';
import { decodeResource } from '#model/value-decoder.ts';
import { compareCodePoints } from './code-point-order.ts';
import type { TraceSummary } from './trace-query.ts';
import { orderTrace, type TracePart, type TraceRows } from './join-trace.ts';

/**
 * Summary of a part of a trace. Partials of parts that share no span merge to the summary of the whole trace, in
 * any order: see {@link mergePartials}.
 */
export interface TracePartial extends TraceSummary {
  /** Start of the span that the root fields name; undefined when no span is without parent. */
  readonly rootStartTimeUnixNano: bigint | undefined;
}

type Root = Pick<
  TracePartial,
  'rootStartTimeUnixNano' | 'rootSpanId' | 'rootServiceName' | 'rootSpanName'
>;

/** The root fields of a summary without root. */
const NO_ROOT: Root = {
  rootStartTimeUnixNano: undefined,
  rootSpanId: '',
  rootServiceName: '',
  rootSpanName: '',
};

/**
 * Summary of a trace that is all in one source.
 * @param trace all rows of one trace, at least one; copies count once
 */
export function summarizeTrace(trace: SpanColumns): TraceSummary {
  const rows = Uint32Array.from({ length: trace.rows }, (_, row) => row);
  return new TraceSummarizer().summarize([{ columns: trace, rows }]);
}

/** Makes summaries of traces. It remembers the services of its sources: keep one for each query. */
export class TraceSummarizer {
  readonly #services = new WeakMap<SymbolTable, (string | undefined)[]>();

  /**
   * Summary of one trace over all of its parts. Copies of a span count once.
   * @param parts of one trace, with at least one row
   */
  summarize(parts: readonly TracePart[]): TraceSummary {
    return this.summarizeRows(orderTrace(parts));
  }

  /** As {@link summarize}, of a trace whose rows were put in order before. */
  summarizeRows(trace: TraceRows): TraceSummary {
    return toSummary(this.#partial(trace));
  }

  /**
   * Summary of some parts of a trace, to be merged with those of others.
   * @param parts of one trace, with at least one row
   */
  partial(parts: readonly TracePart[]): TracePartial {
    return this.#partial(orderTrace(parts));
  }

  #partial(trace: TraceRows): TracePartial {
    const { parts } = trace;
    const services = new Map<string, { spanCount: number; errorCount: number }>();
    let start = 2n ** 64n;
    let end = 0n;
    let errorCount = 0;
    let root = NO_ROOT;
    for (let i = 0; i < trace.count; i++) {
      const { columns } = parts[trace.part[i]!]!;
      const row = trace.row[i]!;
      const spanStart = uint64(columns.startLo[row]!, columns.startHi[row]!);
      const duration = uint64(columns.durationLo[row]!, columns.durationHi[row]!);
      const spanEnd = BigInt.asUintN(64, spanStart + duration);
      if (spanStart < start) start = spanStart;
      if (spanEnd > end) end = spanEnd;
      const serviceName = this.#serviceName(columns, row);
      let service = services.get(serviceName);
      if (service === undefined) {
        services.set(serviceName, (service = { spanCount: 0, errorCount: 0 }));
      }
      service.spanCount++;
      if (columns.status[row] === StatusByte.error) {
        service.errorCount++;
        errorCount++;
      }
      if (isZeroSpanId(columns.parentSpanId, row * 8)) {
        root = earlierRoot(root, {
          rootStartTimeUnixNano: spanStart,
          rootSpanId: formatSpanId(columns.spanId, row * 8),
          rootServiceName: serviceName,
          rootSpanName: symbolText(columns.names, columns.name[row]!),
        });
      }
    }
    const first = trace.row[0]!;
    return {
      traceId: formatTraceId(parts[trace.part[0]!]!.columns.traceId, first * 16),
      startTimeUnixNano: start,
      endTimeUnixNano: end,
      spanCount: trace.count,
      errorCount,
      ...root,
      services: servicesByName(services),
    };
  }

  #serviceName({ resources, resource }: SpanColumns, row: number): string {
    let names = this.#services.get(resources);
    if (names === undefined) this.#services.set(resources, (names = []));
    const code = resource[row]!;
    return (names[code] ??= decodeResource(symbolBytes(resources, code)).serviceName);
  }
}

/**
 * The summary of a trace from those of its parts.
 * @param partials of one trace and at least one; no span may be in two of them
 */
export function mergePartials(partials: readonly TracePartial[]): TracePartial {
  const [first] = partials;
  let start = first!.startTimeUnixNano;
  let end = first!.endTimeUnixNano;
  let spanCount = 0;
  let errorCount = 0;
  let root = NO_ROOT;
  const services = new Map<string, { spanCount: number; errorCount: number }>();
  for (const partial of partials) {
    if (partial.startTimeUnixNano < start) start = partial.startTimeUnixNano;
    if (partial.endTimeUnixNano > end) end = partial.endTimeUnixNano;
    spanCount += partial.spanCount;
    errorCount += partial.errorCount;
    root = earlierRoot(root, partial);
    for (const { name, ...counts } of partial.services) {
      const service = services.get(name);
      if (service === undefined) services.set(name, counts);
      else {
        service.spanCount += counts.spanCount;
        service.errorCount += counts.errorCount;
      }
    }
  }
  return {
    traceId: first!.traceId,
    startTimeUnixNano: start,
    endTimeUnixNano: end,
    spanCount,
    errorCount,
    rootStartTimeUnixNano: root.rootStartTimeUnixNano,
    rootSpanId: root.rootSpanId,
    rootServiceName: root.rootServiceName,
    rootSpanName: root.rootSpanName,
    services: servicesByName(services),
  };
}

/** The summary, when the partial is that of the whole trace. */
export function toSummary({
  rootStartTimeUnixNano: _rootStart,
  ...summary
}: TracePartial): TraceSummary {
  return summary;
}

/** The earlier of two roots; ties by span id, then service, then name, so that it does not matter which comes first. */
function earlierRoot(a: Root, b: Root): Root {
  if (a.rootStartTimeUnixNano === undefined) return b;
  if (b.rootStartTimeUnixNano === undefined) return a;
  if (a.rootStartTimeUnixNano !== b.rootStartTimeUnixNano) {
    return a.rootStartTimeUnixNano < b.rootStartTimeUnixNano ? a : b;
  }
  const order =
    compareCodePoints(a.rootSpanId, b.rootSpanId) ||
    compareCodePoints(a.rootServiceName, b.rootServiceName) ||
    compareCodePoints(a.rootSpanName, b.rootSpanName);
  return order <= 0 ? a : b;
}

/** The services of a summary. */
export function servicesByName(
  services: ReadonlyMap<string, { spanCount: number; errorCount: number }>,
): TraceSummary['services'] {
  return [...services]
    .map(([name, counts]) => ({ name, ...counts }))
    .sort((a, b) => compareCodePoints(a.name, b.name));
}
