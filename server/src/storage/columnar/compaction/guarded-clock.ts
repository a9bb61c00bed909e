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
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** What the blocks of a store say of the time, Unix epoch ms. */
export interface KnownTimes {
  /** Whether one of them was dated by a clock that was not in doubt. */
  readonly isDated: boolean;
  /** The latest date of all, provisional ones included. */
  readonly lastMs: number;
}

/** Why the clock of the system is not believed. */
interface Doubt {
  /** What is known of the time comes from a clock that was not in doubt. */
  readonly isAnchored: boolean;
  /** Since when (passed ms) the clock has been running that is believed when it runs for long enough. */
  sinceMs: number;
}

/**
 * Time by which data is aged, so that a clock that is set right within an hour makes nothing too old.
 *
 * Beside the system's clock there is a line of time that only moves as time passes. While both agree to a day, the clock is believed,
 * and otherwise the line. At the start the line goes on where the newest block ends: when the clock is far ahead of that, or the store
 * is new, it is in doubt until it agrees or has run for an hour; when it is far behind, until it is set. A restart confirms nothing:
 * blocks that are sealed in doubt have provisional dates on the line, and get theirs when the clock is believed. All that can happen
 * to data is to be kept longer.
 */
export class GuardedClock {
  readonly #options: GuardedClockOptions;
  /** Unix epoch ms at the moment from which the passed time counts. */
  #originMs: number;
  #doubt: Doubt | undefined;
  /** Where the line of time began in this process, and how far it was off. */
  #startMs: number;
  #shiftMs = 0;
  #isAhead = false;

  constructor(options: GuardedClockOptions) {
    this.#options = options;
    const now = options.nowMs();
    this.#originMs = now - options.passedMs();
    this.#startMs = now;
  }

  /** Compares the clock with what blocks say; undefined without blocks. */
  start(known: KnownTimes | undefined): void {
    const { nowMs, passedMs, logger } = this.#options;
    const now = nowMs();
    const sinceMs = passedMs();
    if (known === undefined) {
      this.#doubt = { isAnchored: false, sinceMs };
      return;
    }
    const { isDated, lastMs } = known;
    const isClose = Math.abs(now - lastMs) <= MAX_OFF_MS;
    if (isDated && isClose) return;
    this.#doubt = { isAnchored: isDated, sinceMs };
    this.#startMs = lastMs;
    this.#originMs = lastMs - sinceMs;
    if (isClose) return;
    const days = Math.round(Math.abs(now - lastMs) / 86_400_000);
    logger.warn(
      { days },
      now < lastMs
        ? `the newest block is from ${days} days after now: the clock of this machine is behind, or was ahead then. What comes now is dated after that block, until the clock is ${isDated ? 'right' : 'believed, within the hour'}`
        : `the newest block is ${days} days old: should the clock of this machine be wrong, set it within the hour. Until then, also after a restart, ages count only the time that this server runs`,
    );
  }

  /** Whether the clock is not in doubt: {@link dateMs} is no provisional date. */
  get isSure(): boolean {
    this.#look(this.#options.nowMs());
    return this.#doubt === undefined;
  }

  /** Unix epoch ms by which ages are counted. */
  nowMs(): number {
    const now = this.#options.nowMs();
    this.#look(now);
    return this.#doubt === undefined ? this.#believed(now) : Math.min(now, this.#lineMs());
  }

  /** Unix epoch ms for what comes in now; provisional while the clock is in doubt. */
  dateMs(): number {
    const now = this.#options.nowMs();
    this.#look(now);
    const line = this.#lineMs();
    return this.#doubt !== undefined || now < line - MAX_OFF_MS ? line : this.#believed(now);
  }

  /**
   * The date of what got a provisional one, once the clock is sure. What an earlier process dated came before the start: it is dated
   * there.
   */
  settledMs(provisionalMs: number): number {
    const endMs = this.#lineMs() - this.#shiftMs;
    return Math.min(Math.max(provisionalMs, this.#startMs), endMs) + this.#shiftMs;
  }

  /** The line of time, in whole ms as the manifest has them. */
  #lineMs(): number {
    return Math.floor(this.#originMs + this.#options.passedMs());
  }

  /** Ends the doubt when the clock agrees with what is known, or has run for long enough. */
  #look(now: number): void {
    const doubt = this.#doubt;
    if (doubt === undefined) return;
    const passed = this.#options.passedMs();
    const off = now - this.#lineMs();
    const isBehind = doubt.isAnchored && off < -MAX_OFF_MS;
    // One that is behind is wrong, or the line is: it gets its hour when it is set forward.
    if (isBehind) doubt.sinceMs = passed;
    const agrees = doubt.isAnchored && Math.abs(off) <= MAX_OFF_MS;
    if (isBehind || (!agrees && passed - doubt.sinceMs < DOUBT_MS)) return;
    this.#doubt = undefined;
    this.#shiftMs = off;
    this.#originMs = now - passed;
    if (Math.abs(off) <= MAX_OFF_MS) return;
    const days = Math.round(off / 86_400_000);
    this.#options.logger.info(
      { days },
      'the clock of this machine has run for an hour and is believed from now on',
    );
  }

  #believed(now: number): number {
    const line = this.#lineMs();
    const isAhead = now - line > MAX_OFF_MS;
    if (isAhead && !this.#isAhead) {
      const hours = Math.round((now - line) / 3_600_000);
      this.#options.logger.warn(
        { aheadHours: hours },
        'the clock of this machine was set forward by more than a day: retention goes by the time that has passed until the next start, and an hour longer',
      );
    }
    this.#isAhead = isAhead;
    return isAhead ? line : now;
  }
}
