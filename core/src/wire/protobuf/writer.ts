// SPDX-License-Identifier: Apache-2.0
import { isValidUtf8, MENDED_GROWTH, mendUtf8 } from '#model/utf8.ts';

/** Room that {@link ProtoWriter.reuse} keeps, in bytes. Only hostile messages need more. */
const MAX_IDLE_BYTES = 1 << 20;

/**
 * Appends protobuf fields to a growing buffer.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtoWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(expectedBytes = 256) {
    this.bytes = new Uint8Array(expectedBytes);
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  /** As {@link clear}, for a writer that is kept as long as the process runs: room of more than a MiB is given back. */
  reuse(): void {
    if (this.bytes.length > MAX_IDLE_BYTES) this.bytes = new Uint8Array(1024);
    this.length = 0;
  }

  /** An unsigned number up to 2^53 as a varint, without tag. */
  varint(value: number): void {
    this.#reserve(10);
    const bytes = this.bytes;
    let rest = value;
    while (rest >= 2 ** 31) {
      bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[this.length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[this.length++] = rest;
  }

  /** A 64-bit varint from its halves, without tag. */
  varint64(lo: number, hi: number): void {
    this.#reserve(10);
    const bytes = this.bytes;
    let low = lo >>> 0;
    let high = hi >>> 0;
    while (high > 0 || low > 127) {
      bytes[this.length++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[this.length++] = low;
  }

  /** A varint field; left out when it is zero, as proto3 does. */
  uintField(field: number, value: number): void {
    if (value === 0) return;
    this.varint(field * 8);
    this.varint(value);
  }

  /** A fixed32 field; left out when it is zero. */
  fixed32Field(field: number, value: number): void {
    if (value === 0) return;
    this.varint(field * 8 + 5);
    this.#reserve(4);
    this.#word(value);
  }

  /** A fixed64 field from its halves; left out when it is zero. */
  fixed64Field(field: number, lo: number, hi: number): void {
    if (lo === 0 && hi === 0) return;
    this.varint(field * 8 + 1);
    this.#reserve(8);
    this.#word(lo);
    this.#word(hi);
  }

  /** A length-delimited field, written even when it is empty. */
  bytesField(field: number, bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.varint(field * 8 + 2);
    this.varint(end - start);
    this.raw(bytes, start, end);
  }

  /** A text, written even when it is empty; what is not UTF-8 in it becomes U+FFFD. */
  textField(field: number, bytes: Uint8Array, start: number, end: number): void {
    if (isValidUtf8(bytes, start, end)) {
      this.bytesField(field, bytes, start, end);
      return;
    }
    const text = this.begin(field);
    this.#reserve((end - start) * MENDED_GROWTH);
    this.length = mendUtf8(bytes, start, end, this.bytes, this.length);
    this.end(text);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const length = end - start;
    this.#reserve(length);
    if (length <= 16) {
      for (let i = start; i < end; i++) this.bytes[this.length++] = bytes[i]!;
    } else {
      this.bytes.set(bytes.subarray(start, end), this.length);
      this.length += length;
    }
  }

  /** Begins a message field and returns where; give that to {@link end}. */
  begin(field: number): number {
    this.varint(field * 8 + 2);
    this.#reserve(1);
    return this.length++;
  }

  /** Ends the message that began at `start`: its length takes the one byte kept for it, or the content moves. */
  end(start: number): void {
    const size = this.length - start - 1;
    let extra = 0;
    for (let rest = size >>> 7; rest > 0; rest >>>= 7) extra++;
    if (extra > 0) {
      this.#reserve(extra);
      this.bytes.copyWithin(start + 1 + extra, start + 1, this.length);
    }
    this.length += extra;
    // In place: writing it as the end of what is there could grow the buffer, and leave the message behind.
    let rest = size;
    let at = start;
    for (; rest > 127; rest >>>= 7) this.bytes[at++] = (rest & 127) | 128;
    this.bytes[at] = rest;
  }

  #word(value: number): void {
    const bytes = this.bytes;
    bytes[this.length++] = value & 255;
    bytes[this.length++] = (value >>> 8) & 255;
    bytes[this.length++] = (value >>> 16) & 255;
    bytes[this.length++] = value >>> 24;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
