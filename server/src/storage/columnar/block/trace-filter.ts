// SPDX-License-Identifier: Apache-2.0
import { getUint32 } from '@spoor/core/model/uint32.ts';

/**
 * Bits a trace: of the ids that are not there one in 1,700 seems to be. Sealing asks the filters of all blocks for each trace, and
 * a false answer costs it a read of some 40 µs.
 */
const BITS_PER_TRACE = 16;
const PROBES = 8;

/**
 * Bloom filter over trace ids. Ids are random, so their own bits serve as hashes; ids that are not (counters) only make it
 * less sharp, since the words are mixed.
 */
export class TraceFilter {
  readonly bits: Uint8Array;
  /** What turns a number of 32 bits into that of a bit. */
  readonly #scale: number;

  constructor(bits: Uint8Array) {
    this.bits = bits;
    this.#scale = (bits.length * 8) / 2 ** 32;
  }

  /** An empty filter for so many traces. */
  static sized(traces: number): TraceFilter {
    const bits = Math.max(traces, 1) * BITS_PER_TRACE;
    return new TraceFilter(new Uint8Array(Math.ceil(bits / 8)));
  }

  /** Adds the id at `bytes[offset, offset + 16)`. */
  add(bytes: Uint8Array, offset: number): void {
    let hash = startOf(bytes, offset);
    const stride = strideOf(bytes, offset);
    for (let i = 0; i < PROBES; i++) {
      const bit = (hash * this.#scale) >>> 0;
      this.bits[bit >>> 3]! |= 1 << (bit & 7);
      hash = (hash + stride) >>> 0;
    }
  }

  /** False when the id at `bytes[offset, offset + 16)` was surely never added. */
  mayHave(bytes: Uint8Array, offset: number): boolean {
    return this.#mayHaveHashes(startOf(bytes, offset), strideOf(bytes, offset));
  }

  /** Of many ids, the numbers of those that may be there. */
  select({ starts, strides }: TraceHashes): Uint32Array {
    const selected = new Uint32Array(starts.length);
    let count = 0;
    for (let i = 0; i < starts.length; i++) {
      if (this.#mayHaveHashes(starts[i]!, strides[i]!)) selected[count++] = i;
    }
    return selected.subarray(0, count);
  }

  #mayHaveHashes(start: number, stride: number): boolean {
    let hash = start;
    for (let i = 0; i < PROBES; i++) {
      const bit = (hash * this.#scale) >>> 0;
      if ((this.bits[bit >>> 3]! & (1 << (bit & 7))) === 0) return false;
      hash = (hash + stride) >>> 0;
    }
    return true;
  }
}

/** What filters look at of many ids: worked out once, however many filters are asked. */
export interface TraceHashes {
  readonly starts: Uint32Array;
  readonly strides: Uint32Array;
}

/** Hashes of `count` ids; number `i` is at `bytes[offsetOf(i), offsetOf(i) + 16)`. */
export function hashTraces(
  bytes: Uint8Array,
  count: number,
  offsetOf: (i: number) => number,
): TraceHashes {
  const starts = new Uint32Array(count);
  const strides = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const offset = offsetOf(i);
    starts[i] = startOf(bytes, offset);
    strides[i] = strideOf(bytes, offset);
  }
  return { starts, strides };
}

function startOf(bytes: Uint8Array, offset: number): number {
  return mix(getUint32(bytes, offset + 8) ^ Math.imul(getUint32(bytes, offset), 0x9e3779b1));
}

function strideOf(bytes: Uint8Array, offset: number): number {
  return (
    mix(getUint32(bytes, offset + 12) ^ Math.imul(getUint32(bytes, offset + 4), 0x85ebca6b)) | 1
  );
}

function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x45d9f3b);
  return (hash ^ (hash >>> 15)) >>> 0;
}
