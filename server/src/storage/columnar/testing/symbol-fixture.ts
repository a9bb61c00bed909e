// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';

/** A table of these byte strings as they come, repeats included. */
export function tableOf(values: readonly Uint8Array[]): SymbolTable {
  const offsets = new Uint32Array(values.length + 1);
  values.forEach((value, i) => (offsets[i + 1] = offsets[i]! + value.length));
  const bytes = new Uint8Array(offsets[values.length]!);
  values.forEach((value, i) => bytes.set(value, offsets[i]));
  return { count: values.length, offsets, bytes, hashes: undefined };
}

/** The byte strings of a table, in order. */
export function valuesOf(table: SymbolTable): Buffer[] {
  return Array.from({ length: table.count }, (_, i) =>
    Buffer.from(table.bytes.slice(table.offsets[i]!, table.offsets[i + 1]!)),
  );
}

/** Order of two byte strings. */
export function byBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** A number from 0 to 2^32 - 1 for each call, the same ones for the same seed. */
export function seededWords(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
