// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, hash } from 'node:crypto';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { IngestFormat, IngestResult } from './trace-ingest.ts';

/** Exporters give up on a request after some minutes at most; a body that comes later is no resend. */
const REMEMBER_MS = 15 * 60_000;

/**
 * About 150 bytes an entry, 10 MB in all. At 200 requests a second these are the last five minutes, at 5,000 the last 13
 * seconds: the time in which an exporter tries again.
 */
const MAX_REQUESTS = 65_536;

/** GMAC wants a key; here it only has to be the same always, since digests are kept over restarts. */
const DIGEST_KEY = Buffer.from('spoor request id');
const NONCE_BYTES = 12;

/** Nonces kept, by tenant and format; with more of them they are made anew now and then. */
const MAX_NONCES = 1024;
const nonces = new Map<string, Buffer>();

/**
 * Digest of a request: tenant, format and body; 128 bits, so that among 2^16 entries the chance of two bodies meeting is below
 * 10^-28. It is the authentication tag of AES-GCM over the body: every processor since 2010 computes it in hardware at
 * 3 to 5 GB/s, where SHA-256 without hardware took a sixth of all CPU time of receiving. Somebody who makes two
 * bodies meet on purpose only loses spans of their own, since tenants do not share digests.
 * @see https://csrc.nist.gov/pubs/sp/800/38/d/final
 */
export function requestDigest(tenant: Tenant, format: IngestFormat, body: Uint8Array): Buffer {
  const mac = createCipheriv('aes-128-gcm', DIGEST_KEY, nonceOf(`${tenant} ${format}`));
  mac.setAAD(body);
  mac.final();
  return mac.getAuthTag();
}

function nonceOf(context: string): Buffer {
  let nonce = nonces.get(context);
  if (nonce === undefined) {
    if (nonces.size >= MAX_NONCES) nonces.clear();
    nonce = hash('sha256', context, 'buffer').subarray(0, NONCE_BYTES);
    nonces.set(context, nonce);
  }
  return nonce;
}

/**
 * The answers to recent requests, by digest, so that a body which is sent again (its answer was lost) is
 * stored once and answered as before, whether the first one is still under way or was before a restart.
 */
export class RequestMemory {
  /** In the order in which they came. */
  readonly #entries = new Map<string, Entry>();
  /** Goes through the entries from the oldest on; an iterator of its own each time would pass all deleted ones again. */
  #ages = this.#entries.entries();
  #oldest: [string, Entry] | undefined;
  readonly #nowMs: () => number;
  readonly #maxRequests: number;

  /** @param maxRequests fewer in tests */
  constructor(nowMs: () => number = Date.now, maxRequests = MAX_REQUESTS) {
    this.#nowMs = nowMs;
    this.#maxRequests = maxRequests;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The answer to this request, if it came before. */
  get(digest: Buffer): Promise<IngestResult> | undefined {
    const entry = this.#entries.get(digest.toString('latin1'));
    if (entry === undefined || this.#nowMs() - entry.atMs >= REMEMBER_MS) return undefined;
    return Promise.resolve(entry.answer);
  }

  /** Keeps an answer; one that fails is forgotten, since nothing was stored. */
  put(digest: Buffer, answer: Promise<IngestResult>, atMs = this.#nowMs()): void {
    const key = digest.toString('latin1');
    const entry: Entry = { answer, atMs };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    answer.then(
      (result) => {
        // The promise holds on to much more than its result.
        entry.answer = result;
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    this.#forget();
  }

  /** Drops what is too old or too much. */
  #forget(): void {
    for (;;) {
      if (this.#oldest === undefined) {
        const { value, done } = this.#ages.next();
        if (done === true) {
          this.#ages = this.#entries.entries();
          return;
        }
        this.#oldest = value;
      }
      const [key, entry] = this.#oldest;
      if (this.#entries.get(key) === entry) {
        const isTooOld = this.#nowMs() - entry.atMs >= REMEMBER_MS;
        if (!isTooOld && this.#entries.size <= this.#maxRequests) return;
        this.#entries.delete(key);
      }
      this.#oldest = undefined;
    }
  }
}

/** A request that came: its answer, or while it is under way the promise of it. */
interface Entry {
  answer: Promise<IngestResult> | IngestResult;
  readonly atMs: number;
}
