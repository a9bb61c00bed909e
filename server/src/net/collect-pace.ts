// SPDX-License-Identifier: Apache-2.0

/** So much of the time goes into collecting at most. */
const COLLECT_SHARE = 0.05;

/** After a collection that freed less than this the next one waits twice as long as the last. */
const WORTH_BYTES = 4 << 20;
const MOST_PAUSE_MS = 30_000;

/** Says when it is time to collect again: soon while that frees memory, rarely while it does not. */
export class CollectPace {
  #nextMs = 0;
  #factor = 1;
  #beforeBytes = Infinity;
  #leastBytes = 0;

  /**
   * @param nowMs monotonic
   * @param rssBytes what the process takes now
   */
  isDue(nowMs: number, rssBytes: number): boolean {
    // Freed memory is given back a moment after the collection.
    this.#leastBytes = Math.min(this.#leastBytes, rssBytes);
    return nowMs >= this.#nextMs;
  }

  /** There was a collection. @param rssBytes before it */
  collected(startMs: number, endMs: number, rssBytes: number): void {
    this.#factor = this.#beforeBytes - this.#leastBytes < WORTH_BYTES ? this.#factor * 2 : 1;
    const pauseMs = ((endMs - startMs) / COLLECT_SHARE) * this.#factor;
    this.#nextMs = endMs + Math.min(pauseMs, MOST_PAUSE_MS);
    if (pauseMs > MOST_PAUSE_MS) this.#factor /= 2;
    this.#beforeBytes = rssBytes;
    this.#leastBytes = rssBytes;
  }
}
