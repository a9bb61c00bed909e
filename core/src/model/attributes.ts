// SPDX-License-Identifier: Apache-2.0

/**
 * Type of an attribute value. Numbers 1 to 7 are the field numbers of `AnyValue`.
 *
 * | type | canonical bytes |
 * |---|---|
 * | absent: the `KeyValue` has no value at all | none |
 * | string | UTF-8 |
 * | bool | one byte, 0 or 1 |
 * | int | 8 bytes, little endian, two's complement |
 * | double | 8 bytes, little endian IEEE 754, bits as sent |
 * | array, kvlist | minimal protobuf of `ArrayValue`, `KeyValueList` |
 * | bytes | as they are |
 * | empty: an `AnyValue` with none of its values set | none |
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/common/v1/common.proto
 */
export const ValueType = {
  absent: 0,
  string: 1,
  bool: 2,
  int: 3,
  double: 4,
  array: 5,
  kvlist: 6,
  bytes: 7,
  empty: 8,
} as const;
export type ValueType = (typeof ValueType)[keyof typeof ValueType];

/**
 * What an attribute column belongs to. The *field* levels hold what few spans have
 * (status message, trace state, dropped counts, …) in the same way as attributes, so
 * that it costs nothing where it is missing and is searched by the same code.
 */
export const AttributeLevel = {
  span: 0,
  spanField: 1,
  event: 2,
  eventField: 3,
  link: 4,
  linkField: 5,
} as const;
export type AttributeLevel = (typeof AttributeLevel)[keyof typeof AttributeLevel];

/**
 * Keys of the field columns, in the order in which a shape lists them (after the attributes).
 */
export const FIELD_KEYS = {
  /** string, span */
  statusMessage: 'status.message',
  /** string, span and link */
  traceState: 'trace_state',
  /** int, span, event and link */
  droppedAttributes: 'dropped_attributes_count',
  /** int, span */
  droppedEvents: 'dropped_events_count',
  /** int, span */
  droppedLinks: 'dropped_links_count',
  /** int, span: a `SpanKind` outside 0 to 254 */
  kind: 'kind',
  /** int, span: a `StatusCode` outside 0 to 253 */
  statusCode: 'status.code',
  /** empty, span: the parent span id was sent as eight zero bytes */
  zeroParent: 'parent_span_id.zero',
  /** empty, link: the trace id was not sent */
  noTraceId: 'trace_id.none',
  /** empty, link: the span id was not sent */
  noSpanId: 'span_id.none',
} as const;

/** One key and value as plain objects, for edges (API, UI, tests), never for the hot path. */
export interface Attribute {
  readonly key: string;
  readonly value: AttributeValue;
}

/** A decoded attribute value. 64-bit integers are bigint. */
export type AttributeValue =
  | { readonly type: 'absent' | 'empty' }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'bytes'; readonly value: Uint8Array }
  | { readonly type: 'array'; readonly value: readonly AttributeValue[] }
  | { readonly type: 'kvlist'; readonly value: readonly Attribute[] };
