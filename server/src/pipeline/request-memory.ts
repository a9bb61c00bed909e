// SPDX-License-Identifier: Apache-2.0
import type { IngestResult } from './trace-ingest.ts';

/** Exporters give up on a request after some minutes at most; a body that comes later is no resend. */
const REMEMBER_MS = 15 * 60_000;

/**
 * About 150 bytes an entry, 10 MB in all. At 200 requests a second these are the last five minutes, at 5,000 the last 13
 * seconds: the time in which an exporter tries again.
 */
const MAX_REQUESTS = 65_536;

/**
 * The answers to recent requests, by digest, so that a body which is sent again (its answer was lost) is
 * stored once and answered as before, whether the first one is still under way or was before a restart.
 */
export class RequestMemory {
  /**
   * By half of their digest, in the order in which they came. A number is found without a string being made for each look; the rare
   * two that meet in one half are told apart by the other, and the older one is forgotten.
   */
  readonly #entries = new Map<number, Entry>();
  /** Goes through the entries from the oldest on; an iterator of its own each time would pass all deleted ones again. */
  #ages = this.#entries.entries();
  #oldest: [number, Entry] | undefined;
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
    const entry = this.#entries.get(wordsOf(digest, 0));
    if (entry === undefined || entry.rest !== wordsOf(digest, 8)) return undefined;
    if (this.#nowMs() - entry.atMs >= REMEMBER_MS) return undefined;
    return Promise.resolve(entry.answer);
  }

  /** Keeps an answer; one that fails is forgotten, since nothing was stored. */
  put(digest: Buffer, answer: Promise<IngestResult>, atMs = this.#nowMs()): void {
    const key = wordsOf(digest, 0);
    const entry: Entry = { rest: wordsOf(digest, 8), answer, atMs };
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
  /** The other half of its digest. */
  readonly rest: number;
  answer: Promise<IngestResult> | IngestResult;
  readonly atMs: number;
}

/** 53 bits of the eight bytes at `at`. */
function wordsOf(digest: Buffer, at: number): number {
  return digest.readUInt32LE(at) + (digest.readUInt32LE(at + 4) >>> 11) * 2 ** 32;
}
