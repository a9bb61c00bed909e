// SPDX-License-Identifier: Apache-2.0
import { create, createFileRegistry, type DescMessage } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';

/**
 * Fields of the OTLP trace messages: `name number type`, `repeated` by a `*`, members of the oneof `value` by a `|`.
 * A type that begins with a capital letter is a message, one with `enum:` before it an enum.
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

const ENUMS: Readonly<Record<string, readonly string[]>> = {
  SpanKind: ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'],
  StatusCode: ['UNSET', 'OK', 'ERROR'],
};

const SCALARS: Readonly<Record<string, Type>> = {
  string: Type.STRING,
  bytes: Type.BYTES,
  bool: Type.BOOL,
  uint32: Type.UINT32,
  int64: Type.INT64,
  fixed32: Type.FIXED32,
  fixed64: Type.FIXED64,
  double: Type.DOUBLE,
};

const REGISTRY = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: 'trace.proto',
    package: 'otlp',
    syntax: 'proto3',
    messageType: Object.entries(MESSAGES).map(([name, fields]) => message(name, fields)),
    enumType: Object.entries(ENUMS).map(([name, values]) => ({
      name,
      value: values.map((value, number) => ({
        name: `${name.replace(/(?<=[a-z])(?=[A-Z])/, '_').toUpperCase()}_${value}`,
        number,
      })),
    })),
  }),
  () => undefined,
);

/** A message of OTLP for the protobuf library, which is the oracle for our own codecs. */
export function otlpMessage(name: string): DescMessage {
  return REGISTRY.getMessage(`otlp.${name}`)!;
}

/** The request that holds everything else. */
export const EXPORT_REQUEST = otlpMessage('ExportTraceServiceRequest');

function message(name: string, fields: string): DescriptorProto {
  return create(DescriptorProtoSchema, {
    name,
    oneofDecl: fields.includes('|') ? [{ name: 'value' }] : [],
    field: fields.split(/,\s*/).map((text) => {
      const [fieldName, number, type] = text.split(' ');
      const bare = type!.replace(/[*|]$/, '').replace('enum:', '');
      return {
        name: fieldName!,
        jsonName: fieldName!.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
        number: Number(number),
        label: type!.endsWith('*') ? Label.REPEATED : Label.OPTIONAL,
        type: SCALARS[bare] ?? (type!.startsWith('enum:') ? Type.ENUM : Type.MESSAGE),
        ...(bare in SCALARS ? {} : { typeName: `.otlp.${bare}` }),
        ...(type!.endsWith('|') ? { oneofIndex: 0 } : {}),
      };
    }),
  });
}
