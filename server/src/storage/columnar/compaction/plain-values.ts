// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';

/** A growing list of byte strings, not interned: the values of a plain column in one group. */
export class PlainValues implements SymbolTable {
  count = 0;
  offsets = new Uint32Array(2);
  bytes = new Uint8Array(0);
  readonly hashes = undefined;

  /** Adds an entry of another table and returns its number. */
  append(source: SymbolTable, entry: number): number {
    const start = source.offsets[entry]!;
    const end = source.offsets[entry + 1]!;
    const at = this.offsets[this.count]!;
    const stop = at + end - start;
    if (stop > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(stop * 2, 4096));
      bytes.set(this.bytes.subarray(0, at));
      this.bytes = bytes;
    }
    if (end - start <= 48) {
      for (let i = start, to = at; i < end; i++, to++) this.bytes[to] = source.bytes[i]!;
    } else {
      this.bytes.set(source.bytes.subarray(start, end), at);
    }
    if (this.count + 2 > this.offsets.length) {
      const offsets = new Uint32Array(this.offsets.length * 4);
      offsets.set(this.offsets);
      this.offsets = offsets;
    }
    this.offsets[this.count + 1] = stop;
    return this.count++;
  }

  clear(): void {
    this.count = 0;
  }
}
