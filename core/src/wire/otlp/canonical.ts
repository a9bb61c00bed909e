// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import { checkSymbolSize } from '#model/symbol-size.ts';
import { isValidUtf8, toValidUtf8 } from '#model/utf8.ts';
import { ProtoReader, WireType } from '#wire/protobuf/reader.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';

/**
 * Attribute values may be nested this deep; a span with deeper ones is dropped. protobuf libraries stop at
 * 100 messages, and each level of a list takes two or three.
 */
export const MAX_VALUE_DEPTH = 32;

/** One attribute value, as found in the bytes of a request. */
export interface ScannedValue {
  type: ValueType;
  /** Canonical bytes are `bytes[start, end)`. */
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** Thrown inside the canonical writer where values are nested deeper than {@link MAX_VALUE_DEPTH}. */
export class TooDeep extends Error {}

/**
 * Turns protobuf messages as senders wrote them (fields in any order, numbers in any length) into the one form in
 * which equal content is equal bytes: known fields in ascending order, minimal numbers, valid UTF-8.
 *
 * One instance serves one decoder; results are valid until the next call.
 */
export class CanonicalWriter {
  /** Fields of the specification that this version does not know, seen so far. */
  unknownFields = 0;
  readonly #writer = new ProtoWriter(1024);
  readonly #scalar = new Uint8Array(8);

  /**
   * Reads the `AnyValue` in `[reader.position, end)` into `value`.
   * @throws {SpoorError} malformed
   * @throws {TooDeep} with the reader anywhere
   */
  scanValue(reader: ProtoReader, end: number, value: ScannedValue): void {
    value.type = ValueType.empty;
    value.bytes = this.#scalar;
    value.start = 0;
    value.end = 0;
    let nestedStart = 0;
    let nestedEnd = 0;
    let merged: MessageParts | undefined;
    while (reader.position < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      if (field === ValueType.string || field === ValueType.bytes) {
        reader.expect(tag, WireType.bytes);
        const length = reader.length(end);
        value.bytes = reader.bytes;
        value.start = reader.position;
        value.end = reader.position += length;
      } else if (field === ValueType.bool) {
        reader.expect(tag, WireType.varint);
        reader.varint64(end);
        this.#scalar[0] = reader.lo === 0 && reader.hi === 0 ? 0 : 1;
        this.#scalarValue(value, 1);
      } else if (field === ValueType.int) {
        reader.expect(tag, WireType.varint);
        reader.varint64(end);
        writeInt64(this.#scalar, reader.lo, reader.hi);
        this.#scalarValue(value, 8);
      } else if (field === ValueType.double) {
        reader.expect(tag, WireType.fixed64);
        reader.fixed64(end);
        writeInt64(this.#scalar, reader.lo, reader.hi);
        this.#scalarValue(value, 8);
      } else if (field === ValueType.array || field === ValueType.kvlist) {
        reader.expect(tag, WireType.bytes);
        const length = reader.length(end);
        const start = reader.position;
        reader.position += length;
        if (value.type === field) {
          merged ??= new MessageParts(reader.bytes.subarray(nestedStart, nestedEnd));
          merged.add(reader.bytes.subarray(start, start + length));
        } else merged = undefined;
        nestedStart = start;
        nestedEnd = start + length;
      } else {
        this.unknownFields++;
        reader.skip(tag, end);
        continue;
      }
      // 1 to 7, checked by the branches.
      value.type = field as ValueType;
    }
    if (value.type === ValueType.array || value.type === ValueType.kvlist) {
      const list = value.type === ValueType.kvlist;
      this.#writer.reuse();
      const whole = merged?.bytes;
      const nested = whole === undefined ? reader : new ProtoReader('otlp', whole);
      const after = reader.position;
      nested.position = whole === undefined ? nestedStart : 0;
      this.#list(nested, whole === undefined ? nestedEnd : whole.length, list, 1);
      reader.position = after;
      value.bytes = this.#writer.bytes;
      value.start = 0;
      value.end = this.#writer.length;
    }
  }

  /**
   * Canonical bytes of a `ResourceSpans` without scope spans.
   * @param resource bytes of the `Resource`; undefined when it was not sent
   */
  resourceSymbol(resource: Uint8Array | undefined, schemaUrl: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#symbol(resource, schemaUrl, (reader, writer) => {
      const end = reader.bytes.length;
      const attributes: [number, number][] = [];
      const entities: [number, number][] = [];
      let dropped = 0;
      while (reader.position < end) {
        const tag = reader.tag(end);
        if (tag === 10 || tag === 26) {
          const length = reader.length(end);
          const at = reader.position;
          (tag === 10 ? attributes : entities).push([at, at + length]);
          reader.position += length;
        } else if (tag === 16) dropped = reader.varint32(end);
        else this.#unknown(reader, tag, end, 3);
      }
      this.#attributes(reader, attributes, 1);
      writer.uintField(2, dropped);
      for (const [start, stop] of entities) this.#entityRef(reader, start, stop);
    });
  }

  /**
   * Canonical bytes of a `ScopeSpans` without spans.
   * @param scope bytes of the `InstrumentationScope`; undefined when it was not sent
   */
  scopeSymbol(scope: Uint8Array | undefined, schemaUrl: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#symbol(scope, schemaUrl, (reader, writer) => {
      const end = reader.bytes.length;
      const attributes: [number, number][] = [];
      let name = EMPTY;
      let version = EMPTY;
      let dropped = 0;
      while (reader.position < end) {
        const tag = reader.tag(end);
        if (tag === 10) name = text(reader, end);
        else if (tag === 18) version = text(reader, end);
        else if (tag === 26) {
          const length = reader.length(end);
          attributes.push([reader.position, reader.position + length]);
          reader.position += length;
        } else if (tag === 32) dropped = reader.varint32(end);
        else this.#unknown(reader, tag, end, 4);
      }
      textField(writer, 1, name);
      textField(writer, 2, version);
      this.#attributes(reader, attributes, 3);
      writer.uintField(4, dropped);
    });
  }

  #symbol(
    message: Uint8Array | undefined,
    schemaUrl: Uint8Array,
    write: (reader: ProtoReader, writer: ProtoWriter) => void,
  ): Uint8Array<ArrayBuffer> {
    const writer = this.#writer;
    writer.reuse();
    checkSymbolSize((message?.length ?? 0) + schemaUrl.length);
    if (message !== undefined) {
      const start = writer.begin(1);
      write(new ProtoReader('otlp', message), writer);
      writer.end(start);
    }
    textField(writer, 3, valid(schemaUrl));
    // Each byte that is not UTF-8 has become three.
    checkSymbolSize(writer.length);
    return writer.toBytes();
  }

  #attributes(reader: ProtoReader, ranges: readonly [number, number][], field: number): void {
    for (const [start, end] of ranges) {
      reader.position = start;
      const at = this.#writer.begin(field);
      this.#keyValue(reader, end, 1);
      this.#writer.end(at);
    }
  }

  /** `EntityRef`: schema_url, type, id_keys, description_keys. */
  #entityRef(reader: ProtoReader, start: number, end: number): void {
    const single: Uint8Array[] = [EMPTY, EMPTY];
    const lists: [Uint8Array[], Uint8Array[]] = [[], []];
    reader.position = start;
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag === 10 || tag === 18) single[(tag >>> 3) - 1] = text(reader, end);
      else if (tag === 26 || tag === 34) lists[tag === 26 ? 0 : 1].push(text(reader, end));
      else this.#unknown(reader, tag, end, 4);
    }
    const at = this.#writer.begin(3);
    textField(this.#writer, 1, single[0]!);
    textField(this.#writer, 2, single[1]!);
    for (const key of lists[0]) this.#writer.bytesField(3, key);
    for (const key of lists[1]) this.#writer.bytesField(4, key);
    this.#writer.end(at);
  }

  /** The values of an `ArrayValue` or `KeyValueList`. */
  #list(reader: ProtoReader, end: number, keyed: boolean, depth: number): void {
    if (depth > MAX_VALUE_DEPTH) throw new TooDeep();
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag !== 10) {
        this.#unknown(reader, tag, end, 1);
        continue;
      }
      const length = reader.length(end);
      const stop = reader.position + length;
      const at = this.#writer.begin(1);
      if (keyed) this.#keyValue(reader, stop, depth);
      else this.#value(reader, stop, depth);
      this.#writer.end(at);
    }
  }

  #keyValue(reader: ProtoReader, end: number, depth: number): void {
    let key = EMPTY;
    let parts: MessageParts | undefined;
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag === 10) key = text(reader, end);
      else if (tag === 18) {
        const length = reader.length(end);
        parts = MessageParts.join(
          parts,
          reader.bytes.subarray(reader.position, reader.position + length),
        );
        reader.position += length;
      } else this.#unknown(reader, tag, end, 2);
    }
    textField(this.#writer, 1, key);
    if (parts !== undefined) {
      const value = parts.bytes;
      const at = this.#writer.begin(2);
      this.#value(new ProtoReader('otlp', value), value.length, depth);
      this.#writer.end(at);
    }
    reader.position = end;
  }

  /** An `AnyValue` inside a list: the last of its values, of a message type merged. */
  #value(reader: ProtoReader, end: number, depth: number): void {
    let last = 0;
    let start = 0;
    let stop = 0;
    let merged: MessageParts | undefined;
    while (reader.position < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      if (field < 1 || field > 7) {
        this.#unknown(reader, tag, end, 7);
        continue;
      }
      reader.expect(tag, VALUE_WIRE_TYPES[field]!);
      const at = reader.position;
      reader.skip(tag, end);
      const isList = field === ValueType.array || field === ValueType.kvlist;
      let from = at;
      if ((tag & 7) === WireType.bytes) {
        const resume = reader.position;
        reader.position = at;
        reader.length(end);
        from = reader.position;
        reader.position = resume;
      }
      const part = reader.bytes.subarray(from, reader.position);
      if (isList && last === field) {
        merged ??= new MessageParts(reader.bytes.subarray(start, stop));
        merged.add(part);
      } else merged = undefined;
      last = field;
      start = from;
      stop = reader.position;
    }
    if (last === 0) return;
    const writer = this.#writer;
    const whole = merged?.bytes;
    const source = whole === undefined ? reader : new ProtoReader('otlp', whole);
    const limit = whole === undefined ? stop : whole.length;
    source.position = whole === undefined ? start : 0;
    if (last === ValueType.array || last === ValueType.kvlist) {
      const at = writer.begin(last);
      this.#list(source, limit, last === ValueType.kvlist, depth + 1);
      writer.end(at);
    } else if (last === ValueType.string) {
      writer.textField(last, source.bytes, start, stop);
    } else if (last === ValueType.bytes) {
      writer.bytesField(last, source.bytes, start, stop);
    } else if (last === ValueType.double) {
      writer.varint(last * 8 + WireType.fixed64);
      writer.raw(source.bytes, start, stop);
    } else {
      source.varint64(limit);
      writer.varint(last * 8);
      if (last === ValueType.bool) writer.varint(source.lo === 0 && source.hi === 0 ? 0 : 1);
      else writer.varint64(source.lo, source.hi);
    }
    reader.position = end;
  }

  /** Passes over an unknown field; a known one gets here only by a wrong wire type. */
  #unknown(reader: ProtoReader, tag: number, end: number, lastKnownField: number): void {
    if (tag >>> 3 <= lastKnownField) {
      reader.fail(`field ${tag >>> 3} has wire type ${tag & 7}`);
    }
    this.unknownFields++;
    reader.skip(tag, end);
  }

  #scalarValue(value: ScannedValue, length: number): void {
    value.bytes = this.#scalar;
    value.start = 0;
    value.end = length;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** Wire type of each field of `AnyValue`. */
const VALUE_WIRE_TYPES: readonly number[] = [0, 2, 0, 0, 1, 2, 2, 2];

/** Writes a 64-bit number, little endian. */
export function writeInt64(target: Uint8Array, lo: number, hi: number): void {
  for (let i = 0; i < 4; i++) {
    target[i] = (lo >>> (8 * i)) & 255;
    target[i + 4] = (hi >>> (8 * i)) & 255;
  }
}

function text(reader: ProtoReader, end: number): Uint8Array {
  const length = reader.length(end);
  const start = reader.position;
  reader.position += length;
  return valid(reader.bytes.subarray(start, start + length));
}

function valid(bytes: Uint8Array): Uint8Array {
  return isValidUtf8(bytes, 0, bytes.length) ? bytes : toValidUtf8(bytes);
}

function textField(writer: ProtoWriter, field: number, bytes: Uint8Array): void {
  if (bytes.length > 0) writer.bytesField(field, bytes);
}

/**
 * Parts of a message field that comes more than once. Protobuf merges them, which is the same as reading their bytes one
 * after the other.
 */
export class MessageParts {
  readonly #first: Uint8Array;
  /** All parts, once there are two; it grows by doubling, so that very many parts cost no more than their bytes. */
  #all: ProtoWriter | undefined;

  constructor(first: Uint8Array) {
    this.#first = first;
  }

  /** The parts with one more. */
  static join(parts: MessageParts | undefined, part: Uint8Array): MessageParts {
    if (parts === undefined) return new MessageParts(part);
    parts.add(part);
    return parts;
  }

  add(part: Uint8Array): void {
    if (this.#all === undefined) {
      this.#all = new ProtoWriter(2 * (this.#first.length + part.length));
      this.#all.raw(this.#first);
    }
    this.#all.raw(part);
  }

  /** The merged message; valid until the next `add`. */
  get bytes(): Uint8Array {
    return this.#all === undefined ? this.#first : this.#all.bytes.subarray(0, this.#all.length);
  }
}
