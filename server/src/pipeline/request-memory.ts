// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { IngestFormat, IngestResult } from './trace-ingest.ts';

/** Exporters give up on a request after some minutes at most; a body that comes later is no resend. */
const REMEMBER_MS = 15 * 60_000;

/** About 100 bytes an entry. At 10,000 requests a second this is the last half minute, which covers every retry that matters. */
const MAX_REQUESTS = 262_144;

/** Bytes of a digest: with 2^18 entries the chance of two bodies meeting is below 10^-27. */
const DIGEST_BYTES = 16;

/** Digest of a request: tenant, format and body. */
export function requestDigest(tenant: Tenant, format: IngestFormat, body: Uint8Array): Buffer {
  const prefix = hash('sha256', `${tenant} ${format}`, 'buffer');
  const digest = hash('sha256', body, 'buffer').subarray(0, DIGEST_BYTES);
  for (let i = 0; i < DIGEST_BYTES; i++) digest[i] = digest[i]! ^ prefix[i]!;
  return digest;
}

/**
 * The answers to recent requests, by digest, so that a body which is sent again (its answer was lost) is
 * stored once and answered as before, whether the first one is still under way or was before a restart.
 */
export class RequestMemory {
  readonly #answers = new Map<string, { answer: Promise<IngestResult>; atMs: number }>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#answers.size;
  }

  /** The answer to this request, if it came before. */
  get(digest: Buffer): Promise<IngestResult> | undefined {
    const entry = this.#answers.get(digest.toString('latin1'));
    return entry !== undefined && this.#nowMs() - entry.atMs < REMEMBER_MS
      ? entry.answer
      : undefined;
  }

  /** Keeps an answer; one that fails is forgotten, since nothing was stored. */
  put(digest: Buffer, answer: Promise<IngestResult>, atMs = this.#nowMs()): void {
    const key = digest.toString('latin1');
    this.#answers.delete(key);
    this.#answers.set(key, { answer, atMs });
    answer.catch(() => {
      if (this.#answers.get(key)?.answer === answer) this.#answers.delete(key);
    });
    // Insertion order is order of time: the oldest entries come first.
    for (const [oldest, entry] of this.#answers) {
      if (this.#answers.size <= MAX_REQUESTS && this.#nowMs() - entry.atMs < REMEMBER_MS) break;
      this.#answers.delete(oldest);
    }
  }
}
