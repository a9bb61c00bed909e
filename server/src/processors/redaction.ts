// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '@spoor/core/model/attributes.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { RegexFinder } from '@spoor/core/query/regex/regex-finder.ts';
import { ProtoReader } from '@spoor/core/wire/protobuf/reader.ts';
import { ProtoWriter } from '@spoor/core/wire/protobuf/writer.ts';
import type { ValueChange } from './attribute-slot.ts';

/** Tags of what stands in lists: an element, the key and the value of one that has a key. */
const ELEMENT = 1;
const KEY = 1;
const VALUE = 2;

/** Puts a text in place of what a pattern matches, in texts and in the texts of lists, but not in keys. */
export class Redaction implements ValueChange {
  readonly #finder: RegexFinder;
  readonly #mask: Uint8Array;

  /** @throws {SpoorError} invalid_argument */
  constructor(pattern: string, mask: string) {
    this.#finder = new RegexFinder(pattern);
    this.#mask = encodeText(mask);
  }

  typeAfter(type: ValueType): ValueType | undefined {
    return type === ValueType.string || isList(type) ? type : undefined;
  }

  /** Whether there is something to hide in a text. */
  isIn(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#finder.isIn(bytes, start, end);
  }

  change(type: ValueType, bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (type === ValueType.string) return this.#text(bytes, start, end);
    const writer = new ProtoWriter(end - start);
    this.#list(type, new ProtoReader('value', bytes), start, end, writer);
    return writer.toBytes();
  }

  #text(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const ranges = this.#finder.findAll(bytes, start, end);
    if (ranges.length === 0) return bytes.subarray(start, end);
    const writer = new ProtoWriter(end - start);
    let at = start;
    for (let i = 0; i < ranges.length; i += 2) {
      writer.raw(bytes, at, ranges[i]!);
      writer.raw(this.#mask);
      at = ranges[i + 1]!;
    }
    writer.raw(bytes, at, end);
    return writer.toBytes();
  }

  /** Copies the canonical elements of an array or key-value list. Their depth was bounded when they were decoded. */
  #list(
    type: ValueType,
    reader: ProtoReader,
    start: number,
    end: number,
    writer: ProtoWriter,
  ): void {
    reader.position = start;
    while (reader.position < end) {
      reader.tag(end);
      const elementEnd = reader.length(end) + reader.position;
      const element = writer.begin(ELEMENT);
      if (type === ValueType.array) this.#value(reader, elementEnd, writer);
      else {
        while (reader.position < elementEnd) {
          const tag = reader.tag(elementEnd);
          const fieldEnd = reader.length(elementEnd) + reader.position;
          if (tag >>> 3 === KEY) {
            writer.bytesField(KEY, reader.bytes, reader.position, fieldEnd);
          } else {
            const value = writer.begin(VALUE);
            this.#value(reader, fieldEnd, writer);
            writer.end(value);
          }
          reader.position = fieldEnd;
        }
      }
      writer.end(element);
      reader.position = elementEnd;
    }
  }

  /** Copies the fields of a canonical `AnyValue`. */
  #value(reader: ProtoReader, end: number, writer: ProtoWriter): void {
    const start = reader.position;
    if (start === end) return;
    const { bytes } = reader;
    // The numbers of the fields are those of the types.
    const type = (reader.tag(end) >>> 3) as ValueType;
    if (type === ValueType.string) {
      const textEnd = reader.length(end) + reader.position;
      writer.bytesField(type, this.#text(bytes, reader.position, textEnd));
    } else if (isList(type)) {
      const listEnd = reader.length(end) + reader.position;
      const list = writer.begin(type);
      this.#list(type, reader, reader.position, listEnd, writer);
      writer.end(list);
    } else {
      writer.raw(bytes, start, end);
    }
    reader.position = end;
  }
}

function isList(type: ValueType): boolean {
  return type === ValueType.array || type === ValueType.kvlist;
}
