// SPDX-License-Identifier: Apache-2.0
import { parseHex } from '#model/ids.ts';
import { SpanKind } from '#model/span.ts';
import { encodeText } from '#model/utf8.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';
import { parseIp } from './ip-address.ts';
import type { ZipkinSide, ZipkinSpan } from './zipkin-span.ts';

/**
 * `zipkin.proto3.ListOfSpans` of spans.
 * @see https://github.com/openzipkin/zipkin-api/blob/master/zipkin.proto
 */
export function encodeZipkinProto(spans: readonly ZipkinSpan[]): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter(4096);
  for (const span of spans) {
    const at = writer.begin(1);
    writeSpan(writer, span);
    writer.end(at);
  }
  return writer.toBytes();
}

function writeSpan(writer: ProtoWriter, span: ZipkinSpan): void {
  // Ids are hex by their maker.
  writer.bytesField(1, parseHex(span.traceId)!);
  if (span.parentId !== '') writer.bytesField(2, parseHex(span.parentId)!);
  writer.bytesField(3, parseHex(span.id)!);
  writer.uintField(4, KINDS[span.kind] ?? 0);
  textField(writer, 5, span.name);
  fixed64Field(writer, 6, span.timestampMicros);
  if (span.durationMicros !== 0n) {
    writer.varint(7 * 8);
    writer.varint64(...halves(span.durationMicros));
  }
  writeSide(writer, 8, span.local);
  writeSide(writer, 9, span.remote);
  for (const { timestampMicros, value } of span.annotations) {
    const at = writer.begin(10);
    fixed64Field(writer, 1, timestampMicros);
    textField(writer, 2, value);
    writer.end(at);
  }
  for (const [key, value] of span.tags) {
    const at = writer.begin(11);
    textField(writer, 1, key);
    textField(writer, 2, value);
    writer.end(at);
  }
  writer.uintField(12, span.debug ? 1 : 0);
  writer.uintField(13, span.shared ? 1 : 0);
}

function writeSide(writer: ProtoWriter, field: number, side: ZipkinSide): void {
  const at = writer.begin(field);
  const start = writer.length;
  textField(writer, 1, side.serviceName);
  if (side.ipv4 !== '') writer.bytesField(2, parseIp(side.ipv4)!);
  if (side.ipv6 !== '') writer.bytesField(3, parseIp(side.ipv6)!);
  writer.uintField(4, side.port);
  if (writer.length > start) writer.end(at);
  // Nothing is known: the field's tag, of one byte, is taken back too.
  else writer.length = at - 1;
}

function textField(writer: ProtoWriter, field: number, text: string): void {
  if (text !== '') writer.bytesField(field, encodeText(text));
}

function fixed64Field(writer: ProtoWriter, field: number, value: bigint): void {
  writer.fixed64Field(field, ...halves(value));
}

function halves(value: bigint): [lo: number, hi: number] {
  return [Number(value & 0xffffffffn), Number(value >> 32n)];
}

/** Zipkin's numbers of kinds. */
const KINDS: Readonly<Record<number, number>> = {
  [SpanKind.client]: 1,
  [SpanKind.server]: 2,
  [SpanKind.producer]: 3,
  [SpanKind.consumer]: 4,
};
