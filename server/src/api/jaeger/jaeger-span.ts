// SPDX-License-Identifier: Apache-2.0
import type { Attribute } from '@spoor/core/model/attributes.ts';
import { StatusCode, type Span, type SpanEvent, type SpanLink } from '@spoor/core/model/span.ts';
import { keyValueOf, stringTag, type JaegerKeyValue } from './jaeger-key-value.ts';
import { formatSpanKind } from './span-kind.ts';

/** A span as Jaeger's JSON has it. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly flags?: number;
  readonly operationName: string;
  readonly references: readonly JaegerReference[];
  /** µs since the epoch. */
  readonly startTime: number;
  /** µs. */
  readonly duration: number;
  readonly tags: readonly JaegerKeyValue[];
  readonly logs: readonly JaegerLog[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

/** A parent (CHILD_OF) or a link (FOLLOWS_FROM). */
interface JaegerReference {
  readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
  readonly traceID: string;
  readonly spanID: string;
}

/** A span event. */
interface JaegerLog {
  /** µs since the epoch. */
  readonly timestamp: number;
  readonly fields: readonly JaegerKeyValue[];
}

/** Service and resource attributes. */
export interface JaegerProcess {
  readonly serviceName: string;
  readonly tags: readonly JaegerKeyValue[];
}

/** The name shown for spans whose resource has no `service.name`. */
const NO_SERVICE_NAME = 'OTLPResourceNoServiceName';
/** Span id of a reference that names only a trace. */
const NO_SPAN_ID = '0000000000000000';

/** Bit of `flags` that means sampled to Jaeger and OpenTelemetry alike. */
const SAMPLED = 1;
/** Attribute that keeps the flags of a span that came from a Jaeger client, where it had others. */
const JAEGER_FLAGS = 'jaeger.flags';

/** A trace id as Jaeger writes it: 16 digits when the upper half is zero, else 32. */
export function formatJaegerTraceId(id: string): string {
  return id.startsWith('0000000000000000') && id.length === 32 ? id.slice(16) : id;
}

/**
 * Makes Jaeger's JSON of a span.
 * @param warnings what should be said about the span beside what it tells itself
 */
export function jaegerSpan(span: Span, processId: string, warnings: readonly string[]): JaegerSpan {
  const flags = jaegerFlags(span);
  const durationNanos = span.endTimeUnixNano - span.startTimeUnixNano;
  const allWarnings =
    durationNanos < 0n
      ? [
          ...warnings,
          `the span ends ${-durationNanos} ns before it starts; its duration is shown as 0`,
        ]
      : warnings;
  return {
    traceID: formatJaegerTraceId(span.traceId),
    spanID: span.spanId,
    ...(flags === 0 ? {} : { flags }),
    operationName: span.name,
    references: references(span),
    startTime: micros(span.startTimeUnixNano),
    duration: durationNanos < 0n ? 0 : micros(durationNanos),
    tags: tags(span),
    logs: span.events.map(log),
    processID: processId,
    warnings: allWarnings.length === 0 ? null : allWarnings,
  };
}

/** Makes Jaeger's process of a resource. */
export function jaegerProcess(resource: Span['resource']): JaegerProcess {
  return {
    serviceName: resource.serviceName === '' ? NO_SERVICE_NAME : resource.serviceName,
    tags: resource.attributes.filter(({ key }) => key !== 'service.name').map(keyValueOf),
  };
}

function jaegerFlags(span: Span): number {
  const own = span.attributes.find(({ key }) => key === JAEGER_FLAGS)?.value;
  return own?.type === 'int' ? Number(own.value) : span.flags & SAMPLED;
}

function micros(nanos: bigint): number {
  return Number(nanos / 1000n);
}

function references(span: Span): JaegerReference[] {
  const list: JaegerReference[] = [];
  if (span.parentSpanId !== '') {
    list.push({
      refType: 'CHILD_OF',
      traceID: formatJaegerTraceId(span.traceId),
      spanID: span.parentSpanId,
    });
  }
  for (const link of span.links) {
    // A link without trace points nowhere.
    if (link.traceId === '') continue;
    list.push({
      refType: isChildOf(link) ? 'CHILD_OF' : 'FOLLOWS_FROM',
      traceID: formatJaegerTraceId(link.traceId),
      spanID: link.spanId === '' ? NO_SPAN_ID : link.spanId,
    });
  }
  return list;
}

// How the OpenTracing bridge marks a second parent.
function isChildOf(link: SpanLink): boolean {
  return link.attributes.some(
    ({ key, value }) =>
      key === 'opentracing.ref_type' && value.type === 'string' && value.value === 'child_of',
  );
}

function tags(span: Span): JaegerKeyValue[] {
  const list: JaegerKeyValue[] = [];
  const { scope, status } = span;
  if (scope.name !== '') list.push(stringTag('otel.scope.name', scope.name));
  if (scope.version !== '') list.push(stringTag('otel.scope.version', scope.version));
  for (const attribute of span.attributes) {
    if (attribute.key !== JAEGER_FLAGS) list.push(keyValueOf(attribute));
  }
  const kind = formatSpanKind(span.kind);
  if (kind !== undefined) list.push(stringTag('span.kind', kind));
  if (status?.code === StatusCode.ok) list.push(stringTag('otel.status_code', 'OK'));
  if (status?.code === StatusCode.error) {
    list.push(stringTag('otel.status_code', 'ERROR'));
    if (!saysError(span.attributes)) list.push({ key: 'error', type: 'bool', value: true });
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
