// SPDX-License-Identifier: Apache-2.0
import { ThriftType } from './thrift-reader.ts';
import type { ThriftWriter } from './thrift-writer.ts';

/** The first half of a message's first word. */
const STRICT_VERSION = 0x8001;

/**
 * Writes Thrift's binary protocol into a growing buffer.
 * @see https://github.com/apache/thrift/blob/v0.22.0/doc/specs/thrift-binary-protocol.md
 */
export class ThriftBinaryWriter implements ThriftWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  message(name: Uint8Array, type: number): void {
    this.i32((STRICT_VERSION << 16) | type);
    this.string(name);
    this.i32(0);
  }

  /** Nothing in this protocol says that a struct begins. */
  struct(): void {}

  stop(): void {
    this.#byte(ThriftType.stop);
  }

  field(type: number, id: number): void {
    this.#byte(type);
    this.i16(id);
  }

  boolField(id: number, value: boolean): void {
    this.field(ThriftType.bool, id);
    this.#byte(value ? 1 : 0);
  }

  list(itemType: number, count: number): void {
    this.#byte(itemType);
    this.i32(count);
  }

  i16(value: number): void {
    this.#reserve(2);
    this.#view.setInt16(this.#length, value);
    this.#length += 2;
  }

  i32(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#length, value);
    this.#length += 4;
  }

  i64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#length, value);
    this.#length += 8;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  string(bytes: Uint8Array): void {
    this.i32(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
