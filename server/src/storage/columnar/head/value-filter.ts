// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '@spoor/core/model/attributes.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { hashBytes } from '@spoor/core/model/symbol-interner.ts';

/** Of each value: with two places, 1 of 70 values that are not there may seem to be. A value takes 8 bytes in the slab, and itself. */
const BITS_A_VALUE = 16;

/**
 * Tells of most texts that no attribute of a span, event or link of a batch has them, without a look at the batch. What resources and
 * scopes have is not in it.
 */
export class ValueFilter {
  /** Whether a value is an array: its elements are not in the filter. */
  readonly hasArrays: boolean;
  readonly #bits: Uint32Array;

  constructor(batch: SpanBatch) {
    const { count, offsets, bytes } = batch.values;
    let hasArrays = false;
    for (let id = 0; id < batch.columnCount; id++) {
      if (batch.column(id).type === ValueType.array) hasArrays = true;
    }
    this.hasArrays = hasArrays;
    this.#bits = new Uint32Array(Math.ceil((count * BITS_A_VALUE) / 32));
    for (let entry = 0; entry < count; entry++) {
      // The hashes in the batch are of the version that wrote it.
      const hash = hashBytes(bytes, offsets[entry]!, offsets[entry + 1]!);
      this.#set(hash);
      this.#set(secondHash(hash));
    }
  }

  /** Whether a value may have this hash, see `hashBytes`. */
  mayHave(hash: number): boolean {
    return this.#bits.length > 0 && this.#has(hash) && this.#has(secondHash(hash));
  }

  #set(hash: number): void {
    const bit = hash % (this.#bits.length * 32);
    this.#bits[bit >>> 5]! |= 1 << (bit & 31);
  }

  #has(hash: number): boolean {
    const bit = hash % (this.#bits.length * 32);
    return ((this.#bits[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
  }
}

/** Another number of 32 bits. */
function secondHash(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
}
