// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';

/** Bits of a set. SQL statements with ids and numbers in them have some six thousand different grams, which take a tenth of them. */
const GRAM_BITS = 1 << 16;

/** Bytes of a set. */
export const GRAM_BYTES = GRAM_BITS / 8;

/** Each byte; of a capital letter of ASCII that of the small one. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

/**
 * The grams of texts: each run of three bytes in them, with small letters of ASCII for capital ones, as one bit of many. It can tell
 * that none of the texts has another one in it, whatever the case of its letters.
 */
export class GramSet {
  readonly bits: Uint8Array;

  constructor(bits = new Uint8Array(GRAM_BYTES)) {
    this.bits = bits;
  }

  /**
   * Adds the entries `order[start, end)` of a table. They are to be sorted: what one begins with as the one before it does is looked at
   * once.
   */
  add({ bytes, offsets }: SymbolTable, order: Uint32Array, start: number, end: number): void {
    let before = 0;
    let beforeEnd = 0;
    for (let i = start; i < end; i++) {
      const entry = order[i]!;
      const first = offsets[entry]!;
      const last = offsets[entry + 1]!;
      const most = Math.min(beforeEnd - before, last - first);
      let shared = 0;
      while (shared < most && bytes[before + shared] === bytes[first + shared]) shared++;
      addGrams(this.bits, bytes, first + Math.max(0, shared - 2), last);
      before = first;
      beforeEnd = last;
    }
  }

  /** Whether one of the texts may have this one in it. */
  mayHave(text: Uint8Array): boolean {
    const { bits } = this;
    for (let at = 0; at + 3 <= text.length; at++) {
      const bit = bitOf(gramAt(text, at));
      if ((bits[bit >>> 3]! & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }
}

function addGrams(bits: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
  if (end - start < 3) return;
  let gram = gramAt(bytes, start) >>> 8;
  for (let at = start + 2; at < end; at++) {
    gram = ((gram << 8) | FOLDED[bytes[at]!]!) & 0xffffff;
    const bit = bitOf(gram);
    bits[bit >>> 3]! |= 1 << (bit & 7);
  }
}

function gramAt(bytes: Uint8Array, at: number): number {
  return (FOLDED[bytes[at]!]! << 16) | (FOLDED[bytes[at + 1]!]! << 8) | FOLDED[bytes[at + 2]!]!;
}

function bitOf(gram: number): number {
  return Math.imul(gram, 0x9e3779b1) >>> 16;
}
