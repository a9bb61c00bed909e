// SPDX-License-Identifier: Apache-2.0
import type { Attribute } from './attributes.ts';
import type { SpanId, TraceId } from './ids.ts';

/** `opentelemetry.proto.trace.v1.Span.SpanKind`. Other numbers are legal and kept. */
export const SpanKind = {
  unspecified: 0,
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
} as const;

/** `opentelemetry.proto.trace.v1.Status.StatusCode`. Other numbers are legal and kept. */
export const StatusCode = { unset: 0, ok: 1, error: 2 } as const;

/** One event of a span, as a plain object. */
export interface SpanEvent {
  readonly timeUnixNano: bigint;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
}

/** One link of a span, as a plain object. */
export interface SpanLink {
  /** 32 hex digits; empty when it was not sent. */
  readonly traceId: string;
  /** 16 hex digits; empty when it was not sent. */
  readonly spanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
}

/** A resource with the schema URL of its `ResourceSpans`. */
export interface Resource {
  /** False where the sender left the message out, which differs from sending it empty. */
  readonly present: boolean;
  /** `service.name`, or an empty text. */
  readonly serviceName: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
  readonly schemaUrl: string;
}

/** An instrumentation scope with the schema URL of its `ScopeSpans`. */
export interface Scope {
  readonly present: boolean;
  readonly name: string;
  readonly version: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
  readonly schemaUrl: string;
}

/**
 * One span as a plain object: a row view for edges (API, UI, tests). Hot paths take
 * `SpanColumns`.
 */
export interface Span {
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  /** Empty for a span without parent. */
  readonly parentSpanId: SpanId | '';
  readonly traceState: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  /** undefined where no status was sent. */
  readonly status: { readonly code: number; readonly message: string } | undefined;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributesCount: number;
  readonly events: readonly SpanEvent[];
  readonly droppedEventsCount: number;
  readonly links: readonly SpanLink[];
  readonly droppedLinksCount: number;
  readonly resource: Resource;
  readonly scope: Scope;
}
