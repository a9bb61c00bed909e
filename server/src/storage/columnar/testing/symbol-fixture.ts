// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';

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

/** Canonical bytes of an int. */
export function int64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value, true);
  return bytes;
}

/** Texts that share beginnings, end in zeros, or are contained in one another. */
export const oddText = fc
  .tuple(
    fc.constantFrom('', 'http://shop.example/', '\0', 'é'),
    fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff', '😀'), maxLength: 6 }),
  )
  .map(([prefix, rest]) => encodeText(prefix + rest));
