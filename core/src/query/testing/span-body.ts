// SPDX-License-Identifier: Apache-2.0
import { type Attribute, type AttributeValue, ValueType } from '#model/attributes.ts';
import { BatchBuilder } from '#model/batch-builder.ts';
import { parseHex } from '#model/ids.ts';
import type { Resource, Scope, Span, SpanEvent, SpanLink } from '#model/span.ts';
import type { SpanBatch } from '#model/span-batch.ts';
import { encodeText } from '#model/utf8.ts';
import { OtlpProtoDecoder } from '#wire/otlp/decode.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';

/**
 * An OTLP request of plain spans, each with a `ResourceSpans` of its own. It is written field by field as the protocol
 * says, so that it shares nothing with the encoder of columns.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/trace/v1/trace.proto
 */
export function encodeSpans(spans: readonly Span[]): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter();
  for (const span of spans) {
    message(writer, 1, () => {
      if (span.resource.present) message(writer, 1, () => writeResource(writer, span.resource));
      message(writer, 2, () => {
        if (span.scope.present) message(writer, 1, () => writeScope(writer, span.scope));
        message(writer, 2, () => writeSpan(writer, span));
        text(writer, 3, span.scope.schemaUrl);
      });
      text(writer, 3, span.resource.schemaUrl);
    });
  }
  return writer.toBytes();
}

/** A batch of plain spans, as a receiver makes it. */
export function batchOf(spans: readonly Span[]): SpanBatch {
  const builder = new BatchBuilder();
  const decoder = new OtlpProtoDecoder();
  decoder.begin(encodeSpans(spans));
  decoder.decode(builder);
  return builder.finish();
}

function writeResource(writer: ProtoWriter, resource: Resource): void {
  writeAttributes(writer, 1, resource.attributes);
  writer.uintField(2, resource.droppedAttributesCount);
}

function writeScope(writer: ProtoWriter, scope: Scope): void {
  text(writer, 1, scope.name);
  text(writer, 2, scope.version);
  writeAttributes(writer, 3, scope.attributes);
  writer.uintField(4, scope.droppedAttributesCount);
}

function writeSpan(writer: ProtoWriter, span: Span): void {
  id(writer, 1, span.traceId);
  id(writer, 2, span.spanId);
  text(writer, 3, span.traceState);
  id(writer, 4, span.parentSpanId);
  text(writer, 5, span.name);
  enumeration(writer, 6, span.kind);
  fixed64(writer, 7, span.startTimeUnixNano);
  fixed64(writer, 8, span.endTimeUnixNano);
  writeAttributes(writer, 9, span.attributes);
  writer.uintField(10, span.droppedAttributesCount);
  for (const event of span.events) message(writer, 11, () => writeEvent(writer, event));
  writer.uintField(12, span.droppedEventsCount);
  for (const link of span.links) message(writer, 13, () => writeLink(writer, link));
  writer.uintField(14, span.droppedLinksCount);
  const { status } = span;
  if (status !== undefined) {
    message(writer, 15, () => {
      text(writer, 2, status.message);
      enumeration(writer, 3, status.code);
    });
  }
  writer.fixed32Field(16, span.flags);
}

function writeEvent(writer: ProtoWriter, event: SpanEvent): void {
  fixed64(writer, 1, event.timeUnixNano);
  text(writer, 2, event.name);
  writeAttributes(writer, 3, event.attributes);
  writer.uintField(4, event.droppedAttributesCount);
}

function writeLink(writer: ProtoWriter, link: SpanLink): void {
  id(writer, 1, link.traceId);
  id(writer, 2, link.spanId);
  text(writer, 3, link.traceState);
  writeAttributes(writer, 4, link.attributes);
  writer.uintField(5, link.droppedAttributesCount);
  writer.fixed32Field(6, link.flags);
}

function writeAttributes(
  writer: ProtoWriter,
  field: number,
  attributes: readonly Attribute[],
): void {
  for (const { key, value } of attributes) {
    message(writer, field, () => {
      text(writer, 1, key);
      if (value.type !== 'absent') message(writer, 2, () => writeValue(writer, value));
    });
  }
}

function writeValue(writer: ProtoWriter, value: AttributeValue): void {
  switch (value.type) {
    case 'absent':
    case 'empty':
      return;
    case 'string':
      writer.bytesField(ValueType.string, encodeText(value.value));
      return;
    case 'bool':
      writer.varint(ValueType.bool * 8);
      writer.varint(value.value ? 1 : 0);
      return;
    case 'int':
      writer.varint(ValueType.int * 8);
      writer.varint64(
        Number(BigInt.asUintN(32, value.value)),
        Number(BigInt.asUintN(32, value.value >> 32n)),
      );
      return;
    case 'double': {
      const bytes = new DataView(new ArrayBuffer(8));
      bytes.setFloat64(0, value.value, true);
      writer.varint(ValueType.double * 8 + 1);
      writer.raw(new Uint8Array(bytes.buffer));
      return;
    }
    case 'bytes':
      writer.bytesField(ValueType.bytes, value.value);
      return;
    case 'array':
      message(writer, ValueType.array, () => {
        for (const item of value.value) message(writer, 1, () => writeValue(writer, item));
      });
      return;
    case 'kvlist':
      message(writer, ValueType.kvlist, () => writeAttributes(writer, 1, value.value));
  }
}

function message(writer: ProtoWriter, field: number, write: () => void): void {
  const start = writer.begin(field);
  write();
  writer.end(start);
}

function text(writer: ProtoWriter, field: number, value: string): void {
  if (value !== '') writer.bytesField(field, encodeText(value));
}

function id(writer: ProtoWriter, field: number, hex: string): void {
  if (hex !== '') writer.bytesField(field, parseHex(hex)!);
}

function fixed64(writer: ProtoWriter, field: number, value: bigint): void {
  writer.fixed64Field(field, Number(value & 0xffffffffn), Number(value >> 32n));
}

/** An int32: a negative number is sign-extended to 64 bits. */
function enumeration(writer: ProtoWriter, field: number, value: number): void {
  if (value === 0) return;
  writer.varint(field * 8);
  writer.varint64(value, value >> 31);
}
