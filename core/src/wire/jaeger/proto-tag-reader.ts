// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import { passUnknown } from '#wire/mapping/proto-fields.ts';
import type { ProtoReader } from '#wire/protobuf/reader.ts';
import { JaegerValueType } from './proto-value-type.ts';
import type { JaegerTag } from './tag.ts';

/** Reads `KeyValue` messages. Their type may come after their value, so all values are kept until the end. */
export class ProtoTagReader {
  readonly #reader: ProtoReader;

  constructor(reader: ProtoReader) {
    this.#reader = reader;
  }

  /** Reads the message in `[reader.position, end)`. A value that is missing is empty, zero or false. */
  read(tag: JaegerTag, end: number): void {
    const reader = this.#reader;
    tag.encodedStart = tag.encodedEnd = 0;
    tag.keyStart = tag.keyEnd = 0;
    let type: number = JaegerValueType.string;
    let textStart = 0;
    let textEnd = 0;
    let binaryStart = 0;
    let binaryEnd = 0;
    let bool = false;
    let intLo = 0;
    let intHi = 0;
    let doubleLo = 0;
    let doubleHi = 0;
    while (reader.position < end) {
      const field = reader.tag(end);
      switch (field) {
        case 10:
          tag.keyEnd = reader.length(end);
          tag.keyStart = reader.position;
          reader.position = tag.keyEnd += tag.keyStart;
          break;
        case 16:
          type = reader.varint32(end);
          break;
        case 26:
          textEnd = reader.length(end);
          textStart = reader.position;
          reader.position = textEnd += textStart;
          break;
        case 32:
          reader.varint64(end);
          bool = reader.lo !== 0 || reader.hi !== 0;
          break;
        case 40:
          reader.varint64(end);
          intLo = reader.lo;
          intHi = reader.hi;
          break;
        case 49:
          reader.fixed64(end);
          doubleLo = reader.lo;
          doubleHi = reader.hi;
          break;
        case 58:
          binaryEnd = reader.length(end);
          binaryStart = reader.position;
          reader.position = binaryEnd += binaryStart;
          break;
        default:
          passUnknown(reader, field, end, 7);
      }
    }
    switch (type) {
      case JaegerValueType.string:
        tag.setRange(ValueType.string, textStart, textEnd);
        return;
      case JaegerValueType.bool:
        tag.setBool(bool);
        return;
      case JaegerValueType.int64:
        tag.set64(ValueType.int, intLo, intHi);
        return;
      case JaegerValueType.float64:
        tag.set64(ValueType.double, doubleLo, doubleHi);
        return;
      case JaegerValueType.binary:
        tag.setRange(ValueType.bytes, binaryStart, binaryEnd);
        return;
      default:
        tag.setAbsent();
    }
  }
}
