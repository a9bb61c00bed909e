// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { DecodeProgress } from '#model/decode-progress.ts';
import { SlicedDecoder } from '#model/sliced-decoder.ts';
import { TagText } from '#wire/mapping/tag-text.ts';
import { decodeBase64 } from '#wire/otlp/json-base64.ts';
import { JsonFields } from '#wire/otlp/json-fields.ts';
import { readDouble, readInt64 } from '#wire/otlp/json-number.ts';
import { JsonReader, NULL_FIELD } from '#wire/otlp/json-reader.ts';
import { decodeJsonList, JsonParts } from './json-parts.ts';
import { ZipkinV1Row } from './v1-row.ts';

/**
 * Decodes a list of spans of Zipkin's version 1 in JSON.
 * @see https://zipkin.io/zipkin-api/zipkin-api.yaml
 */
export function createZipkinJsonV1Decoder(): SlicedDecoder {
  const progress = new DecodeProgress('zipkin json');
  const reader = new JsonReader('zipkin json');
  const spans = new JsonV1SpanReader(reader);
  return new SlicedDecoder(progress, (body) => {
    reader.begin(body);
    return decodeJsonList(reader, progress, (builder) => spans.read(builder));
  });
}

class JsonV1SpanReader {
  readonly #reader: JsonReader;
  readonly #parts: JsonParts;
  readonly #row = new ZipkinV1Row();
  readonly #text = new TagText();
  readonly #scalar = new Uint8Array(8);
  readonly #scalarView = new DataView(this.#scalar.buffer);

  constructor(reader: JsonReader) {
    this.#reader = reader;
    this.#parts = new JsonParts(reader);
  }

  /** Reads the object at the reader's position into a row. @returns what is wrong with the span */
  read(builder: BatchBuilder): string {
    const reader = this.#reader;
    const parts = this.#parts;
    const row = this.#row;
    const { span } = row;
    row.begin(builder, reader.bytes);
    parts.problem = '';
    const at = span.row;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(SPAN);
      switch (field) {
        case 1:
          parts.id(builder.traceId, at * 16, 16, 'traceId');
          break;
        case 2:
          parts.id(builder.spanId, at * 8, 8, 'id');
          break;
        case 3:
          parts.id(builder.parentSpanId, at * 8, 8, 'parentId');
          break;
        case 4:
          reader.string();
          span.name.set(reader.textBytes, reader.textStart, reader.textEnd);
          break;
        case 5:
          parts.time('its timestamp');
          span.startLo = parts.nanos.lo;
          span.startHi = parts.nanos.hi;
          break;
        case 6:
          parts.duration();
          span.durationLo = parts.nanos.lo;
          span.durationHi = parts.nanos.hi;
          break;
        case 7:
          for (let some = reader.enterList(); some; some = reader.nextItem()) this.#annotation();
          break;
        case 8:
          for (let some = reader.enterList(); some; some = reader.nextItem()) this.#binary();
          break;
        case 9:
          span.debug = reader.boolean();
          break;
        case NULL_FIELD:
          break;
        default:
          reader.unknown();
      }
    }
    span.problem ||= parts.problem;
    return row.finish();
  }

  #annotation(): void {
    const reader = this.#reader;
    const parts = this.#parts;
    const row = this.#row;
    const value = this.#text;
    value.clear();
    row.host.clear();
    let lo = 0;
    let hi = 0;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(ANNOTATION);
      if (field === 1) {
        parts.time('the timestamp of an annotation');
        lo = parts.nanos.lo;
        hi = parts.nanos.hi;
      } else if (field === 2) {
        reader.string();
        value.set(reader.textBytes, reader.textStart, reader.textEnd);
      } else if (field === 3) parts.endpoint(row.host);
      else if (field !== NULL_FIELD) reader.unknown();
    }
    row.annotation(lo, hi, value);
  }

  #binary(): void {
    const reader = this.#reader;
    const row = this.#row;
    const key = this.#text;
    key.clear();
    row.host.clear();
    // The type may come after the value.
    let type = 0;
    let valueStart = -1;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(BINARY_ANNOTATION);
      if (field === 1) {
        reader.string();
        key.set(reader.textBytes, reader.textStart, reader.textEnd);
      } else if (field === 2) {
        valueStart = reader.position;
        reader.skipValue();
      } else if (field === 3) {
        reader.string();
        type = TYPES.find(reader.textBytes, reader.textStart, reader.textEnd);
      } else if (field === 4) this.#parts.endpoint(row.host);
      else if (field !== NULL_FIELD) reader.unknown();
    }
    const { position } = reader;
    if (valueStart >= 0) {
      reader.position = valueStart;
      this.#value(key, type);
      reader.position = position;
    }
  }

  /** Reads the value at the reader's position, as its type says or else as it looks. */
  #value(key: TagText, type: number): void {
    const reader = this.#reader;
    const first = reader.bytes[reader.position];
    if (type === ValueType.int) {
      readInt64(reader);
      this.#scalarView.setUint32(0, reader.lo, true);
      this.#scalarView.setUint32(4, reader.hi, true);
      this.#add(key, type, this.#scalar, 0, 8);
    } else if (type === ValueType.double) {
      this.#scalarView.setFloat64(0, readDouble(reader), true);
      this.#add(key, type, this.#scalar, 0, 8);
    } else if (type === ValueType.bytes) {
      const at = reader.position;
      reader.string();
      const bytes = decodeBase64(reader.textBytes, reader.textStart, reader.textEnd);
      if (bytes === undefined) reader.wrong('no base64', at);
      else this.#add(key, type, bytes, 0, bytes.length);
    } else if (first === LETTER_T || first === LETTER_F) {
      this.#scalar[0] = reader.boolean() ? 1 : 0;
      this.#add(key, ValueType.bool, this.#scalar, 0, 1);
    } else {
      this.#parts.scalarText();
      const { bytes, start, end } = this.#parts.text;
      this.#add(key, ValueType.string, bytes, start, end);
    }
  }

  #add(key: TagText, type: ValueType, bytes: Uint8Array, start: number, end: number): void {
    this.#row.binaryAnnotation(key, { type, bytes, start, end });
  }
}

const LETTER_F = 0x66;
const LETTER_T = 0x74;

const SPAN = new JsonFields({
  traceId: 1,
  id: 2,
  parentId: 3,
  name: 4,
  timestamp: 5,
  duration: 6,
  annotations: 7,
  binaryAnnotations: 8,
  debug: 9,
});

const ANNOTATION = new JsonFields({ timestamp: 1, value: 2, endpoint: 3 });
const BINARY_ANNOTATION = new JsonFields({ key: 1, value: 2, type: 3, endpoint: 4 });

/** Types of binary annotations that change how a value is read. */
const TYPES = new JsonFields({
  BYTES: ValueType.bytes,
  I16: ValueType.int,
  I32: ValueType.int,
  I64: ValueType.int,
  DOUBLE: ValueType.double,
});
