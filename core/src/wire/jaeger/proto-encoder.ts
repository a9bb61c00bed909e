// SPDX-License-Identifier: Apache-2.0
import { parseHex } from '#model/ids.ts';
import { encodeText } from '#model/utf8.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';
import type { JaegerKeyValue, JaegerSpan } from './jaeger-span.ts';
import { JaegerValueType } from './proto-value-type.ts';

/**
 * `jaeger.api_v2.Span` of a span.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/proto/api_v2/model.proto
 */
export function encodeJaegerProto(span: JaegerSpan): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter(1024);
  writeSpan(writer, span);
  if (span.process !== undefined) writeProcess(writer, 10, span.process);
  return writer.toBytes();
}

/**
 * `jaeger.api_v2.PostSpansRequest` of spans of one process, which stands once, in the batch.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/proto/api_v2/collector.proto
 */
export function encodeJaegerPostSpans(spans: readonly JaegerSpan[]): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter(4096);
  const batch = writer.begin(1);
  for (const span of spans) {
    const at = writer.begin(1);
    writeSpan(writer, span);
    writer.end(at);
  }
  const process = spans[0]?.process;
  if (process !== undefined) writeProcess(writer, 2, process);
  writer.end(batch);
  return writer.toBytes();
}

/** All but the process. */
function writeSpan(writer: ProtoWriter, span: JaegerSpan): void {
  // Ids are hex by their maker.
  writer.bytesField(1, parseHex(span.traceId)!);
  writer.bytesField(2, parseHex(span.spanId)!);
  textField(writer, 3, span.operationName);
  for (const { traceId, spanId, type } of span.references) {
    const at = writer.begin(4);
    writer.bytesField(1, parseHex(traceId)!);
    writer.bytesField(2, parseHex(spanId)!);
    writer.uintField(3, type);
    writer.end(at);
  }
  writer.uintField(5, span.flags);
  timeField(writer, 6, span.startTimeUnixNano);
  timeField(writer, 7, span.durationNanos);
  keyValues(writer, 8, span.tags);
  for (const { timeUnixNano, fields } of span.logs) {
    const at = writer.begin(9);
    timeField(writer, 1, timeUnixNano);
    keyValues(writer, 2, fields);
    writer.end(at);
  }
  for (const warning of span.warnings) writer.bytesField(12, encodeText(warning));
}

function writeProcess(
  writer: ProtoWriter,
  field: number,
  { serviceName, tags }: NonNullable<JaegerSpan['process']>,
): void {
  const at = writer.begin(field);
  textField(writer, 1, serviceName);
  keyValues(writer, 2, tags);
  writer.end(at);
}

/** A `Timestamp` or a `Duration`, whose parts have the same sign. */
function timeField(writer: ProtoWriter, field: number, nanos: bigint): void {
  const at = writer.begin(field);
  int64Field(writer, 1, nanos / 1_000_000_000n);
  int64Field(writer, 2, nanos % 1_000_000_000n);
  writer.end(at);
}

function keyValues(writer: ProtoWriter, field: number, list: readonly JaegerKeyValue[]): void {
  for (const { key, value } of list) {
    const at = writer.begin(field);
    textField(writer, 1, key);
    switch (value.type) {
      case 'string':
        textField(writer, 3, value.value);
        break;
      case 'bool':
        writer.uintField(2, JaegerValueType.bool);
        writer.uintField(4, value.value ? 1 : 0);
        break;
      case 'int':
        writer.uintField(2, JaegerValueType.int64);
        int64Field(writer, 5, value.value);
        break;
      case 'double': {
        writer.uintField(2, JaegerValueType.float64);
        const bits = new DataView(new ArrayBuffer(8));
        bits.setFloat64(0, value.value);
        writer.fixed64Field(6, bits.getUint32(4), bits.getUint32(0));
        break;
      }
      case 'bytes':
        writer.uintField(2, JaegerValueType.binary);
        if (value.value.length > 0) writer.bytesField(7, value.value);
        break;
    }
    writer.end(at);
  }
}

/** A signed number, left out when it is zero; a negative one takes ten bytes. */
function int64Field(writer: ProtoWriter, field: number, value: bigint): void {
  if (value === 0n) return;
  const bits = BigInt.asUintN(64, value);
  writer.varint(field * 8);
  writer.varint64(Number(bits & 0xffffffffn), Number(bits >> 32n));
}

function textField(writer: ProtoWriter, field: number, text: string): void {
  if (text !== '') writer.bytesField(field, encodeText(text));
}
