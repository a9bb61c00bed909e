// SPDX-License-Identifier: Apache-2.0
import { encodeText } from '#model/utf8.ts';
import { ThriftBinaryWriter } from '#wire/thrift/binary-writer.ts';
import { ThriftMessageType, ThriftType } from '#wire/thrift/thrift-reader.ts';
import type { ThriftWriter } from '#wire/thrift/thrift-writer.ts';
import type { JaegerKeyValue, JaegerSpan } from './jaeger-span.ts';
import { RefType } from './references.ts';
import { TagType } from './thrift-tag-type.ts';

/**
 * A `Batch` of spans of one process in Thrift's binary protocol, as Thrift over HTTP has it. Times are in µs, so that the
 * ns of a span are cut off; warnings have no place.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/thrift/jaeger.thrift
 */
export function encodeJaegerThrift(spans: readonly JaegerSpan[]): Uint8Array<ArrayBuffer> {
  const writer = new ThriftBinaryWriter();
  writeBatch(writer, spans);
  return writer.toBytes();
}

/**
 * The same batch as the message to an agent, a datagram, in the protocol of the writer.
 * @param writer a new one
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/thrift/agent.thrift
 */
export function encodeJaegerAgentMessage(
  writer: ThriftWriter,
  spans: readonly JaegerSpan[],
): Uint8Array<ArrayBuffer> {
  writer.message(EMIT_BATCH, ThriftMessageType.oneway);
  writer.struct();
  writer.field(ThriftType.struct, 1);
  writeBatch(writer, spans);
  writer.stop();
  return writer.toBytes();
}

function writeBatch(writer: ThriftWriter, spans: readonly JaegerSpan[]): void {
  writer.struct();
  const process = spans[0]?.process;
  if (process !== undefined) {
    writer.field(ThriftType.struct, 1);
    writer.struct();
    textField(writer, 1, process.serviceName);
    tagsField(writer, 2, process.tags);
    writer.stop();
  }
  writer.field(ThriftType.list, 2);
  writer.list(ThriftType.struct, spans.length);
  for (const span of spans) writeSpan(writer, span);
  writer.stop();
}

function writeSpan(writer: ThriftWriter, span: JaegerSpan): void {
  const { parentId, references } = splitParent(span);
  writer.struct();
  i64Field(writer, 1, id(span.traceId.slice(16)));
  i64Field(writer, 2, id(span.traceId.slice(0, 16)));
  i64Field(writer, 3, id(span.spanId));
  i64Field(writer, 4, parentId);
  textField(writer, 5, span.operationName);
  if (references.length > 0) {
    writer.field(ThriftType.list, 6);
    writer.list(ThriftType.struct, references.length);
    for (const { traceId, spanId, type } of references) {
      writer.struct();
      writer.field(ThriftType.i32, 1);
      writer.i32(type);
      i64Field(writer, 2, id(traceId.slice(16)));
      i64Field(writer, 3, id(traceId.slice(0, 16)));
      i64Field(writer, 4, id(spanId));
      writer.stop();
    }
  }
  writer.field(ThriftType.i32, 7);
  writer.i32(span.flags);
  i64Field(writer, 8, span.startTimeUnixNano / 1000n);
  i64Field(writer, 9, span.durationNanos / 1000n);
  tagsField(writer, 10, span.tags);
  if (span.logs.length > 0) {
    writer.field(ThriftType.list, 11);
    writer.list(ThriftType.struct, span.logs.length);
    for (const { timeUnixNano, fields } of span.logs) {
      writer.struct();
      i64Field(writer, 1, timeUnixNano / 1000n);
      tagsField(writer, 2, fields);
      writer.stop();
    }
  }
  writer.stop();
}

/** The parent has a field of its own; all else is referred to. */
function splitParent({ traceId, references }: JaegerSpan): {
  readonly parentId: bigint;
  readonly references: JaegerSpan['references'];
} {
  const [first] = references;
  const isParent = first?.type === RefType.childOf && first.traceId === traceId;
  const parentId = isParent ? id(first.spanId) : 0n;
  return { parentId, references: parentId === 0n ? references : references.slice(1) };
}

function tagsField(writer: ThriftWriter, field: number, tags: readonly JaegerKeyValue[]): void {
  if (tags.length === 0) return;
  writer.field(ThriftType.list, field);
  writer.list(ThriftType.struct, tags.length);
  for (const { key, value } of tags) {
    writer.struct();
    textField(writer, 1, key);
    writer.field(ThriftType.i32, 2);
    switch (value.type) {
      case 'string':
        writer.i32(TagType.string);
        textField(writer, 3, value.value);
        break;
      case 'double':
        writer.i32(TagType.double);
        writer.field(ThriftType.double, 4);
        writer.double(value.value);
        break;
      case 'bool':
        writer.i32(TagType.bool);
        writer.boolField(5, value.value);
        break;
      case 'int':
        writer.i32(TagType.long);
        i64Field(writer, 6, value.value);
        break;
      case 'bytes':
        writer.i32(TagType.binary);
        writer.field(ThriftType.string, 7);
        writer.string(value.value);
        break;
    }
    writer.stop();
  }
}

function textField(writer: ThriftWriter, field: number, text: string): void {
  writer.field(ThriftType.string, field);
  writer.string(encodeText(text));
}

function i64Field(writer: ThriftWriter, field: number, value: bigint): void {
  writer.field(ThriftType.i64, field);
  writer.i64(value);
}

/** Ids are hex by their maker. */
function id(hex: string): bigint {
  return BigInt(`0x${hex}`);
}

const EMIT_BATCH = encodeText('emitBatch');
