// SPDX-License-Identifier: Apache-2.0
import type { Attribute, AttributeValue } from '#model/attributes.ts';
import { parseTraceId, type SpanId, type TraceId } from '#model/ids.ts';
import type { Resource, Scope, Span, SpanEvent, SpanLink } from '#model/span.ts';

/** A value in short: bigint is an int, number a double, null an empty value. */
export type ShortValue =
  | string
  | bigint
  | number
  | boolean
  | null
  | Uint8Array
  | readonly ShortValue[]
  | { readonly [key: string]: ShortValue };

/** Trace id from a small number or hex digits. */
export function traceId(id: number | string): TraceId {
  return parseTraceId(typeof id === 'number' ? id.toString(16) : id);
}

/** Span id from a small number or hex digits. */
export function spanId(id: number | string): SpanId {
  const digits = typeof id === 'number' ? id.toString(16) : id;
  return digits.padStart(16, '0') as SpanId;
}

/** Attributes from an object. */
export function attributes(values: Readonly<Record<string, ShortValue>>): Attribute[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: attributeValue(value) }));
}

/** A value from its short form. */
export function attributeValue(value: ShortValue): AttributeValue {
  if (value === null) return { type: 'empty' };
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'bigint') return { type: 'int', value };
  if (typeof value === 'number') return { type: 'double', value };
  if (typeof value === 'boolean') return { type: 'bool', value };
  if (value instanceof Uint8Array) return { type: 'bytes', value };
  if (isList(value)) return { type: 'array', value: value.map(attributeValue) };
  return { type: 'kvlist', value: attributes(value) };
}

function isList(value: object): value is readonly ShortValue[] {
  return Array.isArray(value);
}

/** A resource of a service, with more attributes after its name. */
export function resource(
  serviceName: string,
  more: Readonly<Record<string, ShortValue>> = {},
): Resource {
  return {
    present: true,
    serviceName,
    attributes: attributes({ 'service.name': serviceName, ...more }),
    droppedAttributesCount: 0,
    schemaUrl: '',
  };
}

/** An instrumentation scope. */
export function scope(name: string, values: Readonly<Record<string, ShortValue>> = {}): Scope {
  return {
    present: true,
    name,
    version: '',
    attributes: attributes(values),
    droppedAttributesCount: 0,
    schemaUrl: '',
  };
}

/** An event. */
export function event(
  name: string,
  values: Readonly<Record<string, ShortValue>> = {},
  timeUnixNano = 0n,
): SpanEvent {
  return { timeUnixNano, name, attributes: attributes(values), droppedAttributesCount: 0 };
}

/** A link to a span. */
export function link(
  to: { readonly traceId: string; readonly spanId: string },
  values: Readonly<Record<string, ShortValue>> = {},
): SpanLink {
  return {
    traceId: to.traceId,
    spanId: to.spanId,
    traceState: '',
    flags: 0,
    attributes: attributes(values),
    droppedAttributesCount: 0,
  };
}

/** A span of trace 1, span 1, of service `shop`, from 1,000 to 2,000 ns, with what is given changed. */
export function span(given: Partial<Span> = {}): Span {
  return {
    traceId: traceId(1),
    spanId: spanId(1),
    parentSpanId: '',
    traceState: '',
    flags: 0,
    name: 'GET /',
    kind: 2,
    startTimeUnixNano: 1000n,
    endTimeUnixNano: (given.startTimeUnixNano ?? 1000n) + 1000n,
    status: undefined,
    attributes: [],
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    resource: resource('shop'),
    scope: scope('http'),
    ...given,
  };
}
