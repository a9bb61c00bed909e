// SPDX-License-Identifier: Apache-2.0
import type { Span } from '#model/span.ts';

/** A call between services, or a span, as it is counted. */
export interface NaiveCount {
  readonly minute: number;
  readonly bucket: number;
  readonly isError: boolean;
}

/** See `EdgeKey`. */
export interface NaiveCall extends NaiveCount {
  readonly caller: string;
  readonly callee: string;
  readonly kind: 'call' | 'messaging' | 'database';
  readonly isInferred: boolean;
}

/** See `RedKey`. */
export interface NaiveSpan extends NaiveCount {
  readonly service: string;
  readonly operation: string;
  readonly kind: number;
}

/** Each span as rates count it. */
export function naiveSpans(spans: readonly Span[]): NaiveSpan[] {
  return spans.map((span) => ({
    ...countOf(span),
    service: span.resource.serviceName,
    operation: span.name,
    kind: kindOf(span),
  }));
}

/** All calls in some spans, each given once, worked out trace by trace in the simplest way. */
export function naiveCalls(spans: readonly Span[]): NaiveCall[] {
  const traces = Map.groupBy(spans, (span) => span.traceId);
  return [...traces.values()].flatMap(callsOfTrace);
}

function callsOfTrace(trace: readonly Span[]): NaiveCall[] {
  const serviceOf = (span: Span): string => span.resource.serviceName;
  const calls: NaiveCall[] = [];
  /** Ids of spans that another span stands for. */
  const answered = new Set<string>();
  for (const span of trace) {
    const parent = parentOf(span, trace);
    if (parent === undefined) continue;
    if (kindOf(span) >= 2 || serviceOf(span) !== serviceOf(parent)) answered.add(parent.spanId);
    if (serviceOf(span) === '') continue;
    const passed = new Set<Span>();
    let caller: Span | undefined = parent;
    while (caller !== undefined && serviceOf(caller) === '' && !passed.has(caller)) {
      passed.add(caller);
      caller = parentOf(caller, trace);
    }
    if (caller === undefined || ['', serviceOf(span)].includes(serviceOf(caller))) continue;
    calls.push({
      ...countOf(span),
      caller: serviceOf(caller),
      callee: serviceOf(span),
      kind: kindOf(span) === 5 ? 'messaging' : 'call',
      isInferred: false,
    });
  }
  for (const span of trace) {
    if (![3, 4].includes(kindOf(span)) || serviceOf(span) === '') continue;
    if (answered.has(span.spanId)) continue;
    const text = (key: string): string => {
      const found = span.attributes.find((one) => one.key === key && one.value.type === 'string');
      return found?.value.type === 'string' ? found.value.value : '';
    };
    const database = text('db.system.name') || text('db.system');
    const broker = text('messaging.system');
    const address = text('server.address') || text('net.peer.name');
    const callee = text('peer.service') || database || broker || address;
    if (callee === '') continue;
    const kind = database !== '' ? 'database' : broker !== '' ? 'messaging' : 'call';
    calls.push({ ...countOf(span), caller: serviceOf(span), callee, kind, isInferred: true });
  }
  return calls;
}

function parentOf(span: Span, trace: readonly Span[]): Span | undefined {
  const holders = (id: string): Span[] =>
    trace.filter((other) => other !== span && other.spanId === id).sort(byRank);
  if ([2, 5].includes(kindOf(span))) {
    const client = holders(span.spanId).find((other) => [3, 4].includes(kindOf(other)));
    if (client !== undefined) return client;
  }
  return /^0*$/.test(span.parentSpanId) ? undefined : holders(span.parentSpanId)[0];
}

function byRank(a: Span, b: Span): number {
  const rank = (span: Span): [number, bigint, number, string, string] => [
    [2, 5].includes(kindOf(span)) ? 0 : 1,
    span.startTimeUnixNano,
    kindOf(span),
    reversedWords(span.parentSpanId),
    span.resource.serviceName,
  ];
  const [left, right] = [rank(a), rank(b)];
  for (const [i, value] of left.entries()) {
    if (value !== right[i]!) return value < right[i]! ? -1 : 1;
  }
  return 0;
}

/** Ids are compared as words of four bytes, the lowest first. */
function reversedWords(id: string): string {
  return id.padStart(16, '0').replaceAll(/(..)(..)(..)(..)/g, '$4$3$2$1');
}

function kindOf(span: Span): number {
  return span.kind >= 0 && span.kind <= 5 ? span.kind : 0;
}

function countOf(span: Span): NaiveCount {
  const duration = BigInt.asIntN(64, span.endTimeUnixNano - span.startTimeUnixNano);
  return {
    minute: Number(span.startTimeUnixNano / 60_000_000_000n),
    bucket: naiveBucket(duration),
    isError: span.status?.code === 2,
  };
}

/** See `latencyBucket`. */
export function naiveBucket(durationNanos: bigint): number {
  if (durationNanos < 16n) return durationNanos < 0n ? 0 : Number(durationNanos);
  let rest = durationNanos;
  let doublings = 0;
  for (; rest >= 32n; doublings++) rest /= 2n;
  return doublings * 16 + Number(rest);
}
