// SPDX-License-Identifier: Apache-2.0

/** What servers and receivers log through; a pino logger is one. */
export interface Logger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/**
 * Lets one entry through per interval, so that a flood of bad requests cannot flood the log.
 * The entry that comes through carries the number of those held back before it.
 */
export class LogThrottle {
  readonly #intervalMs: number;
  readonly #nowMs: () => number;
  #nextMs = -Infinity;
  #suppressed = 0;

  /** @param nowMs monotonic clock in ms */
  constructor(intervalMs: number, nowMs: () => number = () => performance.now()) {
    this.#intervalMs = intervalMs;
    this.#nowMs = nowMs;
  }

  /** Calls `write` with the number of entries held back since the last one, or holds this one back. */
  log(write: (suppressed: number) => void): void {
    const nowMs = this.#nowMs();
    if (nowMs < this.#nextMs) {
      this.#suppressed++;
      return;
    }
    this.#nextMs = nowMs + this.#intervalMs;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    write(suppressed);
  }
}
