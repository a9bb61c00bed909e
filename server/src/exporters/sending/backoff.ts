// SPDX-License-Identifier: Apache-2.0

/** Settings of a {@link Backoff}. */
export interface BackoffSettings {
  /** Bound of the first pause, in ms. */
  readonly initialIntervalMs: number;
  /** Bound of every pause, in ms. */
  readonly maxIntervalMs: number;
  /** By what the bound grows from try to try. */
  readonly multiplier: number;
}

/**
 * Pauses between tries: each drawn between 0 and a bound that grows, so that senders that failed at one moment do not come
 * back at one moment ("full jitter").
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export class Backoff {
  readonly #settings: BackoffSettings;
  readonly #random: () => number;
  #boundMs: number;

  /** @param random numbers in [0, 1) */
  constructor(settings: BackoffSettings, random: () => number) {
    this.#settings = settings;
    this.#random = random;
    this.#boundMs = settings.initialIntervalMs;
  }

  /**
   * The next pause in ms.
   * @param retryAfterMs what the server asks for; the pause is never shorter
   */
  next(retryAfterMs = 0): number {
    const { maxIntervalMs, multiplier } = this.#settings;
    const drawnMs = this.#random() * Math.min(this.#boundMs, maxIntervalMs);
    this.#boundMs = Math.min(maxIntervalMs, this.#boundMs * multiplier);
    // After a hint, too, they come one by one.
    return retryAfterMs === 0 ? drawnMs : retryAfterMs + drawnMs;
  }
}
