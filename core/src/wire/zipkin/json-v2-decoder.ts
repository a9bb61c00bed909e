// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from '#model/batch-builder.ts';
import { DecodeProgress } from '#model/decode-progress.ts';
import { SlicedDecoder } from '#model/sliced-decoder.ts';
import { SpanKind } from '#model/span.ts';
import { JsonFields } from '#wire/otlp/json-fields.ts';
import { JsonReader, NULL_FIELD } from '#wire/otlp/json-reader.ts';
import { decodeJsonList, JsonParts } from './json-parts.ts';
import { ZipkinRow } from './zipkin-row.ts';

/**
 * Decodes a list of spans of Zipkin's version 2 in JSON.
 * @see https://zipkin.io/zipkin-api/zipkin2-api.yaml
 */
export function createZipkinJsonV2Decoder(): SlicedDecoder {
  const progress = new DecodeProgress('zipkin json');
  const reader = new JsonReader('zipkin json');
  const spans = new JsonV2SpanReader(reader);
  return new SlicedDecoder(progress, (body) => {
    reader.begin(body);
    return decodeJsonList(reader, progress, (builder) => spans.read(builder));
  });
}

class JsonV2SpanReader {
  readonly #reader: JsonReader;
  readonly #parts: JsonParts;
  readonly #row = new ZipkinRow();

  constructor(reader: JsonReader) {
    this.#reader = reader;
    this.#parts = new JsonParts(reader);
  }

  /** Reads the object at the reader's position into a row. @returns what is wrong with the span */
  read(builder: BatchBuilder): string {
    const reader = this.#reader;
    const parts = this.#parts;
    const row = this.#row;
    row.begin(builder, reader.bytes);
    parts.problem = '';
    const at = row.row;
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
          row.name.set(reader.textBytes, reader.textStart, reader.textEnd);
          break;
        case 5: {
          reader.string();
          const kind = KINDS.find(reader.textBytes, reader.textStart, reader.textEnd);
          if (kind === 0) parts.problem ||= 'its kind is none of Zipkin';
          row.kind = kind;
          break;
        }
        case 6:
          parts.time('its timestamp');
          row.startLo = parts.nanos.lo;
          row.startHi = parts.nanos.hi;
          break;
        case 7:
          parts.duration();
          row.durationLo = parts.nanos.lo;
          row.durationHi = parts.nanos.hi;
          break;
        case 8:
          parts.endpoint(row.local);
          break;
        case 9:
          parts.endpoint(row.remote);
          break;
        case 10:
          for (let some = reader.enterList(); some; some = reader.nextItem()) this.#annotation();
          break;
        case 11:
          this.#tags();
          break;
        case 12:
          row.debug = reader.boolean();
          break;
        case 13:
          row.shared = reader.boolean();
          break;
        case NULL_FIELD:
          break;
        default:
          reader.unknown();
      }
    }
    row.problem ||= parts.problem;
    return row.finish();
  }

  #annotation(): void {
    const reader = this.#reader;
    const parts = this.#parts;
    const row = this.#row;
    const name = parts.text;
    name.clear();
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
        name.set(reader.textBytes, reader.textStart, reader.textEnd);
      } else if (field !== NULL_FIELD) reader.unknown();
    }
    row.event(lo, hi, name.bytes, name.start, name.end);
  }

  #tags(): void {
    const reader = this.#reader;
    const { text } = this.#parts;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const start = reader.position;
      const field = reader.field(NO_NAMES);
      if (field === NULL_FIELD) continue;
      const { textBytes: key, textStart: keyStart, textEnd: keyEnd } = reader;
      this.#parts.scalarText();
      const { bytes } = text;
      const end = reader.position;
      this.#row.tag(key, keyStart, keyEnd, bytes, text.start, text.end, start, end);
    }
  }
}

const SPAN = new JsonFields({
  traceId: 1,
  id: 2,
  parentId: 3,
  name: 4,
  kind: 5,
  timestamp: 6,
  duration: 7,
  localEndpoint: 8,
  remoteEndpoint: 9,
  annotations: 10,
  tags: 11,
  debug: 12,
  shared: 13,
});

const ANNOTATION = new JsonFields({ timestamp: 1, value: 2 });

/** Of an object whose names are data. */
const NO_NAMES = new JsonFields({});

const KINDS = new JsonFields({
  CLIENT: SpanKind.client,
  SERVER: SpanKind.server,
  PRODUCER: SpanKind.producer,
  CONSUMER: SpanKind.consumer,
});
