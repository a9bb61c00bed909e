// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '#model/errors.ts';
import { viewOf } from '#model/symbol-interner.ts';

/** Wire types of protobuf. Groups (3, 4) are long retired and refused. */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Reads protobuf from `bytes[position, …)`. It holds a position and nothing else, so that one reader serves a whole request.
 *
 * Every method takes the `end` of the message it reads in, and refuses to pass it.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtoReader {
  bytes: Uint8Array;
  /** Of all of `bytes`. */
  view: DataView;
  position = 0;
  /** Halves of the last 64-bit number read. */
  lo = 0;
  hi = 0;
  /** How messages name the format, e.g. `otlp`. */
  readonly #format: string;

  constructor(format: string, bytes: Uint8Array = new Uint8Array(0)) {
    this.#format = format;
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  /** Starts on other bytes. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.position = 0;
  }

  /** A tag: field number times 8, plus wire type. */
  tag(end: number): number {
    const tag = this.varint32(end);
    if (tag >>> 3 === 0) this.fail('field number 0');
    return tag;
  }

  /** Low 32 bits of a varint, unsigned. */
  varint32(end: number): number {
    const bytes = this.bytes;
    const at = this.position;
    if (at < end) {
      const byte = bytes[at]!;
      if (byte < 128) {
        this.position = at + 1;
        return byte;
      }
      // Two bytes: most lengths of spans, and the tags from field 16 on.
      if (at + 1 < end) {
        const next = bytes[at + 1]!;
        if (next < 128) {
          this.position = at + 2;
          return (byte & 127) | (next << 7);
        }
      }
    }
    this.varint64(end);
    return this.lo;
  }

  /** A varint into `lo` and `hi`; what is beyond 64 bits is dropped, as all protobuf libraries do. */
  varint64(end: number): void {
    const bytes = this.bytes;
    let at = this.position;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) this.fail(`truncated: a number does not end before byte ${end}`);
      const byte = bytes[at++]!;
      if (shift < 28) lo |= (byte & 127) << shift;
      else if (shift === 28) {
        lo |= (byte & 127) << 28;
        hi = (byte & 127) >>> 4;
      } else if (shift < 63) hi |= (byte & 127) << (shift - 32);
      else hi |= (byte & 1) << 31;
      if (byte < 128) {
        this.position = at;
        this.lo = lo >>> 0;
        this.hi = hi >>> 0;
        return;
      }
    }
    this.fail('a number of more than 10 bytes');
  }

  /** A fixed64 into `lo` and `hi`. */
  fixed64(end: number): void {
    this.lo = this.fixed32(end);
    this.hi = this.fixed32(end);
  }

  /** A fixed32, unsigned. */
  fixed32(end: number): number {
    const at = this.position;
    if (end - at < 4) this.fail(`truncated: 4 bytes > ${end - at} bytes left`);
    this.position = at + 4;
    return this.view.getUint32(at, true);
  }

  /** The length of a length-delimited field, checked against what is left; the position is then at its first byte. */
  length(end: number): number {
    const length = this.varint32(end);
    if (length > end - this.position) {
      this.fail(`truncated: length ${length} > ${end - this.position} bytes left`);
    }
    // At most what is left of `bytes`, so below 2^31. With a double now and then V8 would compile what works on positions for doubles.
    return length | 0;
  }

  /** Refuses a tag whose wire type is not the field's. */
  expect(tag: number, wireType: number): void {
    if ((tag & 7) !== wireType) {
      this.fail(`field ${tag >>> 3} has wire type ${tag & 7}, not ${wireType}`);
    }
  }

  /** Passes over the value of a field that is not known. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case WireType.varint:
        this.varint64(end);
        return;
      case WireType.fixed64:
        this.fixed64(end);
        return;
      case WireType.bytes: {
        const length = this.length(end);
        this.position += length;
        return;
      }
      case WireType.fixed32:
        this.fixed32(end);
        return;
      default:
        this.fail(`wire type ${tag & 7}`);
    }
  }

  /** @throws {SpoorError} malformed, with the position */
  fail(what: string): never {
    throw new SpoorError('malformed', `${this.#format}: ${what} at byte ${this.position}`);
  }
}
