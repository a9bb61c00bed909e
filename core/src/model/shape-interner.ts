// SPDX-License-Identifier: Apache-2.0
import { FIRST_SEED } from './word-hash.ts';
import type { ShapeTable } from './span-columns.ts';

/** A growing set of shapes: sequences of column ids. */
export class ShapeInterner implements ShapeTable {
  count = 0;
  offsets = new Uint32Array(65);
  columns = new Uint32Array(1024);
  #hashes = new Uint32Array(64);
  #slots = new Int32Array(128).fill(-1);
  #mask = 127;

  /** Column ids in all shapes together. */
  get columnCount(): number {
    return this.offsets[this.count]!;
  }

  /** Code of the sequence `ids[0, length)`, added when it is new. */
  intern(ids: Uint32Array, length: number): number {
    let hash = length ^ FIRST_SEED;
    for (let i = 0; i < length; i++) {
      hash = Math.imul(hash ^ ids[i]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash >>>= 0;
    let slot = hash & this.#mask;
    for (;;) {
      const code = this.#slots[slot]!;
      if (code < 0) break;
      if (this.#hashes[code] === hash && this.#equals(code, ids, length)) return code;
      slot = (slot + 1) & this.#mask;
    }
    return this.#add(slot, hash, ids, length);
  }

  /** Forgets the entries from `count` on. */
  truncate(count: number): void {
    for (let code = this.count - 1; code >= count; code--) {
      let slot = this.#hashes[code]! & this.#mask;
      while (this.#slots[slot] !== code) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = -1;
    }
    this.count = Math.min(this.count, count);
  }

  #equals(code: number, ids: Uint32Array, length: number): boolean {
    const start = this.offsets[code]!;
    if (this.offsets[code + 1]! - start !== length) return false;
    const columns = this.columns;
    for (let i = 0; i < length; i++) if (columns[start + i] !== ids[i]) return false;
    return true;
  }

  #add(slot: number, hash: number, ids: Uint32Array, length: number): number {
    if (this.count === this.#hashes.length) {
      this.#grow();
      slot = hash & this.#mask;
      while (this.#slots[slot] !== -1) slot = (slot + 1) & this.#mask;
    }
    const code = this.count;
    const start = this.offsets[code]!;
    if (start + length > this.columns.length) {
      const columns = new Uint32Array(Math.max(this.columns.length * 2, start + length));
      columns.set(this.columns);
      this.columns = columns;
    }
    // Not before there is memory for it: truncate looks for the place of each.
    this.count++;
    for (let i = 0; i < length; i++) this.columns[start + i] = ids[i]!;
    this.offsets[code + 1] = start + length;
    this.#hashes[code] = hash;
    this.#slots[slot] = code;
    return code;
  }

  #grow(): void {
    const capacity = this.#hashes.length * 2;
    const hashes = new Uint32Array(capacity);
    hashes.set(this.#hashes);
    const offsets = new Uint32Array(capacity + 1);
    offsets.set(this.offsets);
    const slots = new Int32Array(capacity * 2).fill(-1);
    this.#mask = capacity * 2 - 1;
    for (let code = 0; code < this.count; code++) {
      let slot = hashes[code]! & this.#mask;
      while (slots[slot] !== -1) slot = (slot + 1) & this.#mask;
      slots[slot] = code;
    }
    this.#hashes = hashes;
    this.offsets = offsets;
    this.#slots = slots;
  }
}
