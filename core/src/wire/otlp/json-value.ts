// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';
import { MAX_VALUE_DEPTH, type ScannedValue, TooDeep, writeInt64 } from './canonical.ts';
import { decodeBase64 } from './json-base64.ts';
import { JsonFields } from './json-fields.ts';
import { readDouble, readInt64, readUint32 } from './json-number.ts';
import { type JsonReader, NULL_FIELD } from './json-reader.ts';

/**
 * Reads attribute values, resources and scopes of OTLP/JSON and gives them as protobuf: values as their canonical
 * bytes, resources and scopes as messages that `CanonicalWriter` takes.
 *
 * Results are valid until the next call.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/docs/specification.md#json-protobuf-encoding
 */
export class JsonValueReader {
  readonly #reader: JsonReader;
  readonly #writer = new ProtoWriter(1024);
  readonly #scalar = new Uint8Array(8);
  readonly #scalarView = new DataView(this.#scalar.buffer);

  constructor(reader: JsonReader) {
    this.#reader = reader;
  }

  /**
   * Reads the `AnyValue` at the reader's position. Where it names more than one value, the last one counts.
   * @throws {TooDeep} with the reader anywhere
   */
  scan(value: ScannedValue): void {
    const reader = this.#reader;
    value.type = ValueType.empty;
    value.bytes = this.#scalar;
    value.start = 0;
    value.end = 0;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(ANY_VALUE);
      if (field === ValueType.string) {
        reader.string();
        value.bytes = reader.textBytes;
        value.start = reader.textStart;
        value.end = reader.textEnd;
      } else if (field === ValueType.int) {
        readInt64(reader);
        writeInt64(this.#scalar, reader.lo, reader.hi);
        this.#whole(value, this.#scalar, 8);
      } else if (field === ValueType.bool) {
        this.#scalar[0] = reader.boolean() ? 1 : 0;
        this.#whole(value, this.#scalar, 1);
      } else if (field === ValueType.double) {
        this.#scalarView.setFloat64(0, readDouble(reader), true);
        this.#whole(value, this.#scalar, 8);
      } else if (field === ValueType.array || field === ValueType.kvlist) {
        this.#writer.reuse();
        this.#list(field === ValueType.kvlist, 1);
        this.#whole(value, this.#writer.bytes, this.#writer.length);
      } else if (field === ValueType.bytes) {
        const bytes = this.#base64();
        this.#whole(value, bytes, bytes.length);
      } else {
        if (field !== NULL_FIELD) reader.unknown();
        continue;
      }
      // One of 1 to 7, by the branches.
      value.type = field as ValueType;
    }
  }

  /**
   * Reads the `Resource` at the reader's position.
   * @throws {TooDeep} with the reader anywhere
   */
  resource(): Uint8Array {
    const reader = this.#reader;
    const writer = this.#writer;
    writer.reuse();
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(RESOURCE);
      if (field === 1) this.#attributes(1);
      else if (field === 2) this.#uint32(2);
      else if (field === 3) {
        for (let some = reader.enterList(); some; some = reader.nextItem()) this.#entityRef();
      } else if (field !== NULL_FIELD) reader.unknown();
    }
    return writer.toBytes();
  }

  /**
   * Reads the `InstrumentationScope` at the reader's position.
   * @throws {TooDeep} with the reader anywhere
   */
  scope(): Uint8Array {
    const reader = this.#reader;
    const writer = this.#writer;
    writer.reuse();
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(SCOPE);
      if (field === 1 || field === 2) {
        reader.string();
        this.#text(field);
      } else if (field === 3) this.#attributes(3);
      else if (field === 4) this.#uint32(4);
      else if (field !== NULL_FIELD) reader.unknown();
    }
    return writer.toBytes();
  }

  #whole(value: ScannedValue, bytes: Uint8Array, length: number): void {
    value.bytes = bytes;
    value.start = 0;
    value.end = length;
  }

  #attributes(field: number): void {
    const reader = this.#reader;
    for (let more = reader.enterList(); more; more = reader.nextItem()) {
      const at = this.#writer.begin(field);
      this.#keyValue(1);
      this.#writer.end(at);
    }
  }

  /** A uint32, written even when it is 0: the last one of the same field counts. */
  #uint32(field: number): void {
    const value = readUint32(this.#reader);
    this.#writer.varint(field * 8);
    this.#writer.varint(value);
  }

  #entityRef(): void {
    const reader = this.#reader;
    const at = this.#writer.begin(3);
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(ENTITY_REF);
      if (field === 1 || field === 2) {
        reader.string();
        this.#text(field);
      } else if (field === 3 || field === 4) {
        for (let some = reader.enterList(); some; some = reader.nextItem()) {
          reader.string();
          this.#text(field);
        }
      } else if (field !== NULL_FIELD) reader.unknown();
    }
    this.#writer.end(at);
  }

  /** Writes the reader's text as a field, even when it is empty. */
  #text(field: number): void {
    const { textBytes, textStart, textEnd } = this.#reader;
    this.#writer.textField(field, textBytes, textStart, textEnd);
  }

  /** Writes the items of the `ArrayValue` or `KeyValueList` at the position. */
  #list(keyed: boolean, depth: number): void {
    if (depth > MAX_VALUE_DEPTH) throw new TooDeep();
    const reader = this.#reader;
    const writer = this.#writer;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(VALUE_LIST);
      if (field !== 1) {
        if (field !== NULL_FIELD) reader.unknown();
        continue;
      }
      for (let some = reader.enterList(); some; some = reader.nextItem()) {
        const at = writer.begin(1);
        if (keyed) this.#keyValue(depth);
        else this.#value(depth);
        writer.end(at);
      }
    }
  }

  /** Writes a `KeyValue`, key first whatever the order in the text. */
  #keyValue(depth: number): void {
    const reader = this.#reader;
    const writer = this.#writer;
    const start = writer.length;
    let valueStart = start;
    let key = EMPTY;
    let keyStart = 0;
    let keyEnd = 0;
    let keyIsWritten = true;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(KEY_VALUE);
      if (field === 1) {
        reader.string();
        key = reader.textBytes;
        keyStart = reader.textStart;
        keyEnd = reader.textEnd;
        keyIsWritten = false;
      } else if (field === 2) {
        writer.length = start;
        if (keyEnd > keyStart) writer.textField(1, key, keyStart, keyEnd);
        keyIsWritten = true;
        valueStart = writer.length;
        const at = writer.begin(2);
        this.#value(depth);
        writer.end(at);
      } else if (field !== NULL_FIELD) reader.unknown();
    }
    if (keyIsWritten) return;
    const value = writer.bytes.slice(valueStart, writer.length);
    writer.length = start;
    if (keyEnd > keyStart) writer.textField(1, key, keyStart, keyEnd);
    writer.raw(value);
  }

  /** Writes an `AnyValue` inside a list. */
  #value(depth: number): void {
    const reader = this.#reader;
    const writer = this.#writer;
    const start = writer.length;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(ANY_VALUE);
      if (field === NULL_FIELD) continue;
      if (field === 0) {
        reader.unknown();
        continue;
      }
      writer.length = start;
      if (field === ValueType.string) {
        reader.string();
        this.#text(ValueType.string);
      } else if (field === ValueType.bool) {
        writer.varint(ValueType.bool * 8);
        writer.varint(reader.boolean() ? 1 : 0);
      } else if (field === ValueType.int) {
        readInt64(reader);
        writer.varint(ValueType.int * 8);
        writer.varint64(reader.lo, reader.hi);
      } else if (field === ValueType.double) {
        this.#scalarView.setFloat64(0, readDouble(reader), true);
        writer.varint(ValueType.double * 8 + 1);
        writer.raw(this.#scalar);
      } else if (field === ValueType.bytes) {
        writer.bytesField(ValueType.bytes, this.#base64());
      } else {
        const at = writer.begin(field);
        this.#list(field === ValueType.kvlist, depth + 1);
        writer.end(at);
      }
    }
  }

  #base64(): Uint8Array {
    const reader = this.#reader;
    const at = reader.position;
    reader.string();
    const bytes = decodeBase64(reader.textBytes, reader.textStart, reader.textEnd);
    return bytes ?? reader.wrong('no base64', at);
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** `KeyValue`, which spans, events and links have as well. */
export const KEY_VALUE = JsonFields.ofMessage({ key: 1, value: 2 });

const ANY_VALUE = JsonFields.ofMessage({
  string_value: ValueType.string,
  bool_value: ValueType.bool,
  int_value: ValueType.int,
  double_value: ValueType.double,
  array_value: ValueType.array,
  kvlist_value: ValueType.kvlist,
  bytes_value: ValueType.bytes,
});

/** `ArrayValue` and `KeyValueList`. */
const VALUE_LIST = JsonFields.ofMessage({ values: 1 });

const RESOURCE = JsonFields.ofMessage({
  attributes: 1,
  dropped_attributes_count: 2,
  entity_refs: 3,
});

const SCOPE = JsonFields.ofMessage({
  name: 1,
  version: 2,
  attributes: 3,
  dropped_attributes_count: 4,
});

const ENTITY_REF = JsonFields.ofMessage({
  schema_url: 1,
  type: 2,
  id_keys: 3,
  description_keys: 4,
});
