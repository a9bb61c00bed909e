// SPDX-License-Identifier: Apache-2.0
import {
  checkCount,
  checkLeft,
  thriftError,
  ThriftType,
  type ThriftReader,
} from './thrift-reader.ts';

const PROTOCOL_ID = 0x82;
const VERSION = 1;

/** Types of this protocol; true and false are one for a field each, whose value they are. */
const TRUE = 1;
const FALSE = 2;
const TYPES: readonly number[] = [
  ThriftType.stop,
  ThriftType.bool,
  ThriftType.bool,
  ThriftType.byte,
  ThriftType.i16,
  ThriftType.i32,
  ThriftType.i64,
  ThriftType.double,
  ThriftType.string,
  ThriftType.list,
  ThriftType.set,
  ThriftType.map,
  ThriftType.struct,
  ThriftType.uuid,
];

/**
 * Reads Thrift's compact protocol. Its doubles are little endian, as all its libraries have them.
 * @see https://github.com/apache/thrift/blob/v0.22.0/doc/specs/thrift-compact-protocol.md
 */
export class ThriftCompactReader implements ThriftReader {
  bytes: Uint8Array = EMPTY;
  position = 0;
  fieldId = 0;
  lo = 0;
  hi = 0;
  start = 0;
  end = 0;
  itemType = 0;
  keyType = 0;
  /** Type of the bool field under way, which is its value; 0 when the next bool is a byte of its own. */
  #boolField = 0;

  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.position = 0;
    this.#boolField = 0;
  }

  message(): number {
    const id = this.byte();
    if (id !== PROTOCOL_ID) this.fail(`protocol ${id}, not ${PROTOCOL_ID}`);
    const versionAndType = this.byte();
    const version = versionAndType & 31;
    if (version !== VERSION) this.fail(`version ${version}, not ${VERSION}`);
    this.#varint32();
    this.string();
    return versionAndType >>> 5;
  }

  field(lastId: number): number {
    const { bytes, position } = this;
    if (position >= bytes.length) checkLeft(this, 1);
    const header = bytes[position]!;
    this.position = position + 1;
    this.#boolField = 0;
    const type = header & 15;
    if (type === ThriftType.stop) return type;
    this.fieldId = header < 16 ? this.i16() : lastId + (header >>> 4);
    if (type <= FALSE) this.#boolField = type;
    return this.#type(type);
  }

  bool(): boolean {
    if (this.#boolField === 0) return this.byte() === TRUE;
    const value = this.#boolField === TRUE;
    this.#boolField = 0;
    return value;
  }

  byte(): number {
    if (this.position >= this.bytes.length) checkLeft(this, 1);
    return this.bytes[this.position++]!;
  }

  i16(): number {
    return (this.i32() << 16) >> 16;
  }

  i32(): number {
    const zigzag = this.#varint32();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  i64(): void {
    const bytes = this.bytes;
    let at = this.position;
    let lo = 0;
    let hi = 0;
    let byte = 0;
    // Past the end there are undefined bytes, which count as 0 and are found out below.
    number: {
      lo = (byte = bytes[at++]!) & 127;
      if (byte < 128) break number;
      lo |= ((byte = bytes[at++]!) & 127) << 7;
      if (byte < 128) break number;
      lo |= ((byte = bytes[at++]!) & 127) << 14;
      if (byte < 128) break number;
      lo |= ((byte = bytes[at++]!) & 127) << 21;
      if (byte < 128) break number;
      lo |= (byte = bytes[at++]!) << 28;
      hi = (byte & 127) >>> 4;
      if (byte < 128) break number;
      hi |= ((byte = bytes[at++]!) & 127) << 3;
      if (byte < 128) break number;
      hi |= ((byte = bytes[at++]!) & 127) << 10;
      if (byte < 128) break number;
      hi |= ((byte = bytes[at++]!) & 127) << 17;
      if (byte < 128) break number;
      hi |= ((byte = bytes[at++]!) & 127) << 24;
      if (byte < 128) break number;
      hi |= (byte = bytes[at++]!) << 31;
      if (byte >= 128) this.fail('a number of more than 10 bytes');
    }
    if (at > bytes.length) checkLeft(this, at - this.position);
    this.position = at;
    const sign = -(lo & 1);
    this.lo = (((lo >>> 1) | (hi << 31)) ^ sign) >>> 0;
    this.hi = ((hi >>> 1) ^ sign) >>> 0;
  }

  double(target: Uint8Array): void {
    const { bytes, position } = this;
    if (position + 8 > bytes.length) checkLeft(this, 8);
    for (let i = 0; i < 8; i++) target[i] = bytes[position + i]!;
    this.position = position + 8;
  }

  string(): void {
    const length = this.#varint32();
    checkCount(this, length, 1);
    this.start = this.position;
    this.position = this.end = this.start + length;
  }

  list(): number {
    const header = this.byte();
    const count = header >>> 4 === 15 ? this.#varint32() : header >>> 4;
    checkCount(this, count, 1);
    this.itemType = this.#type(header & 15);
    return count;
  }

  map(): number {
    const count = this.#varint32();
    if (count === 0) return 0;
    const types = this.byte();
    this.keyType = this.#type(types >>> 4);
    this.itemType = this.#type(types & 15);
    checkCount(this, count, 2);
    return count;
  }

  fail(what: string): never {
    throw thriftError('compact', what, this.position);
  }

  #type(type: number): number {
    return TYPES[type] ?? this.fail(`type ${type}`);
  }

  /** 32 bits of a varint, signed. */
  #varint32(): number {
    const { bytes, position } = this;
    const first = bytes[position]!;
    if (first < 128) {
      this.position = position + 1;
      return first;
    }
    let at = position;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= bytes.length) checkLeft(this, at + 1 - position);
      const byte = bytes[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) {
        this.position = at;
        return value;
      }
    }
    return this.fail('a number of more than 5 bytes');
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
