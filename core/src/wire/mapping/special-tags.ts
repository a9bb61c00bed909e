// SPDX-License-Identifier: Apache-2.0
import { SpanKind } from '#model/span.ts';
import { StatusByte } from '#model/span-columns.ts';
import { JsonFields } from '#wire/otlp/json-fields.ts';

/** Tags of spans that are no attributes in OpenTelemetry. */
export const SpecialTag = {
  spanKind: 1,
  error: 2,
  statusCode: 3,
  statusDescription: 4,
  traceState: 5,
  scopeName: 6,
  scopeVersion: 7,
  /** The older names of the two above. */
  libraryName: 8,
  libraryVersion: 9,
  httpStatusCode: 10,
  httpStatusMessage: 11,
} as const;

/** Finds a {@link SpecialTag} by its key; 0 is none. */
export const SPECIAL_TAGS = new JsonFields({
  'span.kind': SpecialTag.spanKind,
  error: SpecialTag.error,
  'otel.status_code': SpecialTag.statusCode,
  'otel.status_description': SpecialTag.statusDescription,
  'w3c.tracestate': SpecialTag.traceState,
  'otel.scope.name': SpecialTag.scopeName,
  'otel.scope.version': SpecialTag.scopeVersion,
  'otel.library.name': SpecialTag.libraryName,
  'otel.library.version': SpecialTag.libraryVersion,
  'http.status_code': SpecialTag.httpStatusCode,
  'http.status_message': SpecialTag.httpStatusMessage,
});

/** Values of `span.kind`, each with its number in OpenTelemetry. */
export const KINDS = new JsonFields({
  internal: SpanKind.internal,
  server: SpanKind.server,
  client: SpanKind.client,
  producer: SpanKind.producer,
  consumer: SpanKind.consumer,
});

/** Values of `otel.status_code`, each as `StatusByte`. */
export const STATUS_CODES = new JsonFields({
  UNSET: StatusByte.unset,
  OK: StatusByte.ok,
  ERROR: StatusByte.error,
});
