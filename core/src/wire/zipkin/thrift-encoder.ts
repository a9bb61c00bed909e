// SPDX-License-Identifier: Apache-2.0
import { SpanKind } from '#model/span.ts';
import { encodeText } from '#model/utf8.ts';
import { ThriftBinaryWriter } from '#wire/thrift/binary-writer.ts';
import { ThriftType } from '#wire/thrift/thrift-reader.ts';
import { parseIp } from './ip-address.ts';
import type { ZipkinSide, ZipkinSpan } from './zipkin-span.ts';

/**
 * A list of spans of Zipkin's version 1 in Thrift's binary protocol. It has neither kinds nor endpoints: annotations at the
 * start and the end say which side of a call the span is, and each has the service with it.
 * @see https://github.com/openzipkin/zipkin-api/blob/1.0.0/thrift/zipkinCore.thrift
 */
export function encodeZipkinThrift(spans: readonly ZipkinSpan[]): Uint8Array<ArrayBuffer> {
  const writer = new ThriftBinaryWriter();
  writer.list(ThriftType.struct, spans.length);
  for (const span of spans) writeSpan(writer, span);
  return writer.toBytes();
}

function writeSpan(writer: ThriftBinaryWriter, span: ZipkinSpan): void {
  const isShared = isWrittenAsShared(span);
  i64Field(writer, 1, id(span.traceId.slice(16)));
  textField(writer, 3, span.name);
  i64Field(writer, 4, id(span.id));
  if (span.parentId !== '') i64Field(writer, 5, id(span.parentId));
  writeAnnotations(writer, span);
  writeBinaryAnnotations(writer, span);
  if (span.debug) writer.boolField(9, true);
  // Only the caller says when a span began that both sides report.
  if (!isShared && span.timestampMicros !== 0n) i64Field(writer, 10, span.timestampMicros);
  if (!isShared && span.durationMicros !== 0n) i64Field(writer, 11, span.durationMicros);
  const high = id(span.traceId.slice(0, 16));
  if (high !== 0n) i64Field(writer, 12, high);
  writer.stop();
}

/** Whether the times of a shared span can be read from its annotations: none of its own is outside of it. */
function isWrittenAsShared(span: ZipkinSpan): boolean {
  const { timestampMicros: start, durationMicros } = span;
  return (
    span.shared &&
    span.kind === SpanKind.server &&
    span.annotations.every(
      ({ timestampMicros }) =>
        timestampMicros >= start && timestampMicros <= start + durationMicros,
    )
  );
}

function writeAnnotations(writer: ThriftBinaryWriter, span: ZipkinSpan): void {
  const [begin, end] = CORE[span.kind] ?? [];
  const annotations = [...span.annotations];
  const { timestampMicros, durationMicros } = span;
  const endMicros = timestampMicros + durationMicros;
  if (begin !== undefined) annotations.unshift({ timestampMicros, value: begin });
  if (end !== undefined && durationMicros !== 0n && endMicros <= LAST_MICROS) {
    annotations.push({ timestampMicros: endMicros, value: end });
  }
  writer.field(ThriftType.list, 6);
  writer.list(ThriftType.struct, annotations.length);
  for (const annotation of annotations) {
    i64Field(writer, 1, annotation.timestampMicros);
    textField(writer, 2, annotation.value);
    if (span.local.serviceName !== '') writeSide(writer, 3, span.local);
    writer.stop();
  }
}

function writeBinaryAnnotations(writer: ThriftBinaryWriter, span: ZipkinSpan): void {
  const { local, remote } = span;
  const tags = [...span.tags];
  // A mark for the service, where nothing else has it.
  const hasAnnotations = span.annotations.length > 0 || span.kind in CORE;
  if (local.serviceName !== '' && tags.length === 0 && !hasAnnotations) tags.push(['lc', '']);
  const hasRemote =
    remote.serviceName !== '' || remote.ipv4 !== '' || remote.ipv6 !== '' || remote.port !== 0;
  writer.field(ThriftType.list, 8);
  writer.list(ThriftType.struct, tags.length + (hasRemote ? 1 : 0));
  for (const [key, value] of tags) {
    writeBinaryAnnotation(writer, key, encodeText(value), AnnotationType.string);
    if (local.serviceName !== '') writeSide(writer, 4, local);
    writer.stop();
  }
  if (!hasRemote) return;
  const address = ADDRESSES[span.kind] ?? 'sa';
  writeBinaryAnnotation(writer, address, Uint8Array.of(1), AnnotationType.bool);
  writeSide(writer, 4, remote);
  writer.stop();
}

/** Without its host and end. */
function writeBinaryAnnotation(
  writer: ThriftBinaryWriter,
  key: string,
  value: Uint8Array,
  type: number,
): void {
  textField(writer, 1, key);
  writer.field(ThriftType.string, 2);
  writer.string(value);
  writer.field(ThriftType.i32, 3);
  writer.i32(type);
}

function writeSide(writer: ThriftBinaryWriter, field: number, side: ZipkinSide): void {
  const ipv4 = parseIp(side.ipv4);
  writer.field(ThriftType.struct, field);
  writer.field(ThriftType.i32, 1);
  writer.i32(ipv4?.reduce((word, byte) => (word << 8) | byte, 0) ?? 0);
  writer.field(ThriftType.i16, 2);
  writer.i16(side.port);
  textField(writer, 3, side.serviceName);
  if (side.ipv6 !== '') {
    writer.field(ThriftType.string, 4);
    writer.string(parseIp(side.ipv6)!);
  }
  writer.stop();
}

function textField(writer: ThriftBinaryWriter, field: number, text: string): void {
  writer.field(ThriftType.string, field);
  writer.string(encodeText(text));
}

function i64Field(writer: ThriftBinaryWriter, field: number, value: bigint): void {
  writer.field(ThriftType.i64, field);
  writer.i64(value);
}

function id(hex: string): bigint {
  return BigInt(`0x${hex}`);
}

/** The last µs whose ns fit into 64 bits, in 2554. */
const LAST_MICROS = (2n ** 64n - 1n) / 1000n;

/** Types of binary annotations that are written. */
const AnnotationType = { bool: 0, string: 6 } as const;

/** Annotations at the start and the end of a span, by its kind. */
const CORE: Readonly<Record<number, readonly [begin: string, end?: string]>> = {
  [SpanKind.client]: ['cs', 'cr'],
  [SpanKind.server]: ['sr', 'ss'],
  [SpanKind.producer]: ['ms'],
  [SpanKind.consumer]: ['mr'],
};

/** Binary annotation that has the address of the other side, by the kind of a span. */
const ADDRESSES: Readonly<Record<number, string>> = {
  [SpanKind.server]: 'ca',
  [SpanKind.producer]: 'ma',
  [SpanKind.consumer]: 'ma',
};
