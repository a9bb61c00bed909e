// SPDX-License-Identifier: Apache-2.0
import type { Attribute } from '@spoor/core/model/attributes.ts';
import { StatusCode, type Span, type SpanEvent, type SpanLink } from '@spoor/core/model/span.ts';
import { shownService } from '@spoor/core/query/unnamed-service.ts';
import { takeFlags, takeWarnings } from '@spoor/core/wire/jaeger/jaeger-span.ts';
import { keyValueOf, stringTag, type JaegerKeyValue } from './jaeger-key-value.ts';
import { formatSpanKind } from './span-kind.ts';

/** µs; beyond the integers that a double has, as `JSON.stringify` writes them exactly. */
type Micros = number | RawJson;

/** What `JSON.rawJSON` makes. */
interface RawJson {
  readonly rawJSON: string;
}

/** A span as Jaeger's JSON has it. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly flags?: number;
  readonly operationName: string;
  readonly references: readonly JaegerReference[];
  /** Since the epoch. */
  readonly startTime: Micros;
  readonly duration: Micros;
  readonly tags: readonly JaegerKeyValue[];
  readonly logs: readonly JaegerLog[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

/** A parent (CHILD_OF) or a link (FOLLOWS_FROM). */
export interface JaegerReference {
  readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
  readonly traceID: string;
  readonly spanID: string;
}

/** A span event. */
interface JaegerLog {
  /** Since the epoch. */
  readonly timestamp: Micros;
  readonly fields: readonly JaegerKeyValue[];
}

/** Service and resource attributes. */
export interface JaegerProcess {
  readonly serviceName: string;
  readonly tags: readonly JaegerKeyValue[];
}

/** Span id of a reference that names only a trace. */
const NO_SPAN_ID = '0000000000000000';

/** A trace id as Jaeger writes it: 16 digits when the upper half is zero, else 32. */
export function formatJaegerTraceId(id: string): string {
  return id.startsWith('0000000000000000') && id.length === 32 ? id.slice(16) : id;
}

/**
 * Makes Jaeger's JSON of a span.
 * @param warnings what should be said about the span beside what it tells itself
 */
export function jaegerSpan(span: Span, processId: string, warnings: readonly string[]): JaegerSpan {
  const attributes = [...span.attributes];
  const flags = takeFlags(attributes, span.flags);
  const allWarnings = [...takeWarnings(attributes), ...warnings];
  const durationNanos = span.endTimeUnixNano - span.startTimeUnixNano;
  if (durationNanos < 0n) {
    allWarnings.push(
      `the span ends ${-durationNanos} ns before it starts; its duration is shown as 0`,
    );
  }
  const lostLinks = span.links.filter(({ traceId }) => isNoId(traceId)).length;
  if (lostLinks > 0) {
    allWarnings.push(`links without a trace id are not shown: ${lostLinks}`);
  }
  return {
    traceID: formatJaegerTraceId(span.traceId),
    spanID: span.spanId,
    ...(flags === 0 ? {} : { flags }),
    operationName: span.name,
    references: jaegerReferences(span),
    startTime: micros(span.startTimeUnixNano),
    duration: durationNanos < 0n ? 0 : micros(durationNanos),
    tags: tags(span, attributes),
    logs: span.events.map(log),
    processID: processId,
    warnings: allWarnings.length === 0 ? null : allWarnings,
  };
}

/** Makes Jaeger's process of a resource. */
export function jaegerProcess(resource: Span['resource']): JaegerProcess {
  return {
    serviceName: shownService(resource.serviceName),
    tags: resource.attributes.filter(({ key }) => key !== 'service.name').map(keyValueOf),
  };
}

function micros(nanos: bigint): Micros {
  const exact = nanos / 1000n;
  return exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : RAW_JSON.rawJSON(`${exact}`);
}

// Part of ECMAScript 2026 and of Node, but not yet of the compiler's library.
const RAW_JSON = JSON as unknown as { rawJSON(text: string): RawJson };

/** References of a span: its parent, then what its links name. */
export function jaegerReferences(span: Span): JaegerReference[] {
  const list: JaegerReference[] = [];
  const { parentSpanId } = span;
  const parentLink = span.links.findLast(
    (link) => link.traceId === span.traceId && link.spanId === parentSpanId,
  );
  if (!isNoId(parentSpanId)) {
    list.push({
      refType: parentLink === undefined ? 'CHILD_OF' : refType(parentLink),
      traceID: formatJaegerTraceId(span.traceId),
      spanID: parentSpanId,
    });
  }
  for (const link of span.links) {
    // A link without trace points nowhere, and a link to the parent says only what kind of parent it is.
    if (isNoId(link.traceId)) continue;
    if (link.traceId === span.traceId && link.spanId === parentSpanId) continue;
    list.push({
      refType: refType(link),
      traceID: formatJaegerTraceId(link.traceId),
      spanID: link.spanId === '' ? NO_SPAN_ID : link.spanId,
    });
  }
  return list;
}

function isNoId(id: string): boolean {
  return /^0*$/.test(id);
}

// How the OpenTracing bridge marks a second parent.
function refType(link: SpanLink): JaegerReference['refType'] {
  const isChildOf = link.attributes.some(
    ({ key, value }) =>
      key === 'opentracing.ref_type' && value.type === 'string' && value.value === 'child_of',
  );
  return isChildOf ? 'CHILD_OF' : 'FOLLOWS_FROM';
}

/** @param attributes those of the span that become tags */
function tags(span: Span, attributes: readonly Attribute[]): JaegerKeyValue[] {
  const list: JaegerKeyValue[] = [];
  const { scope, status } = span;
  if (scope.name !== '') list.push(stringTag('otel.scope.name', scope.name));
  if (scope.version !== '') list.push(stringTag('otel.scope.version', scope.version));
  for (const attribute of attributes) list.push(keyValueOf(attribute));
  const kind = formatSpanKind(span.kind);
  if (kind !== undefined) list.push(stringTag('span.kind', kind));
  if (status?.code === StatusCode.ok) list.push(stringTag('otel.status_code', 'OK'));
  if (status?.code === StatusCode.error) {
    list.push(stringTag('otel.status_code', 'ERROR'));
    if (!saysError(attributes)) list.push({ key: 'error', type: 'bool', value: true });
  }
  if (status !== undefined && status.message !== '') {
    list.push(stringTag('otel.status_description', status.message));
  }
  if (span.traceState !== '') list.push(stringTag('w3c.tracestate', span.traceState));
  return list;
}

function log(event: SpanEvent): JaegerLog {
  const fields = event.attributes.map(keyValueOf);
  // An attribute called event is the name that a Jaeger client gave.
  if (event.name !== '' && !has(event.attributes, 'event')) {
    fields.unshift(stringTag('event', event.name));
  }
  return { timestamp: micros(event.timeUnixNano), fields };
}

// Already marked by its sender, as a boolean or as the text that old clients send.
function saysError(attributes: readonly Attribute[]): boolean {
  return attributes.some(
    ({ key, value }) =>
      key === 'error' && 'value' in value && (value.value === true || value.value === 'true'),
  );
}

function has(attributes: readonly Attribute[], key: string): boolean {
  return attributes.some((attribute) => attribute.key === key);
}
