// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '#telemetry/logger.ts';

/** A clock that is set, or a leap, moves less than this; what moves more is taken for a mistake. */
const MAX_OFF_MS = 24 * 3_600_000;

/** A machine that was started with a wrong clock has set it by then. */
const DOUBT_MS = 3_600_000;

/** Options of {@link GuardedClock}. */
export interface GuardedClockOptions {
  /** Unix epoch ms, as the system has it. */
  readonly nowMs: () => number;
  /** Time since some moment, which nobody can set. */
  readonly passedMs: () => number;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Time by which data is aged, so that a wrong clock makes nothing too old.
 *
 * When the system's clock runs ahead of the time that has passed by more than a day, it goes on by the latter: until the next start,
 * or until a clock that was behind at the start is right. A start long after the newest block may be one with a wrong clock: for an
 * hour nothing becomes older. A clock that was set back only keeps data longer; what comes meanwhile is not dated back.
 */
export class GuardedClock {
  readonly #options: GuardedClockOptions;
  /** Unix epoch ms at the moment from which the passed time counts. */
  #originMs: number;
  /** At the start the clock was behind, or not known to be right: it may be set forward once. */
  #start: 'right' | 'behind' | 'unknown' = 'right';
  /** Until when (passed ms) ages stay as they were at the newest block. */
  #doubt: { readonly untilMs: number; readonly newestMs: number } | undefined;
  #isAhead = false;

  constructor(options: GuardedClockOptions) {
    this.#options = options;
    this.#originMs = options.nowMs() - options.passedMs();
  }

  /** Compares the clock with what is known: when the newest block was sealed; undefined without blocks. */
  start(newestMs: number | undefined): void {
    const { nowMs, passedMs, logger } = this.#options;
    const now = nowMs();
    if (newestMs === undefined) {
      this.#start = 'unknown';
      return;
    }
    const days = Math.round(Math.abs(now - newestMs) / 86_400_000);
    if (now < newestMs - MAX_OFF_MS) {
      this.#start = 'behind';
      this.#originMs = newestMs - passedMs();
      logger.warn(
        { days },
        `the newest block is from ${days} days after now: the clock of this machine is behind, or was ahead then. What comes now is dated after that block`,
      );
    } else if (now > newestMs + MAX_OFF_MS) {
      this.#doubt = { untilMs: passedMs() + DOUBT_MS, newestMs };
      logger.warn(
        { days },
        `the newest block is ${days} days old: should the clock of this machine be wrong, set it within the hour. Until then nothing more expires`,
      );
    }
  }

  /** Unix epoch ms by which ages are counted. */
  nowMs(): number {
    const doubt = this.#doubt;
    const now = this.#options.nowMs();
    if (doubt !== undefined) {
      if (this.#options.passedMs() >= doubt.untilMs) this.#doubt = undefined;
      else if (now > doubt.newestMs + MAX_OFF_MS) return doubt.newestMs;
    }
    return this.#believed(now);
  }

  /** Unix epoch ms for what comes in now. */
  dateMs(): number {
    const now = this.#believed(this.#options.nowMs());
    const expected = this.#originMs + this.#options.passedMs();
    return now < expected - MAX_OFF_MS ? expected : now;
  }

  #believed(now: number): number {
    const passed = this.#options.passedMs();
    const expected = this.#originMs + passed;
    const isAhead = now - expected > MAX_OFF_MS;
    const isSetNow = this.#start === 'behind' && now >= expected - MAX_OFF_MS;
    if (isSetNow || (isAhead && this.#start === 'unknown')) {
      this.#start = 'right';
      this.#originMs = now - passed;
      return now;
    }
    if (isAhead && !this.#isAhead) {
      const hours = Math.round((now - expected) / 3_600_000);
      this.#options.logger.warn(
        { aheadHours: hours },
        'the clock of this machine was set forward by more than a day: retention goes by the time that has passed until the next start',
      );
    }
    this.#isAhead = isAhead;
    return isAhead ? expected : now;
  }
}
