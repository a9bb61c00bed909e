// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from '#model/batch-builder.ts';
import { DecodeProgress } from '#model/decode-progress.ts';
import { Nanos } from '#model/nanos.ts';
import { SlicedDecoder } from '#model/sliced-decoder.ts';
import { SpanKind } from '#model/span.ts';
import { passUnknown } from '#wire/mapping/proto-fields.ts';
import { ProtoReader } from '#wire/protobuf/reader.ts';
import { BAD_PORT, type ZipkinEndpoint } from './endpoint.ts';
import { ZipkinRow } from './zipkin-row.ts';

/**
 * Decodes `zipkin.proto3.ListOfSpans`.
 * @see https://github.com/openzipkin/zipkin-api/blob/master/zipkin.proto
 */
export function createZipkinProtoDecoder(): SlicedDecoder {
  const progress = new DecodeProgress('zipkin proto');
  const reader = new ProtoReader('zipkin proto');
  const spans = new ProtoSpanReader(reader);
  return new SlicedDecoder(progress, (body) => {
    reader.reset(body);
    return decodeList(reader, progress, spans);
  });
}

function* decodeList(
  reader: ProtoReader,
  progress: DecodeProgress,
  spans: ProtoSpanReader,
): Generator<void, void, void> {
  const end = reader.bytes.length;
  while (reader.position < end) {
    if (progress.isFull) yield;
    const start = reader.position;
    const field = reader.tag(end);
    if (field === 10) {
      const spanEnd = reader.length(end) + reader.position;
      progress.endSpan(start, spans.read(progress.builder, spanEnd));
    } else passUnknown(reader, field, end, 1);
  }
}

class ProtoSpanReader {
  readonly #reader: ProtoReader;
  readonly #row = new ZipkinRow();
  readonly #nanos = new Nanos();

  constructor(reader: ProtoReader) {
    this.#reader = reader;
  }

  /** Reads the message in `[reader.position, end)` into a row. @returns what is wrong with the span */
  read(builder: BatchBuilder, end: number): string {
    const reader = this.#reader;
    const row = this.#row;
    const nanos = this.#nanos;
    row.begin(builder, reader.bytes);
    const at = row.row;
    while (reader.position < end) {
      const fieldStart = reader.position;
      const field = reader.tag(end);
      switch (field) {
        case 10:
          this.#id(end, builder.traceId, at * 16, 16, 'trace id');
          break;
        case 18:
          this.#id(end, builder.parentSpanId, at * 8, 8, 'parent id');
          break;
        case 26:
          this.#id(end, builder.spanId, at * 8, 8, 'id');
          break;
        case 32: {
          const kind = reader.varint32(end);
          if (kind >= KINDS.length) row.problem ||= `its kind is ${kind}, which Zipkin has not`;
          else row.kind = KINDS[kind]!;
          break;
        }
        case 42: {
          const length = reader.length(end);
          row.name.set(reader.bytes, reader.position, reader.position + length);
          reader.position += length;
          break;
        }
        case 49:
          reader.fixed64(end);
          if (!nanos.ofMicros(reader.lo, reader.hi)) row.problem ||= BAD_TIME;
          row.startLo = nanos.lo;
          row.startHi = nanos.hi;
          break;
        case 56:
          reader.varint64(end);
          if (reader.hi >= 2 ** 31 || !nanos.ofSignedMicros(reader.lo, reader.hi)) {
            row.problem ||= 'its duration is over 292 years';
          }
          row.durationLo = nanos.lo;
          row.durationHi = nanos.hi;
          break;
        case 66:
          this.#endpoint(row.local, reader.length(end) + reader.position);
          break;
        case 74:
          this.#endpoint(row.remote, reader.length(end) + reader.position);
          break;
        case 82:
          this.#annotation(reader.length(end) + reader.position);
          break;
        case 90:
          this.#tag(fieldStart, reader.length(end) + reader.position);
          break;
        case 96:
          reader.varint64(end);
          row.debug = reader.lo !== 0 || reader.hi !== 0;
          break;
        case 104:
          reader.varint64(end);
          row.shared = reader.lo !== 0 || reader.hi !== 0;
          break;
        default:
          passUnknown(reader, field, end, 13);
      }
    }
    return row.finish();
  }

  /** A trace id may have 8 bytes, which are its low half. */
  #id(end: number, target: Uint8Array, at: number, size: number, what: string): void {
    const reader = this.#reader;
    const length = reader.length(end);
    if (length === size || length === 8) {
      const to = at + size - length;
      target.fill(0, at, to);
      for (let i = 0; i < length; i++) target[to + i] = reader.bytes[reader.position + i]!;
    } else if (length !== 0) this.#row.problem ||= `its ${what} has ${length} bytes`;
    reader.position += length;
  }

  #endpoint(endpoint: ZipkinEndpoint, end: number): void {
    const reader = this.#reader;
    endpoint.clear();
    while (reader.position < end) {
      const field = reader.tag(end);
      if (field === 10) {
        const length = reader.length(end);
        endpoint.service.set(reader.bytes, reader.position, reader.position + length);
        reader.position += length;
      } else if (field === 18) {
        const length = reader.length(end);
        if (length === 4) endpoint.setIpv4(reader.bytes, reader.position);
        reader.position += length;
      } else if (field === 26) {
        const length = reader.length(end);
        if (length === 16) endpoint.setIpv6(reader.bytes, reader.position);
        reader.position += length;
      } else if (field === 32) {
        if (!endpoint.setPort(reader.varint32(end))) this.#row.problem ||= BAD_PORT;
      } else passUnknown(reader, field, end, 4);
    }
  }

  #annotation(end: number): void {
    const reader = this.#reader;
    const nanos = this.#nanos;
    let lo = 0;
    let hi = 0;
    let nameStart = 0;
    let nameEnd = 0;
    while (reader.position < end) {
      const field = reader.tag(end);
      if (field === 9) {
        reader.fixed64(end);
        if (!nanos.ofMicros(reader.lo, reader.hi)) this.#row.problem ||= BAD_TIME;
        lo = nanos.lo;
        hi = nanos.hi;
      } else if (field === 18) {
        nameEnd = reader.length(end);
        nameStart = reader.position;
        reader.position = nameEnd += nameStart;
      } else passUnknown(reader, field, end, 2);
    }
    this.#row.event(lo, hi, reader.bytes, nameStart, nameEnd);
  }

  /**
   * An entry of the map of tags.
   * @param start where its field begins; with the field's own tag no attribute of OTLP is encoded in the same bytes
   */
  #tag(start: number, end: number): void {
    const reader = this.#reader;
    const { bytes } = reader;
    let keyStart = 0;
    let keyEnd = 0;
    let valueStart = 0;
    let valueEnd = 0;
    while (reader.position < end) {
      const field = reader.tag(end);
      if (field === 10) {
        keyEnd = reader.length(end);
        keyStart = reader.position;
        reader.position = keyEnd += keyStart;
      } else if (field === 18) {
        valueEnd = reader.length(end);
        valueStart = reader.position;
        reader.position = valueEnd += valueStart;
      } else passUnknown(reader, field, end, 2);
    }
    this.#row.tag(bytes, keyStart, keyEnd, bytes, valueStart, valueEnd, start, end);
  }
}

const BAD_TIME = 'its time or that of an annotation is after the year 2554';

/** Zipkin's kinds by their numbers. */
const KINDS: readonly number[] = [
  SpanKind.unspecified,
  SpanKind.client,
  SpanKind.server,
  SpanKind.producer,
  SpanKind.consumer,
];
