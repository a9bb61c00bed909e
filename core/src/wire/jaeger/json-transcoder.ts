// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '#model/errors.ts';
import { decodeText } from '#model/utf8.ts';
import { decodeBase64 } from '#wire/otlp/json-base64.ts';
import { JsonFields } from '#wire/otlp/json-fields.ts';
import { readDouble, readEnum, readInt64, readUint32 } from '#wire/otlp/json-number.ts';
import { type JsonReader, NULL_FIELD, WrongValue } from '#wire/otlp/json-reader.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';
import { JaegerValueType } from './proto-value-type.ts';
import { RefType } from './references.ts';

/**
 * Turns `jaeger.api_v2.Span` in protobuf's JSON into its protobuf, so that one reader serves both. A message in JSON is one
 * span, which costs little either way.
 */
export class JaegerJsonTranscoder {
  readonly #reader: JsonReader;
  readonly #double = new DataView(new ArrayBuffer(8));

  constructor(reader: JsonReader) {
    this.#reader = reader;
  }

  /**
   * Protobuf of the span in `body`.
   * @throws {SpoorError} malformed
   */
  transcode(body: Uint8Array): Uint8Array<ArrayBuffer> {
    const reader = this.#reader;
    const writer = new ProtoWriter(body.length);
    reader.begin(body);
    try {
      this.#span(writer);
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      throw new SpoorError('malformed', `jaeger json: ${error.message}`, { cause: error });
    }
    reader.space();
    if (reader.position < body.length) reader.fail('text after the end of the span');
    return writer.toBytes();
  }

  #span(writer: ProtoWriter): void {
    const reader = this.#reader;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(SPAN);
      if (field === 1 || field === 2) this.#bytes(writer, field);
      else if (field === 3 || field === 11) this.#text(writer, field);
      else if (field === 4) this.#list(writer, field, () => this.#reference(writer));
      else if (field === 5) writer.uintField(field, readUint32(reader));
      else if (field === 6) this.#time(writer, field);
      else if (field === 7) this.#duration(writer, field);
      else if (field === 8) this.#list(writer, field, () => this.#keyValue(writer));
      else if (field === 9) this.#list(writer, field, () => this.#log(writer));
      else if (field === 10) {
        const at = writer.begin(field);
        this.#process(writer);
        writer.end(at);
      } else if (field === 12) {
        for (let some = reader.enterList(); some; some = reader.nextItem()) {
          this.#text(writer, field);
        }
      } else if (field !== NULL_FIELD) reader.unknown();
    }
  }

  #list(writer: ProtoWriter, field: number, item: () => void): void {
    const reader = this.#reader;
    for (let some = reader.enterList(); some; some = reader.nextItem()) {
      const at = writer.begin(field);
      item();
      writer.end(at);
    }
  }

  #reference(writer: ProtoWriter): void {
    const reader = this.#reader;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(REFERENCE);
      if (field === 1 || field === 2) this.#bytes(writer, field);
      else if (field === 3) writer.uintField(field, readEnum(reader, REF_TYPES));
      else if (field !== NULL_FIELD) reader.unknown();
    }
  }

  #log(writer: ProtoWriter): void {
    const reader = this.#reader;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(LOG);
      if (field === 1) this.#time(writer, field);
      else if (field === 2) this.#list(writer, field, () => this.#keyValue(writer));
      else if (field !== NULL_FIELD) reader.unknown();
    }
  }

  #process(writer: ProtoWriter): void {
    const reader = this.#reader;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(PROCESS);
      if (field === 1) this.#text(writer, field);
      else if (field === 2) this.#list(writer, field, () => this.#keyValue(writer));
      else if (field !== NULL_FIELD) reader.unknown();
    }
  }

  #keyValue(writer: ProtoWriter): void {
    const reader = this.#reader;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(KEY_VALUE);
      if (field === 1 || field === 3) this.#text(writer, field);
      else if (field === 2) writer.uintField(field, readEnum(reader, VALUE_TYPES));
      else if (field === 4) writer.uintField(field, reader.boolean() ? 1 : 0);
      else if (field === 5) {
        readInt64(reader);
        writer.varint(field * 8);
        writer.varint64(reader.lo, reader.hi);
      } else if (field === 6) {
        this.#double.setFloat64(0, readDouble(reader));
        writer.fixed64Field(field, this.#double.getUint32(4), this.#double.getUint32(0));
      } else if (field === 7) this.#bytes(writer, field);
      else if (field !== NULL_FIELD) reader.unknown();
    }
  }

  #text(writer: ProtoWriter, field: number): void {
    const reader = this.#reader;
    reader.string();
    writer.bytesField(field, reader.textBytes, reader.textStart, reader.textEnd);
  }

  #bytes(writer: ProtoWriter, field: number): void {
    const reader = this.#reader;
    const at = reader.position;
    reader.string();
    const bytes = decodeBase64(reader.textBytes, reader.textStart, reader.textEnd);
    writer.bytesField(field, bytes ?? reader.wrong('no base64', at));
  }

  #time(writer: ProtoWriter, field: number): void {
    const at = this.#reader.position;
    const match = this.#match(TIME);
    const unixMs = match === null ? NaN : Date.parse(`${match[1]}${match[3]}`);
    if (match === null || Number.isNaN(unixMs)) this.#reader.wrong('no time of RFC 3339', at);
    this.#seconds(writer, field, BigInt(unixMs / 1000), nanosOf(match[2]));
  }

  #duration(writer: ProtoWriter, field: number): void {
    const at = this.#reader.position;
    const match = this.#match(DURATION);
    if (match === null) this.#reader.wrong('no duration in seconds', at);
    const sign = match[1] === '-' ? -1 : 1;
    this.#seconds(writer, field, BigInt(sign) * BigInt(match[2]!), sign * nanosOf(match[3]));
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    const reader = this.#reader;
    reader.string();
    const { textBytes, textStart, textEnd } = reader;
    // No time is longer.
    const end = Math.min(textEnd, textStart + 64);
    return pattern.exec(decodeText(textBytes, textStart, end));
  }

  #seconds(writer: ProtoWriter, field: number, seconds: bigint, nanos: number): void {
    const at = writer.begin(field);
    const bits = BigInt.asUintN(64, seconds);
    writer.varint(8);
    writer.varint64(Number(bits & 0xffffffffn), Number(bits >> 32n));
    writer.varint(16);
    writer.varint64(nanos, nanos >> 31);
    writer.end(at);
  }
}

const TIME = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;
const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;

function nanosOf(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits.padEnd(9, '0'));
}

const SPAN = JsonFields.ofMessage({
  trace_id: 1,
  span_id: 2,
  operation_name: 3,
  references: 4,
  flags: 5,
  start_time: 6,
  duration: 7,
  tags: 8,
  logs: 9,
  process: 10,
  process_id: 11,
  warnings: 12,
});

const REFERENCE = JsonFields.ofMessage({ trace_id: 1, span_id: 2, ref_type: 3 });
const LOG = JsonFields.ofMessage({ timestamp: 1, fields: 2 });
const PROCESS = JsonFields.ofMessage({ service_name: 1, tags: 2 });
const KEY_VALUE = JsonFields.ofMessage({
  key: 1,
  v_type: 2,
  v_str: 3,
  v_bool: 4,
  v_int64: 5,
  v_float64: 6,
  v_binary: 7,
});

/** Names of enums, each with its number plus 1. */
const REF_TYPES = new JsonFields({
  CHILD_OF: 1 + RefType.childOf,
  FOLLOWS_FROM: 1 + RefType.followsFrom,
});
const VALUE_TYPES = new JsonFields({
  STRING: 1 + JaegerValueType.string,
  BOOL: 1 + JaegerValueType.bool,
  INT64: 1 + JaegerValueType.int64,
  FLOAT64: 1 + JaegerValueType.float64,
  BINARY: 1 + JaegerValueType.binary,
});
