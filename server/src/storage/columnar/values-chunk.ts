// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { type ByteSink, codesLength, decodeCodes, encodeCodes } from './chunk-codec.ts';

/**
 * A list of byte strings as a chunk: lengths (a codes chunk), then either all bytes in order, or, where all
 * are 8 bytes long (numbers), their first bytes, their second bytes, …, which compress better.
 */
export function encodeValues(
  sink: ByteSink,
  table: SymbolTable,
  entries: Uint32Array,
  count: number,
): void {
  const lengths = new Uint32Array(count);
  let total = 0;
  let numbers = count > 0;
  for (let i = 0; i < count; i++) {
    const entry = entries[i]!;
    const length = table.offsets[entry + 1]! - table.offsets[entry]!;
    lengths[i] = length;
    total += length;
    if (length !== 8) numbers = false;
  }
  encodeCodes(sink, lengths, count);
  let at = sink.reserve(total);
  const target = sink.bytes;
  const source = table.bytes;
  if (numbers) {
    for (let plane = 0; plane < 8; plane++) {
      for (let i = 0; i < count; i++) target[at++] = source[table.offsets[entries[i]!]! + plane]!;
    }
    return;
  }
  for (let i = 0; i < count; i++) {
    const start = table.offsets[entries[i]!]!;
    const length = lengths[i]!;
    if (length <= 24) {
      for (let k = 0; k < length; k++) target[at + k] = source[start + k]!;
    } else {
      target.set(source.subarray(start, start + length), at);
    }
    at += length;
  }
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

/** `0, 1, … count - 1`: a whole table in order. */
export function allEntries(count: number): Uint32Array {
  const entries = new Uint32Array(count);
  for (let i = 0; i < count; i++) entries[i] = i;
  return entries;
}
