// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import { ThriftCompactReader } from '#wire/thrift/compact-reader.ts';
import { skipThrift, ThriftType, type ThriftReader } from '#wire/thrift/thrift-reader.ts';
import type { JaegerTag } from './tag.ts';
import {
  readPlainBinaryTag,
  readPlainCompactTag,
  type PlainTagReader,
} from './thrift-plain-tag.ts';
import { TagType } from './thrift-tag-type.ts';

/** Reads Thrift's `Tag` structs. Their type may come after their value, so all values are kept until the end. */
export class ThriftTagReader {
  readonly #reader: ThriftReader;
  readonly #readPlain: PlainTagReader;
  readonly #double = new Uint8Array(8);

  constructor(reader: ThriftReader) {
    this.#reader = reader;
    this.#readPlain =
      reader instanceof ThriftCompactReader ? readPlainCompactTag : readPlainBinaryTag;
  }

  /** Reads the struct at the reader's position. A value that is missing is empty, zero or false. */
  read(tag: JaegerTag): void {
    const reader = this.#reader;
    const end = this.#readPlain(reader.bytes, reader.position, tag);
    if (end >= 0) reader.position = end;
    else this.#readAny(tag);
  }

  #readAny(tag: JaegerTag): void {
    const reader = this.#reader;
    tag.encodedStart = reader.position;
    tag.keyStart = tag.keyEnd = 0;
    let type: number = TagType.string;
    let textStart = 0;
    let textEnd = 0;
    let binaryStart = 0;
    let binaryEnd = 0;
    let bool = false;
    let lo = 0;
    let hi = 0;
    let hasDouble = false;
    for (let id = 0; ;) {
      const fieldType = reader.field(id);
      if (fieldType === ThriftType.stop) break;
      id = reader.fieldId;
      if (id === 1 && fieldType === ThriftType.string) {
        reader.string();
        tag.keyStart = reader.start;
        tag.keyEnd = reader.end;
      } else if (id === 2 && fieldType === ThriftType.i32) type = reader.i32();
      else if (id === 3 && fieldType === ThriftType.string) {
        reader.string();
        textStart = reader.start;
        textEnd = reader.end;
      } else if (id === 4 && fieldType === ThriftType.double) {
        reader.double(this.#double);
        hasDouble = true;
      } else if (id === 5 && fieldType === ThriftType.bool) bool = reader.bool();
      else if (id === 6 && fieldType === ThriftType.i64) {
        reader.i64();
        lo = reader.lo;
        hi = reader.hi;
      } else if (id === 7 && fieldType === ThriftType.string) {
        reader.string();
        binaryStart = reader.start;
        binaryEnd = reader.end;
      } else skipThrift(reader, fieldType);
    }
    tag.encodedEnd = reader.position;
    switch (type) {
      case TagType.string:
        tag.setRange(ValueType.string, textStart, textEnd);
        return;
      case TagType.double:
        if (!hasDouble) this.#double.fill(0);
        tag.setDouble(this.#double);
        return;
      case TagType.bool:
        tag.setBool(bool);
        return;
      case TagType.long:
        tag.set64(ValueType.int, lo, hi);
        return;
      case TagType.binary:
        tag.setRange(ValueType.bytes, binaryStart, binaryEnd);
        return;
      default:
        tag.setAbsent();
    }
  }
}
