// SPDX-License-Identifier: Apache-2.0

/**
 * Writes Thrift's binary protocol into a growing buffer.
 * @see https://github.com/apache/thrift/blob/v0.22.0/doc/specs/thrift-binary-protocol.md
 */
export class ThriftBinaryWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** A copy of what was written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** The head of a field, one of `ThriftType`; its value is to follow. */
  field(type: number, id: number): void {
    this.#byte(type);
    this.i16(id);
  }

  /** The end of a struct. */
  stop(): void {
    this.#byte(0);
  }

  /** The head of a list; its items are to follow. */
  list(itemType: number, count: number): void {
    this.#byte(itemType);
    this.i32(count);
  }

  bool(value: boolean): void {
    this.#byte(value ? 1 : 0);
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

  /** A string or binary. */
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
