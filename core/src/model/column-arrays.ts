// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from './span-columns.ts';
import type { SymbolInterner } from './symbol-interner.ts';

/** A larger array with the same numbers at its start. */
export function grownWords(array: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(capacity);
  grown.set(array);
  return grown;
}

/** A larger array with the same bytes at its start. */
export function grownBytes(array: Uint8Array, capacity: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(capacity);
  grown.set(array);
  return grown;
}

/** The same memory as words of four bytes. */
export function wordsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** As {@link wordsOf}, of a copy where the bytes do not lie so that they can be words. */
export function alignedWords(bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(buffer, byteOffset, length / 4);
}

/** Fills `target` with the first numbers of `source`. */
export function copyWords(target: Uint32Array, source: Uint32Array): void {
  target.set(source.subarray(0, target.length));
}

/** Fills `target` with the first bytes of `source`. */
export function copyBytes(target: Uint8Array, source: Uint8Array): void {
  target.set(source.subarray(0, target.length));
}

/** Fills the arrays of a table, which are as long as they need to be, with those of an interner. */
export function copyTable(target: SymbolTable, source: SymbolInterner): void {
  copyWords(target.offsets, source.offsets);
  copyBytes(target.bytes, source.bytes);
  if (target.hashes !== undefined) copyWords(target.hashes, source.hashes);
}
