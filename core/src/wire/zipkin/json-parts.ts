// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from '#model/batch-builder.ts';
import type { DecodeProgress } from '#model/decode-progress.ts';
import { Nanos } from '#model/nanos.ts';
import { TagText } from '#wire/mapping/tag-text.ts';
import { JsonFields } from '#wire/otlp/json-fields.ts';
import { readUint32, readUint64 } from '#wire/otlp/json-number.ts';
import { type JsonReader, NULL_FIELD, WrongValue } from '#wire/otlp/json-reader.ts';
import { SpoorError } from '#model/errors.ts';
import { BAD_PORT, type ZipkinEndpoint } from './endpoint.ts';
import { readHexId } from './ids.ts';

/** Decodes the list of spans that is a whole body; yields when a slice is full. */
export function* decodeJsonList(
  reader: JsonReader,
  progress: DecodeProgress,
  read: (builder: BatchBuilder) => string,
): Generator<void, void, void> {
  let some: boolean;
  try {
    some = reader.enterList();
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    throw new SpoorError('malformed', `zipkin json: ${error.message}`, { cause: error });
  }
  while (some) {
    const start = reader.position;
    reader.forgetTexts();
    let problem: string;
    try {
      problem = read(progress.builder);
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      problem = error.message;
      reader.position = start;
      reader.skipValue();
    }
    progress.endSpan(start, problem);
    some = reader.nextItem();
    if (some && progress.isFull) yield;
  }
  reader.space();
  if (reader.position < reader.bytes.length) reader.fail('text after the end of the list');
}

/** Reads what spans of both of Zipkin's versions have in JSON. */
export class JsonParts {
  /** What is wrong with the span under way; empty when nothing is. For the reader of spans to reset. */
  problem = '';
  /** What {@link time} and {@link duration} read. */
  readonly nanos = new Nanos();
  /** What {@link scalarText} read. */
  readonly text = new TagText();
  readonly #reader: JsonReader;

  constructor(reader: JsonReader) {
    this.#reader = reader;
  }

  /** Reads an id of up to `2 * size` hex digits. */
  id(target: Uint8Array, at: number, size: number, what: string): void {
    const reader = this.#reader;
    reader.string();
    const { textBytes, textStart, textEnd } = reader;
    if (readHexId(textBytes, textStart, textEnd, target, at, size)) return;
    this.problem ||= `its ${what} is not of 1 to ${size * 2} hex digits`;
  }

  /** Reads a time in µs. */
  time(what: string): void {
    const reader = this.#reader;
    readUint64(reader);
    const fits = this.nanos.ofMicros(reader.lo, reader.hi);
    if (!fits) this.problem ||= `${what} is after the year 2554`;
  }

  /** Reads a duration in µs. */
  duration(): void {
    const reader = this.#reader;
    readUint64(reader);
    const fits = reader.hi < 2 ** 31 && this.nanos.ofSignedMicros(reader.lo, reader.hi);
    if (!fits) this.problem ||= 'its duration is over 292 years';
  }

  /** Reads an endpoint. */
  endpoint(endpoint: ZipkinEndpoint): void {
    const reader = this.#reader;
    endpoint.clear();
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(ENDPOINT);
      if (field === 4) {
        if (!endpoint.setPort(readUint32(reader))) this.problem ||= BAD_PORT;
      } else if (field > 0) {
        reader.string();
        const text = field === 1 ? endpoint.service : field === 2 ? endpoint.ipv4 : endpoint.ipv6;
        text.set(reader.textBytes, reader.textStart, reader.textEnd);
      } else if (field !== NULL_FIELD) reader.unknown();
    }
  }

  /** Reads a text into `text`; a number or boolean gives the text it is written as. */
  scalarText(): void {
    const reader = this.#reader;
    const start = reader.position;
    const first = reader.bytes[start]!;
    if (first === QUOTE) {
      reader.string();
      this.text.set(reader.textBytes, reader.textStart, reader.textEnd);
      return;
    }
    if (first === LETTER_T || first === LETTER_F) reader.boolean();
    else reader.number();
    this.text.set(reader.bytes, start, reader.position);
  }
}

const QUOTE = 0x22;
const LETTER_F = 0x66;
const LETTER_T = 0x74;

const ENDPOINT = new JsonFields({ serviceName: 1, ipv4: 2, ipv6: 3, port: 4 });
