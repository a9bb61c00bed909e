// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import {
  type ByteSink,
  codeAt,
  codesLength,
  decodeCodes,
  encodeCodes,
  sumCodes,
} from './chunk-codec.ts';

/**
 * A list of byte strings as a chunk: lengths (a codes chunk), then either all bytes in order, or, where all
 * are 8 bytes long (numbers), their first bytes, their second bytes, …, which compress better.
 * @param entries of the table: those at `[from, from + count)` are written
 */
export function encodeValues(
  sink: ByteSink,
  table: SymbolTable,
  entries: Uint32Array,
  count: number,
  from = 0,
): void {
  const lengths = sink.numbers(count);
  const total = putLengths(lengths, table, entries, count, from);
  encodeCodes(sink, lengths, count);
  if (total === 8 * count && areNumbers(lengths, count)) {
    const at = sink.reserve(total);
    for (let plane = 0; plane < 8; plane++) {
      putPlane(sink.bytes, at + plane * count, table, entries, count, from, plane);
    }
    return;
  }
  const at = sink.reserve(total);
  putValues(sink.bytes, at, table, entries, count, from);
}

/** Returns their sum. */
function putLengths(
  lengths: Uint32Array,
  { offsets }: SymbolTable,
  entries: Uint32Array,
  count: number,
  from: number,
): number {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const entry = entries[from + i]!;
    const length = offsets[entry + 1]! - offsets[entry]!;
    lengths[i] = length;
    total += length;
  }
  return total;
}

function areNumbers(lengths: Uint32Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (lengths[i] !== 8) return false;
  return count > 0;
}

/** Writes byte `plane` of each of the values. */
function putPlane(
  target: Uint8Array,
  at: number,
  { offsets, bytes }: SymbolTable,
  entries: Uint32Array,
  count: number,
  from: number,
  plane: number,
): void {
  for (let i = 0; i < count; i++) target[at + i] = bytes[offsets[entries[from + i]!]! + plane]!;
}

function putValues(
  target: Uint8Array,
  start: number,
  { offsets, bytes }: SymbolTable,
  entries: Uint32Array,
  count: number,
  from: number,
): void {
  let at = start;
  for (let i = from; i < from + count; i++) {
    const entry = entries[i]!;
    const length = offsets[entry + 1]! - offsets[entry]!;
    copyValue(bytes, offsets[entry]!, target, at, length);
    at += length;
  }
}

/** Copies a value; most are shorter than what a call of `set` costs. */
export function copyValue(
  source: Uint8Array,
  start: number,
  target: Uint8Array,
  at: number,
  length: number,
): void {
  if (length > 24) target.set(source.subarray(start, start + length), at);
  else for (let k = 0; k < length; k++) target[at + k] = source[start + k]!;
}

/** The byte strings of a chunk. */
export function decodeValues(chunk: Uint8Array, count: number): SymbolTable {
  const lengths = decodeCodes(chunk, count);
  const offsets = new Uint32Array(count + 1);
  let numbers = count > 0;
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!;
    offsets[i + 1] = offsets[i]! + length;
    if (length !== 8) numbers = false;
  }
  let at = codesLength(chunk, count);
  if (!numbers) {
    return {
      count,
      offsets,
      bytes: chunk.subarray(at, at + offsets[count]!),
      hashes: undefined,
    };
  }
  const bytes = new Uint8Array(count * 8);
  for (let plane = 0; plane < 8; plane++) {
    for (let i = 0; i < count; i++) bytes[i * 8 + plane] = chunk[at++]!;
  }
  return { count, offsets, bytes, hashes: undefined };
}

/** One byte string of a chunk of `count`, without decoding the others. */
export function decodeValue(chunk: Uint8Array, count: number, index: number): Uint8Array {
  const at = codesLength(chunk, count);
  const before = sumCodes(chunk, index);
  const length = codeAt(chunk, index);
  // Only where all lengths are equal can all of them be 8.
  if (chunk[0] !== 0 || length !== 8) return chunk.subarray(at + before, at + before + length);
  const value = new Uint8Array(8);
  for (let plane = 0; plane < 8; plane++) value[plane] = chunk[at + plane * count + index]!;
  return value;
}

/** Whether one of the byte strings may have `part` in it: false where it stands nowhere in the chunk. */
export function mayHaveInside(chunk: Uint8Array, part: Uint8Array): boolean {
  // The bytes of numbers do not stand one after the other.
  const mayBeNumbers = chunk[0] === 0 && codeAt(chunk, 0) === 8;
  return mayBeNumbers || bufferOf(chunk).includes(part);
}

/** The same bytes as a buffer, which is searched by native code. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** `0, 1, … count - 1`: a whole table in order. */
export function allEntries(count: number): Uint32Array {
  const entries = new Uint32Array(count);
  for (let i = 0; i < count; i++) entries[i] = i;
  return entries;
}
