// SPDX-License-Identifier: Apache-2.0
import type { Attribute, AttributeValue } from '#model/attributes.ts';
import { type Span, SpanKind, type SpanLink, StatusCode } from '#model/span.ts';
import { droppedCounts } from '#wire/mapping/dropped-counts.ts';
import { valueText } from '#wire/mapping/value-text.ts';
import { RefType } from './references.ts';

/** A tag of a span, log or process; Jaeger has these five types. */
export interface JaegerKeyValue {
  readonly key: string;
  readonly value: Extract<
    AttributeValue,
    { type: 'string' } | { type: 'bool' } | { type: 'int' } | { type: 'double' } | { type: 'bytes' }
  >;
}

/** A reference to a span; ids in hex, of full length. */
interface JaegerReference {
  readonly traceId: string;
  readonly spanId: string;
  /** One of `RefType`. */
  readonly type: number;
}

/** `jaeger.api_v2.Span`, as both of its encoders take it. */
export interface JaegerSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly operationName: string;
  readonly references: readonly JaegerReference[];
  readonly flags: number;
  readonly startTimeUnixNano: bigint;
  /** Negative where the span ends before it starts. */
  readonly durationNanos: bigint;
  readonly tags: readonly JaegerKeyValue[];
  readonly logs: readonly {
    readonly timeUnixNano: bigint;
    readonly fields: readonly JaegerKeyValue[];
  }[];
  /** Undefined where the span came without a resource. */
  readonly process:
    | { readonly serviceName: string; readonly tags: readonly JaegerKeyValue[] }
    | undefined;
  readonly warnings: readonly string[];
}

/**
 * The span of Jaeger that `JaegerRow` reads as this span: the inverse of its mapping, for all that Jaeger can hold.
 *
 * Tags with a meaning stand before the attributes, so that they are the first of their name. Some are written although they
 * are empty, where an attribute would else be taken for them.
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/
 */
export function toJaegerSpan(span: Span): JaegerSpan {
  const attributes = [...span.attributes];
  const flags = takeFlags(attributes, span.flags);
  const warnings = takeWarnings(attributes);
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    operationName: span.name,
    references: references(span),
    flags,
    startTimeUnixNano: span.startTimeUnixNano,
    durationNanos: BigInt.asIntN(64, span.endTimeUnixNano - span.startTimeUnixNano),
    tags: [
      ...specialTags(span),
      ...attributes.map(toTag),
      ...droppedCounts('attributes', span.droppedAttributesCount),
      ...droppedCounts('events', span.droppedEventsCount),
      ...droppedCounts('links', span.droppedLinksCount),
    ],
    logs: span.events.map((event) => ({
      timeUnixNano: event.timeUnixNano,
      fields: [
        ...text('event', event.name, has(event.attributes, 'event')),
        ...event.attributes.map(toTag),
        ...droppedCounts('attributes', event.droppedAttributesCount),
      ],
    })),
    process: span.resource.present ? toProcess(span.resource) : undefined,
    warnings,
  };
}

/** Of several names the one that counts is kept. */
function toProcess({ serviceName, attributes }: Span['resource']): JaegerSpan['process'] {
  const tags = attributes.filter(({ key }) => serviceName === '' || key !== 'service.name');
  return { serviceName, tags: tags.map(toTag) };
}

function specialTags({ kind, status, attributes, scope, traceState }: Span): JaegerKeyValue[] {
  const kindText = KIND_NAMES[kind];
  const code = status?.code ?? StatusCode.unset;
  const message = status?.message ?? '';
  const isError = code === StatusCode.error;
  const saysStatus =
    code === StatusCode.ok || isError || message !== '' || attributes.some(isTakenForStatus);
  const saysMessage =
    has(attributes, 'otel.status_description') ||
    (isError && has(attributes, 'http.status_message'));
  const saysVersion = has(attributes, 'otel.scope.version', 'otel.library.version');
  return [
    ...(kindText === undefined ? [] : text('span.kind', kindText)),
    ...(isError ? [ERROR_TAG] : []),
    ...(saysStatus ? text('otel.status_code', STATUS_NAMES[code] ?? 'UNSET') : []),
    ...(saysStatus ? text('otel.status_description', message, saysMessage) : []),
    ...text('w3c.tracestate', traceState, has(attributes, 'w3c.tracestate')),
    ...(scope.present ? text('otel.scope.name', scope.name, true) : []),
    ...(scope.present ? text('otel.scope.version', scope.version, saysVersion) : []),
    ...(scope.present ? asOlderName(attributes, 'otel.library.name', scope.name) : []),
    ...(scope.present ? asOlderName(attributes, 'otel.library.version', scope.version) : []),
  ];
}

/** An attribute that says the same as the scope would be taken for its older name: it is one only behind another. */
function asOlderName(
  attributes: readonly Attribute[],
  key: string,
  scopeText: string,
): JaegerKeyValue[] {
  const isSame = ({ value }: Attribute): boolean =>
    value.type === 'string' && value.value === scopeText;
  return attributes.some((attribute) => attribute.key === key && isSame(attribute))
    ? text(key, scopeText, true)
    : [];
}

/** Whether a span without a status would be given one by this attribute. */
function isTakenForStatus({ key, value }: Attribute): boolean {
  if (key === 'http.status_code') return !/^[123]\d\d$/.test(valueText(value));
  return key === 'otel.status_code' || key === 'otel.status_description';
}

/** The parent, then the links. */
function references({ traceId, parentSpanId, links }: Span): JaegerReference[] {
  const list = links
    // A link without trace points nowhere.
    .filter((link) => link.traceId !== '')
    .map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId === '' ? NO_SPAN_ID : link.spanId,
      type: isChildOf(link) ? RefType.childOf : RefType.followsFrom,
    }));
  // A root says that it has no parent where else a link within the trace would be read as one.
  const saysParent = parentSpanId !== '' || list.some((reference) => reference.traceId === traceId);
  const parent = { traceId, spanId: parentSpanId || NO_SPAN_ID, type: RefType.childOf };
  return saysParent ? [parent, ...list] : list;
}

function isChildOf({ attributes }: SpanLink): boolean {
  return attributes.some(
    ({ key, value }) =>
      key === 'opentracing.ref_type' && value.type === 'string' && value.value === 'child_of',
  );
}

/** Attribute that keeps all of Jaeger's flags. */
export const FLAGS_KEY = 'jaeger.flags';

/** Attribute that keeps the warnings that came with a span. */
export const WARNINGS_KEY = '@jaeger@warnings';

/**
 * Takes the attribute that keeps all of Jaeger's flags out of the list.
 * @param sent flags of the span itself
 */
export function takeFlags(attributes: Attribute[], sent: number): number {
  const sampled = sent & 1;
  const at = attributes.findLastIndex(({ key }) => key === FLAGS_KEY);
  const value = attributes[at]?.value;
  if (value?.type !== 'int' || value.value !== BigInt.asUintN(32, value.value)) return sampled;
  const flags = Number(value.value);
  if ((flags & 1) !== sampled || (flags & ~1) === 0) return sampled;
  attributes.splice(at, 1);
  return flags;
}

/** Takes the warnings that came with a span out of the list. */
export function takeWarnings(attributes: Attribute[]): string[] {
  const at = attributes.findLastIndex(({ key }) => key === WARNINGS_KEY);
  const value = attributes[at]?.value;
  if (value?.type !== 'array' || value.value.length === 0) return [];
  const warnings = value.value.filter((item) => item.type === 'string');
  if (warnings.length < value.value.length) return [];
  attributes.splice(at, 1);
  return warnings.map((warning) => warning.value);
}

function toTag({ key, value }: Attribute): JaegerKeyValue {
  switch (value.type) {
    case 'string':
    case 'bool':
    case 'int':
    case 'double':
    case 'bytes':
      return { key, value };
    default:
      return { key, value: { type: 'string', value: valueText(value) } };
  }
}

function text(key: string, value: string, evenEmpty = false): JaegerKeyValue[] {
  return value === '' && !evenEmpty ? [] : [{ key, value: { type: 'string', value } }];
}

function has(attributes: readonly Attribute[], ...keys: string[]): boolean {
  return attributes.some(({ key }) => keys.includes(key));
}

const NO_SPAN_ID = '0000000000000000';
const ERROR_TAG: JaegerKeyValue = { key: 'error', value: { type: 'bool', value: true } };

const KIND_NAMES: Readonly<Record<number, string>> = {
  [SpanKind.internal]: 'internal',
  [SpanKind.server]: 'server',
  [SpanKind.client]: 'client',
  [SpanKind.producer]: 'producer',
  [SpanKind.consumer]: 'consumer',
};

const STATUS_NAMES: Readonly<Record<number, string>> = {
  [StatusCode.ok]: 'OK',
  [StatusCode.error]: 'ERROR',
};
