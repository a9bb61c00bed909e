// SPDX-License-Identifier: Apache-2.0
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { JaegerBatch, JaegerSpan, Tag } from './jaeger-model.ts';

type Write = (writer: BinaryWriter) => void;

/** `PostSpansRequest` of a batch, written by the official library. */
export function protoRequest(batch: JaegerBatch): Uint8Array {
  return message((writer) => field(writer, 1, protoBatch(batch)));
}

/** Bytes of a message. */
export function message(write: Write): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** A message as a field of another one. */
export function field(writer: BinaryWriter, number: number, write: Write): void {
  writer.tag(number, 2).fork();
  write(writer);
  writer.join();
}

/** A `Batch`: the spans, then the process. */
function protoBatch(batch: JaegerBatch): Write {
  return (writer) => {
    for (const span of batch.spans) field(writer, 1, protoSpan(span));
    field(writer, 2, protoProcess(batch));
  };
}

/** A `Process`. */
export function protoProcess({
  serviceName,
  processTags,
}: Pick<JaegerBatch, 'serviceName' | 'processTags'>): Write {
  return (writer) => {
    if (serviceName !== '') writer.tag(1, 2).string(serviceName);
    for (const tag of processTags) field(writer, 2, protoTag(tag));
  };
}

/** A `Span`. */
export function protoSpan(span: JaegerSpan): Write {
  return (writer) => {
    writer.tag(1, 2).bytes(id(span.traceId, 16));
    writer.tag(2, 2).bytes(id(span.spanId, 8));
    writer.tag(3, 2).string(span.operationName);
    // Protobuf has no parent of its own: the first reference is it.
    if (span.parentSpanId !== 0n) {
      field(writer, 4, protoReference(span.traceId, span.parentSpanId, 0));
    }
    for (const { type, traceId, spanId } of span.references) {
      field(writer, 4, protoReference(traceId, spanId, type === 'CHILD_OF' ? 0 : 1));
    }
    if (span.flags !== 0) writer.tag(5, 0).uint32(span.flags);
    field(writer, 6, protoTime(span.startTime));
    field(writer, 7, protoTime(span.duration));
    for (const tag of span.tags) field(writer, 8, protoTag(tag));
    for (const { timestamp, fields } of span.logs) {
      field(writer, 9, (log) => {
        field(log, 1, protoTime(timestamp));
        for (const tag of fields) field(log, 2, protoTag(tag));
      });
    }
  };
}

function protoReference(traceId: bigint, spanId: bigint, type: number): Write {
  return (writer) => {
    writer.tag(1, 2).bytes(id(traceId, 16));
    writer.tag(2, 2).bytes(id(spanId, 8));
    if (type !== 0) writer.tag(3, 0).int32(type);
  };
}

/** A `Timestamp` or `Duration` of µs. */
function protoTime(micros: bigint): Write {
  return (writer) => {
    const seconds = micros / 1_000_000n;
    const nanos = Number(micros % 1_000_000n) * 1000;
    if (seconds !== 0n) writer.tag(1, 0).int64(seconds);
    if (nanos !== 0) writer.tag(2, 0).int32(nanos);
  };
}

function protoTag([key, value]: Tag): Write {
  return (writer) => {
    if (key !== '') writer.tag(1, 2).string(key);
    if (typeof value === 'string') {
      if (value !== '') writer.tag(3, 2).string(value);
    } else if (typeof value === 'boolean') {
      writer.tag(2, 0).int32(1);
      if (value) writer.tag(4, 0).bool(value);
    } else if (typeof value === 'bigint') {
      writer.tag(2, 0).int32(2);
      if (value !== 0n) writer.tag(5, 0).int64(value);
    } else if (value instanceof Uint8Array) {
      writer.tag(2, 0).int32(4);
      if (value.length > 0) writer.tag(7, 2).bytes(value);
    } else {
      writer.tag(2, 0).int32(3);
      if (value.double !== 0) writer.tag(6, 1).double(value.double);
    }
  };
}

function id(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) =>
    Number((value >> BigInt(8 * (size - 1 - i))) & 255n),
  );
}
