// SPDX-License-Identifier: Apache-2.0
import type { Attribute, AttributeValue } from '#model/attributes.ts';
import type { Resource, Scope, Span, SpanEvent, SpanLink } from '#model/span.ts';
import { formatDouble } from './json-double.ts';

/**
 * Values of OTLP's JSON: lower camel case, ids in hex, 64-bit integers as strings, enums as
 * numbers, fields at their default left out.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export type OtlpJson = Readonly<Record<string, unknown>>;

/** `ResourceSpans` without its scope spans. */
export function otlpResource(resource: Resource): OtlpJson {
  return {
    ...(resource.present
      ? {
          resource: {
            ...attributes(resource.attributes),
            ...count('droppedAttributesCount', resource.droppedAttributesCount),
          },
        }
      : {}),
    ...text('schemaUrl', resource.schemaUrl),
  };
}

/** `ScopeSpans` without its spans. */
export function otlpScope(scope: Scope): OtlpJson {
  return {
    ...(scope.present
      ? {
          scope: {
            ...text('name', scope.name),
            ...text('version', scope.version),
            ...attributes(scope.attributes),
            ...count('droppedAttributesCount', scope.droppedAttributesCount),
          },
        }
      : {}),
    ...text('schemaUrl', scope.schemaUrl),
  };
}

/** `Span` */
export function otlpSpan(span: Span): OtlpJson {
  const { status } = span;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...text('traceState', span.traceState),
    ...text('parentSpanId', span.parentSpanId),
    ...count('flags', span.flags),
    name: span.name,
    ...count('kind', span.kind),
    startTimeUnixNano: String(span.startTimeUnixNano),
    endTimeUnixNano: String(span.endTimeUnixNano),
    ...attributes(span.attributes),
    ...count('droppedAttributesCount', span.droppedAttributesCount),
    ...list('events', span.events.map(otlpEvent)),
    ...count('droppedEventsCount', span.droppedEventsCount),
    ...list('links', span.links.map(otlpLink)),
    ...count('droppedLinksCount', span.droppedLinksCount),
    ...(status === undefined
      ? {}
      : { status: { ...text('message', status.message), ...count('code', status.code) } }),
  };
}

function otlpEvent(event: SpanEvent): OtlpJson {
  return {
    timeUnixNano: String(event.timeUnixNano),
    ...text('name', event.name),
    ...attributes(event.attributes),
    ...count('droppedAttributesCount', event.droppedAttributesCount),
  };
}

function otlpLink(link: SpanLink): OtlpJson {
  return {
    ...text('traceId', link.traceId),
    ...text('spanId', link.spanId),
    ...text('traceState', link.traceState),
    ...attributes(link.attributes),
    ...count('droppedAttributesCount', link.droppedAttributesCount),
    ...count('flags', link.flags),
  };
}

function keyValue({ key, value }: Attribute): OtlpJson {
  return value.type === 'absent' ? { key } : { key, value: anyValue(value) };
}

// The depth is bounded where spans are decoded.
function anyValue(value: AttributeValue): OtlpJson {
  switch (value.type) {
    case 'string':
      return { stringValue: value.value };
    case 'bool':
      return { boolValue: value.value };
    case 'int':
      return { intValue: String(value.value) };
    case 'double':
      return { doubleValue: formatDouble(value.value) };
    case 'bytes':
      return { bytesValue: value.value.toBase64() };
    case 'array':
      return { arrayValue: list('values', value.value.map(anyValue)) };
    case 'kvlist':
      return { kvlistValue: list('values', value.value.map(keyValue)) };
    case 'absent':
    case 'empty':
      return {};
  }
}

function attributes(entries: readonly Attribute[]): OtlpJson {
  return list('attributes', entries.map(keyValue));
}

function list(name: string, entries: readonly unknown[]): OtlpJson {
  return entries.length === 0 ? {} : { [name]: entries };
}

function text(name: string, value: string): OtlpJson {
  return value === '' ? {} : { [name]: value };
}

function count(name: string, value: number): OtlpJson {
  return value === 0 ? {} : { [name]: value };
}
