// SPDX-License-Identifier: Apache-2.0
import { messageRegistry } from '#wire/protobuf/testing/message-registry.ts';

/**
 * Fields of the OTLP trace messages.
 * @see https://github.com/open-telemetry/opentelemetry-proto/tree/v1.9.0/opentelemetry/proto
 */
const MESSAGES: Readonly<Record<string, string>> = {
  ExportTraceServiceRequest: 'resource_spans 1 ResourceSpans*',
  ResourceSpans: 'resource 1 Resource, scope_spans 2 ScopeSpans*, schema_url 3 string',
  Resource: 'attributes 1 KeyValue*, dropped_attributes_count 2 uint32, entity_refs 3 EntityRef*',
  EntityRef: 'schema_url 1 string, type 2 string, id_keys 3 string*, description_keys 4 string*',
  ScopeSpans: 'scope 1 InstrumentationScope, spans 2 Span*, schema_url 3 string',
  InstrumentationScope:
    'name 1 string, version 2 string, attributes 3 KeyValue*, dropped_attributes_count 4 uint32',
  Span: `trace_id 1 bytes, span_id 2 bytes, trace_state 3 string, parent_span_id 4 bytes, name 5 string,
    kind 6 enum:SpanKind, start_time_unix_nano 7 fixed64, end_time_unix_nano 8 fixed64, attributes 9 KeyValue*,
    dropped_attributes_count 10 uint32, events 11 Event*, dropped_events_count 12 uint32, links 13 Link*,
    dropped_links_count 14 uint32, status 15 Status, flags 16 fixed32`,
  Event:
    'time_unix_nano 1 fixed64, name 2 string, attributes 3 KeyValue*, dropped_attributes_count 4 uint32',
  Link: `trace_id 1 bytes, span_id 2 bytes, trace_state 3 string, attributes 4 KeyValue*,
    dropped_attributes_count 5 uint32, flags 6 fixed32`,
  Status: 'message 2 string, code 3 enum:StatusCode',
  KeyValue: 'key 1 string, value 2 AnyValue',
  AnyValue: `string_value 1 string|, bool_value 2 bool|, int_value 3 int64|, double_value 4 double|,
    array_value 5 ArrayValue|, kvlist_value 6 KeyValueList|, bytes_value 7 bytes|`,
  ArrayValue: 'values 1 AnyValue*',
  KeyValueList: 'values 1 KeyValue*',
};

const ENUMS = {
  SpanKind: ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
    (name) => `SPAN_KIND_${name}`,
  ),
  StatusCode: ['UNSET', 'OK', 'ERROR'].map((name) => `STATUS_CODE_${name}`),
};

/** A message of OTLP for the protobuf library, which is the oracle for our own codecs. */
export const otlpMessage = messageRegistry(MESSAGES, ENUMS);

/** The request that holds everything else. */
export const EXPORT_REQUEST = otlpMessage('ExportTraceServiceRequest');
