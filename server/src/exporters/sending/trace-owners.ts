// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';

/**
 * Rows of a batch by who owns their traces. Each trace has its own order of all servers, drawn from its id and their
 * names ("rendezvous hashing"), and belongs to the first: so everybody who knows the same servers sends it to the same one,
 * and when one is missing only its traces move, to others evenly.
 * @param owners any that have a name; at least one
 */
export function rowsByOwner<O extends { readonly name: string }>(
  batch: SpanBatch,
  owners: readonly O[],
): Map<O, number[]> {
  const seeds = Uint32Array.from(owners, ({ name }) => hashName(name));
  const rows = new Map<O, number[]>();
  const { traceId } = batch;
  const words = new DataView(traceId.buffer, traceId.byteOffset, traceId.length);
  let last: number[] = [];
  for (let row = 0; row < batch.rows; row++) {
    const at = row * 16;
    if (row > 0 && isSame(words, at - 16, at)) {
      last.push(row);
      continue;
    }
    const owner = owners[ownerOf(words, at, seeds)]!;
    const known = rows.get(owner);
    last = known ?? [];
    last.push(row);
    if (known === undefined) rows.set(owner, last);
  }
  return rows;
}

function ownerOf(words: DataView, at: number, seeds: Uint32Array): number {
  let best = 0;
  let most = -1;
  for (let i = 0; i < seeds.length; i++) {
    let hash = seeds[i]!;
    for (let word = 0; word < 16; word += 4) hash = mix(hash ^ words.getUint32(at + word, true));
    if (hash > most) {
      most = hash;
      best = i;
    }
  }
  return best;
}

function isSame(words: DataView, a: number, b: number): boolean {
  for (let word = 0; word < 16; word += 4) {
    if (words.getUint32(a + word) !== words.getUint32(b + word)) return false;
  }
  return true;
}

function hashName(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = mix(hash ^ name.charCodeAt(i));
  return hash;
}

/** The last step of MurmurHash3, after a step that keeps zeros from staying zeros. */
function mix(word: number): number {
  let hash = (word + 0x9e3779b9) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
