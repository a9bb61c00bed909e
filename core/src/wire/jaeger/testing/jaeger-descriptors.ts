// SPDX-License-Identifier: Apache-2.0
import { messageRegistry } from '#wire/protobuf/testing/message-registry.ts';

const MESSAGES = {
  Span: `trace_id 1 bytes, span_id 2 bytes, operation_name 3 string, references 4 SpanRef*, flags 5 uint32,
    start_time 6 google.protobuf.Timestamp, duration 7 google.protobuf.Duration, tags 8 KeyValue*, logs 9 Log*,
    process 10 Process, process_id 11 string, warnings 12 string*`,
  SpanRef: 'trace_id 1 bytes, span_id 2 bytes, ref_type 3 enum:SpanRefType',
  Log: 'timestamp 1 google.protobuf.Timestamp, fields 2 KeyValue*',
  Process: 'service_name 1 string, tags 2 KeyValue*',
  KeyValue: `key 1 string, v_type 2 enum:ValueType, v_str 3 string, v_bool 4 bool, v_int64 5 int64, v_float64 6 double,
    v_binary 7 bytes`,
};

const ENUMS = {
  SpanRefType: ['CHILD_OF', 'FOLLOWS_FROM'],
  ValueType: ['STRING', 'BOOL', 'INT64', 'FLOAT64', 'BINARY'],
};

/**
 * `jaeger.api_v2.Span` for the protobuf library.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/proto/api_v2/model.proto
 */
export const JAEGER_SPAN = messageRegistry(MESSAGES, ENUMS)('Span');
