// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from '#model/batch-builder.ts';
import { DecodeProgress } from '#model/decode-progress.ts';
import { Nanos } from '#model/nanos.ts';
import { SlicedDecoder } from '#model/sliced-decoder.ts';
import { TagText } from '#wire/mapping/tag-text.ts';
import { ThriftBinaryReader } from '#wire/thrift/binary-reader.ts';
import {
  putThriftId,
  skipThrift,
  ThriftType,
  type ThriftReader,
} from '#wire/thrift/thrift-reader.ts';
import type { ZipkinEndpoint } from './endpoint.ts';
import { ThriftAnnotationValue } from './thrift-annotation-value.ts';
import { ZipkinV1Row } from './v1-row.ts';

/**
 * Decodes a list of spans of Zipkin's version 1 in Thrift's binary protocol, which is a body over HTTP, or a single span, which
 * clients in JavaScript write to Kafka: that begins with a field of a span, its trace id.
 * @see https://github.com/openzipkin/zipkin-api/blob/1.0.0/thrift/zipkinCore.thrift
 */
export function createZipkinThriftDecoder(): SlicedDecoder {
  const progress = new DecodeProgress('zipkin thrift');
  const reader = new ThriftBinaryReader();
  const spans = new ZipkinThriftSpans(reader, progress);
  return new SlicedDecoder(progress, (body) => {
    reader.reset(body);
    return body[0] === ThriftType.i64 ? spans.decodeOne() : spans.decode();
  });
}

/** Decodes lists of `Span` structs in either protocol. */
export class ZipkinThriftSpans {
  readonly #reader: ThriftReader;
  readonly #progress: DecodeProgress;
  readonly #row = new ZipkinV1Row();
  readonly #nanos = new Nanos();
  readonly #text = new TagText();
  readonly #value: ThriftAnnotationValue;
  readonly #ipv4 = new Uint8Array(4);

  /** @param reader stands at the list when it is decoded */
  constructor(reader: ThriftReader, progress: DecodeProgress) {
    this.#reader = reader;
    this.#progress = progress;
    this.#value = new ThriftAnnotationValue(reader);
  }

  /** Decodes the list at the reader's position; yields when a slice is full. */
  *decode(): Generator<void, void, void> {
    const reader = this.#reader;
    const progress = this.#progress;
    const count = reader.list();
    const { itemType } = reader;
    for (let i = 0; i < count; i++) {
      if (progress.isFull) yield;
      if (itemType === ThriftType.struct) {
        const start = reader.position;
        progress.endSpan(start, this.#span(progress.builder));
      } else skipThrift(reader, itemType);
    }
  }

  /** Decodes the struct at the reader's position. */
  *decodeOne(): Generator<void, void, void> {
    const progress = this.#progress;
    if (progress.isFull) yield;
    progress.endSpan(this.#reader.position, this.#span(progress.builder));
  }

  #span(builder: BatchBuilder): string {
    const reader = this.#reader;
    const row = this.#row;
    const { span } = row;
    const nanos = this.#nanos;
    row.begin(builder, reader.bytes);
    const at = span.row;
    for (let id = 0; ;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) break;
      id = reader.fieldId;
      if (type === ThriftType.i64) {
        reader.i64();
        const { lo, hi } = reader;
        if (id === 1) putThriftId(reader, builder.traceId, at * 16 + 8);
        else if (id === 12) putThriftId(reader, builder.traceId, at * 16);
        else if (id === 4) putThriftId(reader, builder.spanId, at * 8);
        else if (id === 5) putThriftId(reader, builder.parentSpanId, at * 8);
        else if (id === 10) {
          if (!nanos.ofMicros(lo, hi)) span.problem ||= BAD_TIME;
          span.startLo = nanos.lo;
          span.startHi = nanos.hi;
        } else if (id === 11) {
          if (!nanos.ofSignedMicros(lo, hi)) span.problem ||= 'its duration is over 292 years';
          span.durationLo = nanos.lo;
          span.durationHi = nanos.hi;
        }
      } else if (type === ThriftType.list) {
        const count = reader.list();
        const { itemType } = reader;
        for (let i = 0; i < count; i++) {
          if (itemType !== ThriftType.struct) skipThrift(reader, itemType);
          else if (id === 6) this.#annotation();
          else if (id === 8) this.#binaryAnnotation();
          else skipThrift(reader, itemType);
        }
      } else if (id === 3 && type === ThriftType.string) {
        reader.string();
        span.name.set(reader.bytes, reader.start, reader.end);
      } else if (id === 9 && type === ThriftType.bool) span.debug = reader.bool();
      else skipThrift(reader, type);
    }
    return row.finish();
  }

  #annotation(): void {
    const reader = this.#reader;
    const row = this.#row;
    const nanos = this.#nanos;
    const value = this.#text;
    value.clear();
    row.host.clear();
    let lo = 0;
    let hi = 0;
    for (let id = 0; ;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) break;
      id = reader.fieldId;
      if (id === 1 && type === ThriftType.i64) {
        reader.i64();
        if (!nanos.ofMicros(reader.lo, reader.hi)) row.span.problem ||= BAD_TIME;
        lo = nanos.lo;
        hi = nanos.hi;
      } else if (id === 2 && type === ThriftType.string) {
        reader.string();
        value.set(reader.bytes, reader.start, reader.end);
      } else if (id === 3 && type === ThriftType.struct) this.#endpoint(row.host);
      else skipThrift(reader, type);
    }
    row.annotation(lo, hi, value);
  }

  #binaryAnnotation(): void {
    const reader = this.#reader;
    const row = this.#row;
    const key = this.#text;
    key.clear();
    row.host.clear();
    let type = 0;
    let valueStart = 0;
    let valueEnd = 0;
    for (let id = 0; ;) {
      const fieldType = reader.field(id);
      if (fieldType === ThriftType.stop) break;
      id = reader.fieldId;
      if (id === 1 && fieldType === ThriftType.string) {
        reader.string();
        key.set(reader.bytes, reader.start, reader.end);
      } else if (id === 2 && fieldType === ThriftType.string) {
        reader.string();
        valueStart = reader.start;
        valueEnd = reader.end;
      } else if (id === 3 && fieldType === ThriftType.i32) type = reader.i32();
      else if (id === 4 && fieldType === ThriftType.struct) this.#endpoint(row.host);
      else skipThrift(reader, fieldType);
    }
    this.#value.set(type, valueStart, valueEnd);
    row.binaryAnnotation(key, this.#value);
  }

  #endpoint(endpoint: ZipkinEndpoint): void {
    const reader = this.#reader;
    for (let id = 0; ;) {
      const type = reader.field(id);
      if (type === ThriftType.stop) return;
      id = reader.fieldId;
      if (id === 1 && type === ThriftType.i32) {
        const word = reader.i32();
        for (let i = 0; i < 4; i++) this.#ipv4[i] = (word >>> (24 - 8 * i)) & 255;
        endpoint.setIpv4(this.#ipv4, 0);
      } else if (id === 2 && type === ThriftType.i16) {
        // Signed on the wire.
        endpoint.port = reader.i16() & 0xffff;
      } else if (id === 3 && type === ThriftType.string) {
        reader.string();
        endpoint.service.set(reader.bytes, reader.start, reader.end);
      } else if (id === 4 && type === ThriftType.string) {
        reader.string();
        if (reader.end - reader.start === 16) endpoint.setIpv6(reader.bytes, reader.start);
      } else skipThrift(reader, type);
    }
  }
}

const BAD_TIME = 'its time or that of an annotation is not in µs from 1970 to 2554';
