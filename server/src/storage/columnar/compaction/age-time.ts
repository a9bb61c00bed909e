// SPDX-License-Identifier: Apache-2.0
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { GuardedClock } from './guarded-clock.ts';

/** What an {@link AgeTime} works with. */
export interface AgeTimeParts {
  readonly clock: GuardedClock;
  readonly blocks: Pick<LiveBlocks, 'all' | 'alone' | 'redate'>;
}

/** The time by which blocks are aged, and their dates, which are provisional while the clock is in doubt. */
export class AgeTime {
  readonly #clock: GuardedClock;
  readonly #blocks: AgeTimeParts['blocks'];
  /** The clock is sure, and no block has a provisional date any more. */
  #isSettled = false;

  constructor({ clock, blocks }: AgeTimeParts) {
    this.#clock = clock;
    this.#blocks = blocks;
  }

  /**
   * Unix epoch ms for the ages of the blocks that are there then. Once the clock is sure, those that were sealed while it was in doubt
   * have got the dates that they are known to have.
   * @throws {SpoorError} unavailable: these cannot be noted
   */
  async now(): Promise<number> {
    // Should the doubt end after this line it is the time of the doubt, which makes nothing too old.
    const nowMs = this.#clock.nowMs();
    if (!this.#isSettled && this.#clock.isSure) {
      // Also of what is being sealed just now.
      await this.#blocks.alone(() => this.#settle());
      this.#isSettled = true;
    }
    return nowMs;
  }

  async #settle(): Promise<void> {
    const undated = this.#blocks.all().filter(({ isUndated }) => isUndated);
    const dated = undated.map((block) => ({
      ...block,
      isUndated: false,
      createdUnixMs: this.#clock.settledMs(block.createdUnixMs),
    }));
    await this.#blocks.redate(dated);
  }
}
