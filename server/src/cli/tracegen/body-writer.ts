// SPDX-License-Identifier: Apache-2.0

/**
 * Writes protobuf into one growing buffer. Made for speed: only {@link reserve} checks the room,
 * every other method trusts that the caller reserved enough.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class BodyWriter {
  /** What was written is `bytes[0, position)`. */
  bytes: Buffer;
  position = 0;

  constructor(initialBytes = 4096) {
    this.bytes = Buffer.allocUnsafe(initialBytes);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.position + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
  }

  /** One byte: a tag below 128, a small varint. */
  byte(value: number): void {
    this.bytes[this.position++] = value;
  }

  /** A varint of a whole number in [0, 2^53). At most 8 bytes. */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7fffffff) {
      this.bytes[this.position++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.bytes[this.position++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  /** A varint of a 64-bit number; negative ones take 10 bytes. */
  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      this.bytes[this.position++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.bytes[this.position++] = Number(rest);
  }

  /** Four bytes, little endian. */
  fixed32(value: number): void {
    const { bytes, position } = this;
    bytes[position] = value & 255;
    bytes[position + 1] = (value >>> 8) & 255;
    bytes[position + 2] = (value >>> 16) & 255;
    bytes[position + 3] = value >>> 24;
    this.position = position + 4;
  }

  /** Eight bytes, little endian IEEE 754. */
  double(value: number): void {
    this.position = this.bytes.writeDoubleLE(value, this.position);
  }

  /** These bytes as they are. */
  raw(source: Uint8Array): void {
    const { length } = source;
    const { bytes, position } = this;
    // The call into set() costs as much as copying about 24 bytes here.
    if (length > 24) bytes.set(source, position);
    else for (let i = 0; i < length; i++) bytes[position + i] = source[i]!;
    this.position = position + length;
  }

  /** `source[start, end)`, without a view when it is short. */
  rawRange(source: Uint8Array, start: number, end: number): void {
    this.bytes.set(source.subarray(start, end), this.position);
    this.position += end - start;
  }

  /** Text of ASCII characters only. */
  ascii(text: string): void {
    const { length } = text;
    const { bytes, position } = this;
    if (length > 40) bytes.write(text, position, 'latin1');
    else for (let i = 0; i < length; i++) bytes[position + i] = text.charCodeAt(i);
    this.position = position + length;
  }

  /** A field of text of any characters: tag, length, UTF-8. */
  text(tag: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.reserve(length + 16);
    this.byte(tag);
    this.varint(length);
    this.position += this.bytes.write(text, this.position);
  }

  /** A field of bytes: tag, length, bytes. */
  field(tag: number, value: Uint8Array): void {
    this.reserve(value.length + 16);
    this.byte(tag);
    this.varint(value.length);
    this.raw(value);
  }

  /** Begins a message or other field of unknown length; give the result to {@link end}. */
  begin(tag: number): number {
    this.reserve(16);
    this.bytes[this.position++] = tag;
    this.position += LENGTH_ROOM;
    return this.position;
  }

  /** Ends what began at `start`: writes its length, and moves the content when the guess of two bytes was wrong. */
  end(start: number): void {
    const length = this.position - start;
    const size = varintSize(length);
    if (size !== LENGTH_ROOM) {
      this.reserve(8);
      this.bytes.copyWithin(start - LENGTH_ROOM + size, start, this.position);
    }
    this.position = start - LENGTH_ROOM;
    this.varint(length);
    this.position += length;
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.position));
  }
}

/** Bytes kept free for a length: most spans are between 128 and 16,383 bytes. */
const LENGTH_ROOM = 2;

/** Bytes of the varint of `value`. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}
