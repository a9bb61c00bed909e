// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '#telemetry/logger.ts';

/** A clock that is set, or a leap, moves less than this; what moves more is a mistake until the process is started anew. */
const MAX_AHEAD_MS = 24 * 3_600_000;

/** Options of {@link GuardedClock}. */
export interface GuardedClockOptions {
  /** Unix epoch ms, as the system has it. */
  readonly nowMs: () => number;
  /** Time since some moment, which nobody can set. */
  readonly passedMs: () => number;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Time by which data is aged. When the system's clock runs ahead of the time that has passed by more than a day, it goes on by the
 * latter: a clock that was set to another year must not make everything too old at once. A clock that was set back only keeps data
 * longer.
 */
export class GuardedClock {
  readonly #options: GuardedClockOptions;
  readonly #startMs: number;
  #isAhead = false;

  constructor(options: GuardedClockOptions) {
    this.#options = options;
    this.#startMs = options.nowMs() - options.passedMs();
  }

  /** Unix epoch ms. */
  nowMs(): number {
    const { nowMs, passedMs, logger } = this.#options;
    const now = nowMs();
    const expected = this.#startMs + passedMs();
    const isAhead = now - expected > MAX_AHEAD_MS;
    if (isAhead && !this.#isAhead) {
      const hours = Math.round((now - expected) / 3_600_000);
      logger.warn(
        { aheadHours: hours },
        'the clock of this machine was set forward by more than a day: retention goes by the time that has passed until the next start',
      );
    }
    this.#isAhead = isAhead;
    return isAhead ? expected : now;
  }
}
