// SPDX-License-Identifier: Apache-2.0
import { ProtoWriter } from '#wire/protobuf/writer.ts';
import { ThriftType } from './thrift-reader.ts';
import type { ThriftWriter } from './thrift-writer.ts';

const PROTOCOL_ID = 0x82;
const VERSION = 1;

/** Numbers of the types in this protocol; a bool in a field has two, which are its value. */
const TYPES: Readonly<Record<number, number>> = {
  [ThriftType.byte]: 3,
  [ThriftType.i16]: 4,
  [ThriftType.i32]: 5,
  [ThriftType.i64]: 6,
  [ThriftType.double]: 7,
  [ThriftType.string]: 8,
  [ThriftType.list]: 9,
  [ThriftType.set]: 10,
  [ThriftType.map]: 11,
  [ThriftType.struct]: 12,
};
const TRUE = 1;
const FALSE = 2;

/**
 * Writes Thrift's compact protocol, whose varints are those of protobuf.
 * @see https://github.com/apache/thrift/blob/v0.22.0/doc/specs/thrift-compact-protocol.md
 */
export class ThriftCompactWriter implements ThriftWriter {
  readonly #writer = new ProtoWriter(1024);
  readonly #double = new DataView(new ArrayBuffer(8));
  /** Ids of the last fields of the structs around the one under way. */
  readonly #outerIds: number[] = [];
  #lastId = 0;

  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#writer.toBytes();
  }

  message(name: Uint8Array, type: number): void {
    this.#byte(PROTOCOL_ID);
    this.#byte((type << 5) | VERSION);
    this.#byte(0);
    this.string(name);
  }

  struct(): void {
    this.#outerIds.push(this.#lastId);
    this.#lastId = 0;
  }

  stop(): void {
    this.#byte(ThriftType.stop);
    this.#lastId = this.#outerIds.pop() ?? 0;
  }

  field(type: number, id: number): void {
    this.#head(TYPES[type]!, id);
  }

  boolField(id: number, value: boolean): void {
    this.#head(value ? TRUE : FALSE, id);
  }

  list(itemType: number, count: number): void {
    this.#byte((Math.min(count, 15) << 4) | TYPES[itemType]!);
    if (count >= 15) this.#writer.varint(count);
  }

  i32(value: number): void {
    this.#writer.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  i64(value: bigint): void {
    const signed = BigInt.asIntN(64, value);
    const zigzag = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n));
    this.#writer.varint64(Number(zigzag & 0xffffffffn), Number(zigzag >> 32n));
  }

  double(value: number): void {
    this.#double.setFloat64(0, value, true);
    this.#writer.raw(new Uint8Array(this.#double.buffer));
  }

  string(bytes: Uint8Array): void {
    this.#writer.varint(bytes.length);
    this.#writer.raw(bytes);
  }

  #head(type: number, id: number): void {
    const step = id - this.#lastId;
    this.#lastId = id;
    if (step > 0 && step < 16) this.#byte((step << 4) | type);
    else {
      this.#byte(type);
      this.i32(id);
    }
  }

  #byte(value: number): void {
    this.#writer.raw(Uint8Array.of(value));
  }
}
