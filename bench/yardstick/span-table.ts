// SPDX-License-Identifier: Apache-2.0
import { ByteDictionary, grown } from './byte-dictionary.ts';

/** Values of one attribute key, in the order in which they came. */
export interface ValueColumn {
  readonly values: ByteDictionary;
  codes: Uint32Array;
  count: number;
}

/** A growing list of bytes. */
export class ByteList {
  bytes = new Uint8Array(1 << 16);
  length = 0;

  append(source: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes.set(source.subarray(start, end), this.length);
    this.length = needed;
  }
}

/**
 * Spans as columns, filled from encoded requests: as little as a column store can do with them. It
 * leaves out scopes, trace states, dropped counts and every check, and keeps events, links and status
 * as they came.
 */
export class SpanTable {
  rows = 0;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  readonly kind: Uint32Array;
  readonly name: Uint32Array;
  readonly resource: Uint32Array;
  /** The sequence of attribute keys of each row. */
  readonly shape: Uint32Array;
  /** Where the other fields of each row end in {@link rest}. */
  readonly restEnd: Uint32Array;
  readonly rest = new ByteList();
  readonly names = new ByteDictionary();
  readonly resources = new ByteDictionary();
  readonly keys = new ByteDictionary();
  readonly shapes = new ByteDictionary();
  readonly columns: ValueColumn[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #shapeBytes = new Uint8Array(4096);

  /** @param capacity rows; one request may bring no more than what is left */
  constructor(capacity: number) {
    this.traceId = new Uint8Array(capacity * 16);
    this.spanId = new Uint8Array(capacity * 8);
    this.parentSpanId = new Uint8Array(capacity * 8);
    this.start = new Uint32Array(capacity * 2);
    this.end = new Uint32Array(capacity * 2);
    this.kind = new Uint32Array(capacity);
    this.name = new Uint32Array(capacity);
    this.resource = new Uint32Array(capacity);
    this.shape = new Uint32Array(capacity);
    this.restEnd = new Uint32Array(capacity);
  }

  /** Appends the spans of an `ExportTraceServiceRequest`. */
  decode(body: Uint8Array): void {
    this.#bytes = body;
    this.#at = 0;
    while (this.#at < body.length) {
      const tag = this.#varint();
      if (tag === 0x0a) this.#resourceSpans(this.#length());
      else this.#skipValue(tag);
    }
  }

  #resourceSpans(end: number): void {
    let resource = this.resources.code(this.#bytes, 0, 0);
    while (this.#at < end) {
      const tag = this.#varint();
      if (tag === 0x0a) {
        const stop = this.#length();
        resource = this.resources.code(this.#bytes, this.#at, stop);
        this.#at = stop;
      } else if (tag === 0x12) {
        this.#scopeSpans(this.#length(), resource);
      } else {
        this.#skipValue(tag);
      }
    }
  }

  #scopeSpans(end: number, resource: number): void {
    while (this.#at < end) {
      const tag = this.#varint();
      if (tag === 0x12) this.#span(this.#length(), resource);
      else this.#skipValue(tag);
    }
  }

  #span(end: number, resource: number): void {
    const bytes = this.#bytes;
    const row = this.rows++;
    this.resource[row] = resource;
    let shapeLength = 0;
    while (this.#at < end) {
      const from = this.#at;
      const tag = this.#varint();
      switch (tag) {
        case 0x0a:
          this.#copy(this.traceId, row * 16);
          break;
        case 0x12:
          this.#copy(this.spanId, row * 8);
          break;
        case 0x22:
          this.#copy(this.parentSpanId, row * 8);
          break;
        case 0x2a: {
          const stop = this.#length();
          this.name[row] = this.names.code(bytes, this.#at, stop);
          this.#at = stop;
          break;
        }
        case 0x30:
          this.kind[row] = this.#varint();
          break;
        case 0x39:
          this.#fixed64(this.start, row * 2);
          break;
        case 0x41:
          this.#fixed64(this.end, row * 2);
          break;
        case 0x4a:
          shapeLength = this.#attribute(this.#length(), shapeLength);
          break;
        default:
          this.#skipValue(tag);
          this.rest.append(bytes, from, this.#at);
      }
    }
    this.shape[row] = this.shapes.code(this.#shapeBytes, 0, shapeLength);
    this.restEnd[row] = this.rest.length;
  }

  /** Key first, then the value's encoded bytes up to the end. */
  #attribute(end: number, shapeLength: number): number {
    this.#varint();
    const keyEnd = this.#length();
    const key = this.keys.code(this.#bytes, this.#at, keyEnd);
    let column = this.columns[key];
    if (column === undefined) {
      column = { values: new ByteDictionary(), codes: new Uint32Array(64), count: 0 };
      this.columns.push(column);
    }
    if (column.count === column.codes.length) column.codes = grown(column.codes, column.count * 2);
    column.codes[column.count++] = column.values.code(this.#bytes, keyEnd, end);
    this.#at = end;
    this.#shapeBytes[shapeLength] = key & 255;
    this.#shapeBytes[shapeLength + 1] = key >>> 8;
    return shapeLength + 2;
  }

  #copy(column: Uint8Array, to: number): void {
    const stop = this.#length();
    const bytes = this.#bytes;
    for (let from = this.#at, at = to; from < stop; from++) column[at++] = bytes[from]!;
    this.#at = stop;
  }

  #fixed64(column: Uint32Array, to: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    column[to] =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    column[to + 1] =
      bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    this.#at = at + 8;
  }

  /** Reads a length; returns where the field ends. */
  #length(): number {
    const length = this.#varint();
    return this.#at + length;
  }

  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let shift = 7; shift < 70; shift += 7) {
      byte = bytes[this.#at++]!;
      if (shift < 32) value |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return value >>> 0;
  }

  #skipValue(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.#varint();
        break;
      case 1:
        this.#at += 8;
        break;
      case 2:
        this.#at = this.#length();
        break;
      case 5:
        this.#at += 4;
        break;
      default:
        throw new Error(`yardstick: wire type ${tag & 7} at byte ${this.#at}`);
    }
  }
}
