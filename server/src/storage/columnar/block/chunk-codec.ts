// SPDX-License-Identifier: Apache-2.0
import { getUint32 } from '@spoor/core/model/uint32.ts';

/**
 * Encodings of number columns inside a block. Each chunk begins with its width, so that it can be read alone.
 *
 * - **codes**: width 0 (all equal: one u32 follows), 1, 2 or 4 bytes a number, little endian.
 * - **planes**: 64-bit numbers as `width` byte planes, lowest first; bytes that are zero throughout are left out.
 */

/** A growing byte buffer that chunks are appended to. */
export class ByteSink {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;
  #numbers = new Uint32Array(64);

  constructor(expectedBytes: number) {
    this.bytes = new Uint8Array(expectedBytes);
  }

  /** Makes room for `count` bytes and returns where they begin. */
  reserve(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length));
      grown.set(this.bytes.subarray(0, start));
      this.bytes = grown;
    }
    return start;
  }

  /** Room for so many numbers while a chunk is made; the next call gives the same. */
  numbers(count: number): Uint32Array {
    if (count > this.#numbers.length) this.#numbers = new Uint32Array(count * 2);
    return this.#numbers;
  }

  /** Appends bytes as they are. */
  append(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
  }
}

/** Appends `values[from, from + count)` as a codes chunk. */
export function encodeCodes(sink: ByteSink, values: Uint32Array, count: number, from = 0): void {
  let max = 0;
  let all = 0;
  const first = count === 0 ? 0 : values[from]!;
  for (let i = from; i < from + count; i++) {
    const value = values[i]!;
    if (value > max) max = value;
    all |= value ^ first;
  }
  if (all === 0) {
    const at = sink.reserve(5);
    sink.bytes[at] = 0;
    putUint32(sink.bytes, at + 1, first);
    return;
  }
  const width = max < 256 ? 1 : max < 65536 ? 2 : 4;
  let at = sink.reserve(1 + width * count);
  const bytes = sink.bytes;
  bytes[at++] = width;
  if (width === 1) {
    for (let i = 0; i < count; i++) bytes[at + i] = values[from + i]!;
  } else if (width === 2) {
    for (let i = 0; i < count; i++, at += 2) {
      const value = values[from + i]!;
      bytes[at] = value & 255;
      bytes[at + 1] = value >>> 8;
    }
  } else {
    for (let i = 0; i < count; i++, at += 4) putUint32(bytes, at, values[from + i]!);
  }
}

/** Numbers `[from, from + count)` of a codes chunk. */
export function decodeCodes(chunk: Uint8Array, count: number, from = 0): Uint32Array {
  const values = new Uint32Array(count);
  const width = chunk[0]!;
  if (width === 0) {
    const value = getUint32(chunk, 1);
    if (value !== 0) values.fill(value);
  } else if (width === 1) {
    for (let i = 0, at = 1 + from; i < count; i++, at++) values[i] = chunk[at]!;
  } else if (width === 2) {
    for (let i = 0, at = 1 + from * 2; i < count; i++, at += 2) {
      values[i] = chunk[at]! | (chunk[at + 1]! << 8);
    }
  } else {
    for (let i = 0, at = 1 + from * 4; i < count; i++, at += 4) values[i] = getUint32(chunk, at);
  }
  return values;
}

/** Number `index` of a codes chunk. */
export function codeAt(chunk: Uint8Array, index: number): number {
  const width = chunk[0]!;
  if (width === 0) return getUint32(chunk, 1);
  if (width === 1) return chunk[1 + index]!;
  if (width === 2) return chunk[1 + index * 2]! | (chunk[2 + index * 2]! << 8);
  return getUint32(chunk, 1 + index * 4);
}

/** Sum of the first `count` numbers of a codes chunk. */
export function sumCodes(chunk: Uint8Array, count: number): number {
  const width = chunk[0]!;
  if (width === 0) return getUint32(chunk, 1) * count;
  let sum = 0;
  if (width === 1) {
    for (let at = 1; at <= count; at++) sum += chunk[at]!;
  } else if (width === 2) {
    for (let i = 0, at = 1; i < count; i++, at += 2) sum += chunk[at]! | (chunk[at + 1]! << 8);
  } else {
    for (let i = 0, at = 1; i < count; i++, at += 4) sum += getUint32(chunk, at);
  }
  return sum;
}

/** Adds to `times`, by number, how often it is among the first `count` numbers of a codes chunk. */
export function countCodes(chunk: Uint8Array, count: number, times: Uint32Array): void {
  const width = chunk[0]!;
  if (width === 0) {
    times[getUint32(chunk, 1)]! += count;
  } else if (width === 1) {
    for (let at = 1; at <= count; at++) times[chunk[at]!]!++;
  } else if (width === 2) {
    for (let i = 0, at = 1; i < count; i++, at += 2) times[chunk[at]! | (chunk[at + 1]! << 8)]!++;
  } else {
    for (let i = 0, at = 1; i < count; i++, at += 4) times[getUint32(chunk, at)]!++;
  }
}

/** Codes chunks that stand one after the other, given how many numbers each has. */
export function decodeCodesList(chunk: Uint8Array, counts: readonly number[]): Uint32Array[] {
  let rest = chunk;
  return counts.map((count) => {
    const values = decodeCodes(rest, count);
    rest = rest.subarray(codesLength(rest, count));
    return values;
  });
}

/** Bytes that a codes chunk of `count` numbers takes. */
export function codesLength(chunk: Uint8Array, count: number): number {
  return chunk[0] === 0 ? 5 : 1 + chunk[0]! * count;
}

/** Appends 64-bit numbers, given as halves, as a planes chunk. */
export function encodePlanes(
  sink: ByteSink,
  lo: Uint32Array,
  hi: Uint32Array,
  count: number,
): void {
  let lowBits = 0;
  let highBits = 0;
  for (let i = 0; i < count; i++) {
    lowBits |= lo[i]!;
    highBits |= hi[i]!;
  }
  const width = highBits === 0 ? byteWidth(lowBits) : 4 + byteWidth(highBits);
  let at = sink.reserve(1 + width * count);
  const bytes = sink.bytes;
  bytes[at++] = width;
  for (let plane = 0; plane < width; plane++) {
    const half = plane < 4 ? lo : hi;
    const shift = (plane & 3) * 8;
    for (let i = 0; i < count; i++) bytes[at + i] = half[i]! >>> shift;
    at += count;
  }
}

/** 64-bit numbers, low and high words. */
export interface Halves {
  readonly lo: Uint32Array;
  readonly hi: Uint32Array;
}

/** Numbers `[from, from + count)` of a planes chunk that has `all`. */
export function decodePlanes(chunk: Uint8Array, all: number, count = all, from = 0): Halves {
  const lo = new Uint32Array(count);
  const hi = new Uint32Array(count);
  const width = chunk[0]!;
  let at = 1 + from;
  for (let plane = 0; plane < width; plane++) {
    const half = plane < 4 ? lo : hi;
    const shift = (plane & 3) * 8;
    for (let i = 0; i < count; i++) half[i] = half[i]! | (chunk[at + i]! << shift);
    at += all;
  }
  return { lo, hi };
}

function byteWidth(bits: number): number {
  return bits === 0 ? 0 : 4 - (Math.clz32(bits) >>> 3);
}

/** Writes a u32, little endian. */
export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255;
  bytes[at + 1] = (value >>> 8) & 255;
  bytes[at + 2] = (value >>> 16) & 255;
  bytes[at + 3] = value >>> 24;
}
