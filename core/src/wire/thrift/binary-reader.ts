// SPDX-License-Identifier: Apache-2.0
import {
  checkCount,
  checkLeft,
  thriftError,
  ThriftType,
  type ThriftReader,
} from './thrift-reader.ts';

/** First half of a message in the strict form, with version 1. */
const STRICT_VERSION = 0x8001;

/**
 * Reads Thrift's binary protocol; messages in the strict and in the old form.
 * @see https://github.com/apache/thrift/blob/v0.22.0/doc/specs/thrift-binary-protocol.md
 */
export class ThriftBinaryReader implements ThriftReader {
  bytes: Uint8Array = EMPTY;
  position = 0;
  fieldId = 0;
  lo = 0;
  hi = 0;
  start = 0;
  end = 0;
  itemType = 0;
  keyType = 0;

  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.position = 0;
  }

  message(): number {
    const first = this.i32();
    if (first < 0) {
      if (first >>> 16 !== STRICT_VERSION) {
        this.fail(`version ${first >>> 16}, not ${STRICT_VERSION}`);
      }
      this.string();
      this.i32();
      return first & 255;
    }
    this.#range(first);
    const type = this.byte();
    this.i32();
    return type;
  }

  field(_lastId: number): number {
    const type = this.byte();
    if (type !== ThriftType.stop) this.fieldId = this.i16();
    return type;
  }

  bool(): boolean {
    return this.byte() !== 0;
  }

  byte(): number {
    if (this.position >= this.bytes.length) checkLeft(this, 1);
    return this.bytes[this.position++]!;
  }

  i16(): number {
    const { bytes, position } = this;
    if (position + 2 > bytes.length) checkLeft(this, 2);
    this.position = position + 2;
    return (((bytes[position]! << 8) | bytes[position + 1]!) << 16) >> 16;
  }

  i32(): number {
    const { bytes, position } = this;
    if (position + 4 > bytes.length) checkLeft(this, 4);
    this.position = position + 4;
    return (
      (bytes[position]! << 24) |
      (bytes[position + 1]! << 16) |
      (bytes[position + 2]! << 8) |
      bytes[position + 3]!
    );
  }

  i64(): void {
    if (this.position + 8 > this.bytes.length) checkLeft(this, 8);
    this.hi = this.i32() >>> 0;
    this.lo = this.i32() >>> 0;
  }

  double(target: Uint8Array): void {
    const { bytes, position } = this;
    if (position + 8 > bytes.length) checkLeft(this, 8);
    for (let i = 0; i < 8; i++) target[i] = bytes[position + 7 - i]!;
    this.position = position + 8;
  }

  string(): void {
    this.#range(this.i32());
  }

  list(): number {
    this.itemType = this.byte();
    const count = this.i32();
    checkCount(this, count, 1);
    return count;
  }

  map(): number {
    this.keyType = this.byte();
    this.itemType = this.byte();
    const count = this.i32();
    checkCount(this, count, 2);
    return count;
  }

  fail(what: string): never {
    throw thriftError('binary', what, this.position);
  }

  #range(length: number): void {
    checkCount(this, length, 1);
    this.start = this.position;
    this.position = this.end = this.start + length;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
