// SPDX-License-Identifier: Apache-2.0

/** How much may pass. */
export interface RateLimit {
  /** Tokens that come in a second; 0: no limit. */
  readonly perSecond: number;
  /** Tokens that gather while nothing passes, at most. */
  readonly burst: number;
}

/** Lets so much pass in a second, and a burst after a pause. */
export class TokenBucket {
  readonly #limit: RateLimit;
  #tokens: number;
  #filledMs: number;

  /** @param nowMs monotonic */
  constructor(limit: RateLimit, nowMs: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#filledMs = nowMs;
  }

  /** Whole tokens that can be taken now; they may be fewer than none. */
  available(nowMs: number): number {
    const { perSecond, burst } = this.#limit;
    const gained = (Math.max(0, nowMs - this.#filledMs) * perSecond) / 1000;
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#filledMs = nowMs;
    return Math.floor(this.#tokens);
  }

  /**
   * Milliseconds until `count` tokens may be taken; 0: now. More than a whole burst may be taken when the bucket is full: what is
   * owed then has to come in first before anything else passes.
   */
  waitMs(count: number, nowMs: number): number {
    const { perSecond, burst } = this.#limit;
    this.available(nowMs);
    const missing = Math.min(count, burst) - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil((missing * 1000) / perSecond);
  }

  /** Takes tokens, also those that are not there. */
  take(count: number): void {
    this.#tokens -= count;
  }

  /** Whether it is as a new one would be. */
  isFull(nowMs: number): boolean {
    this.available(nowMs);
    return this.#tokens === this.#limit.burst;
  }
}
