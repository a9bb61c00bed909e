// SPDX-License-Identifier: Apache-2.0
import { parentAmong } from '@spoor/core/analysis/parent-reference.ts';
import { type TraceTree, buildTraceTree } from '@spoor/core/analysis/trace-tree.ts';
import type {
  JaegerProcess,
  JaegerSpan,
  JaegerTrace,
  KeyValue,
  SpanReference,
} from '#api/jaeger-json.ts';

/** A trace made ready for showing: columns by row number, and the tree over them. */
export interface Trace {
  readonly traceId: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: readonly JaegerProcess[];
  /** Per row, index into `services`. */
  readonly serviceOf: Uint32Array;
  /** Distinct names, by first use in the tree. */
  readonly services: readonly string[];
  /** Start of each span after `startUs`, in µs. */
  readonly offsetUs: Float64Array;
  /** In µs, at least 0. */
  readonly durationUs: Float64Array;
  /** 1 for a span with an error. */
  readonly isError: Uint8Array;
  readonly errorCount: number;
  /** Start of the earliest span, epoch µs. */
  readonly startUs: number;
  /** From there to the end of the latest span, in µs. */
  readonly totalUs: number;
  readonly tree: TraceTree;
  /** Row of each span id. */
  readonly rowOf: ReadonlyMap<string, number>;
  readonly warnings: readonly string[];
}

const UNKNOWN_PROCESS: JaegerProcess = { serviceName: 'unknown', tags: [] };

/** Prepares a trace of any size for showing, in time linear to its spans (and a sort). */
export function createTrace(source: JaegerTrace): Trace {
  const { spans } = source;
  const rows = spans.length;
  const offsetUs = new Float64Array(rows);
  const durationUs = new Float64Array(rows);
  const isError = new Uint8Array(rows);
  const serviceOf = new Uint32Array(rows);
  const processes: JaegerProcess[] = [];
  const rowOf = new Map<string, number>();
  let startUs = Infinity;
  let errorCount = 0;
  for (const span of spans) startUs = Math.min(startUs, span.startTime);
  if (rows === 0) startUs = 0;
  let totalUs = 0;
  for (const [row, span] of spans.entries()) {
    offsetUs[row] = span.startTime - startUs;
    durationUs[row] = Math.max(0, span.duration);
    totalUs = Math.max(totalUs, offsetUs[row]! + durationUs[row]!);
    processes.push(source.processes.get(span.processID) ?? UNKNOWN_PROCESS);
    if (!rowOf.has(span.spanID)) rowOf.set(span.spanID, row);
    if (hasError(span.tags)) {
      isError[row] = 1;
      errorCount++;
    }
  }
  const tree = buildTraceTree({
    spanIds: spans.map((span) => span.spanID),
    parentSpanIds: spans.map((span) => parentReference(span, source.traceID)?.spanID ?? ''),
    start: offsetUs,
    duration: durationUs,
  });
  const services = new Map<string, number>();
  for (const row of tree.order) {
    const name = processes[row]!.serviceName;
    const known = services.get(name);
    serviceOf[row] = known ?? services.size;
    if (known === undefined) services.set(name, services.size);
  }
  return {
    traceId: source.traceID,
    spans,
    processes,
    serviceOf,
    services: [...services.keys()],
    offsetUs,
    durationUs,
    isError,
    errorCount,
    startUs,
    totalUs,
    tree,
    rowOf,
    warnings: source.warnings,
  };
}

/** Whether two trace ids are one; short ids are written with and without leading zeros. */
export function sameTraceId(a: string, b: string): boolean {
  const bare = (id: string) => id.toLowerCase().replace(/^0+/, '');
  return a === b || bare(a) === bare(b);
}

/** Text of one attribute's value, as it is shown and copied. */
export function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Text of the first attribute with this key, or undefined. */
export function findValue(attributes: readonly KeyValue[], key: string): string | undefined {
  const found = attributes.find((attribute) => attribute.key === key);
  return found === undefined ? undefined : formatValue(found.value);
}

function hasError(tags: readonly KeyValue[]): boolean {
  for (const { key, value } of tags) {
    if (key === 'error' && (value === true || value === 'true')) return true;
    if (key === 'otel.status_code' && value === 'ERROR') return true;
  }
  return false;
}

/** The reference to a span's parent, see {@link parentAmong}. */
export function parentReference(span: JaegerSpan, traceId: string): SpanReference | undefined {
  return parentAmong(span.references.filter(({ traceID }) => sameTraceId(traceID, traceId)));
}
