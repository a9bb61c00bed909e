// SPDX-License-Identifier: Apache-2.0
import { getUint32 } from './chunk-codec.ts';

/** Bits a trace: about 0.5 % of the ids that are not there seem to be. */
const BITS_PER_TRACE = 12;
const PROBES = 6;

/**
 * Bloom filter over trace ids. Ids are random, so their own bits serve as hashes; ids that are not (counters) only make it
 * less sharp, since the two words are mixed.
 */
export class TraceFilter {
  readonly bits: Uint8Array;

  constructor(bits: Uint8Array) {
    this.bits = bits;
  }

  /** An empty filter for so many traces. */
  static sized(traces: number): TraceFilter {
    return new TraceFilter(new Uint8Array(Math.ceil((Math.max(traces, 1) * BITS_PER_TRACE) / 8)));
  }

  /** Adds the id at `bytes[offset, offset + 16)`. */
  add(bytes: Uint8Array, offset: number): void {
    const size = this.bits.length * 8;
    let hash = start(bytes, offset);
    const step = stride(bytes, offset);
    for (let i = 0; i < PROBES; i++) {
      const bit = hash % size;
      this.bits[bit >>> 3]! |= 1 << (bit & 7);
      hash = (hash + step) >>> 0;
    }
  }

  /** False when the id was surely never added. */
  mayHave(bytes: Uint8Array, offset: number): boolean {
    const size = this.bits.length * 8;
    let hash = start(bytes, offset);
    const step = stride(bytes, offset);
    for (let i = 0; i < PROBES; i++) {
      const bit = hash % size;
      if ((this.bits[bit >>> 3]! & (1 << (bit & 7))) === 0) return false;
      hash = (hash + step) >>> 0;
    }
    return true;
  }
}

function start(bytes: Uint8Array, offset: number): number {
  return mix(getUint32(bytes, offset + 8) ^ Math.imul(getUint32(bytes, offset), 0x9e3779b1));
}

function stride(bytes: Uint8Array, offset: number): number {
  return (
    mix(getUint32(bytes, offset + 12) ^ Math.imul(getUint32(bytes, offset + 4), 0x85ebca6b)) | 1
  );
}

function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x45d9f3b);
  return (hash ^ (hash >>> 15)) >>> 0;
}
