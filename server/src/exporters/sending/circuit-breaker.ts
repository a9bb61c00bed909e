// SPDX-License-Identifier: Apache-2.0

/** Settings of a {@link CircuitBreaker}. */
export interface BreakerSettings {
  /** Failures one after the other that open it. */
  readonly failureThreshold: number;
  /** How long it is open at first, in ms; twice as long each time that the try after it fails … */
  readonly openMs: number;
  /** … up to this. */
  readonly maxOpenMs: number;
}

/** `closed`: requests pass. `open`: none does. `half_open`: the next one is a try, which decides. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** How a request that passed ended; exactly one is called, once. */
export interface BreakerPass {
  /** The server answered. */
  succeed(): void;
  /**
   * The server did not answer, or took nothing for now.
   * @param retryAfterMs its hint when to come again
   */
  fail(retryAfterMs?: number): void;
  /** The request was given up by who sent it. */
  cancel(): void;
}

/**
 * Stands in front of a server: after some failures in a row nothing is sent for a while, so that nobody waits for who does
 * not answer, and who is in trouble is left alone.
 */
export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  readonly #nowMs: () => number;
  #failures = 0;
  /** Times it opened since it was closed last. */
  #rounds = 0;
  #openUntilMs = 0;
  #isOpen = false;
  #isTrying = false;
  #opened = 0;

  /** @param nowMs monotonic clock in ms */
  constructor(settings: BreakerSettings, nowMs: () => number) {
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  get state(): BreakerState {
    if (!this.#isOpen) return 'closed';
    return this.retryAfterMs > 0 ? 'open' : 'half_open';
  }

  /** Times that it opened. */
  get opened(): number {
    return this.#opened;
  }

  /** How long it is open still, in ms. */
  get retryAfterMs(): number {
    return this.#isOpen ? Math.max(0, this.#openUntilMs - this.#nowMs()) : 0;
  }

  /** Whether {@link enter} would let a request pass now. */
  get isPassable(): boolean {
    return !this.#isOpen || (!this.#isTrying && this.retryAfterMs === 0);
  }

  /** Lets a request pass, or not. Who passed says how it ended. */
  enter(): BreakerPass | undefined {
    if (!this.isPassable) return undefined;
    const isTry = this.#isOpen;
    this.#isTrying ||= isTry;
    return {
      succeed: () => this.#succeed(),
      fail: (retryAfterMs = 0) => this.#fail(isTry, retryAfterMs),
      cancel: () => {
        if (isTry) this.#isTrying = false;
      },
    };
  }

  #succeed(): void {
    this.#isOpen = false;
    this.#isTrying = false;
    this.#failures = 0;
    this.#rounds = 0;
  }

  #fail(isTry: boolean, retryAfterMs: number): void {
    if (isTry) this.#isTrying = false;
    // One that was sent before it opened says nothing new.
    else if (this.#isOpen || ++this.#failures < this.#settings.failureThreshold) return;
    const { openMs, maxOpenMs } = this.#settings;
    const pauseMs = Math.min(maxOpenMs, openMs * 2 ** this.#rounds);
    this.#openUntilMs = this.#nowMs() + Math.max(pauseMs, retryAfterMs);
    this.#isOpen = true;
    this.#rounds++;
    this.#opened++;
  }
}
