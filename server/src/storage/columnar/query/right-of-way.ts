// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Later } from '#later.ts';

/** So long a question is answered before it is stopped for another one, at first. */
const FIRST_SLICE_MS = 100;

/** What goes before what: `lookup` before all else, `search` before `count`. */
export type QuestionRank = 'lookup' | 'search' | 'count';

const RANKS: readonly QuestionRank[] = ['lookup', 'search', 'count'];

/** How a question is asked: `begin` is called when its answer begins. */
type Ask<Answer> = (stop: AbortSignal | undefined, begin: () => void) => Promise<Answer>;

/**
 * Has questions that may take seconds give way to those that take milliseconds, where one thread answers both: when one of these comes,
 * what has been answered for long enough is stopped, and asked anew behind it.
 *
 * Each time it has twice as long, so in the end it is answered whatever comes, and all of its tries take at most twice as long as the last.
 */
export class RightOfWay {
  readonly #later: Later;
  /** What is stopped when something comes that goes before it. */
  readonly #due = new Map<AbortController, QuestionRank>();
  /** Questions under way. */
  readonly #asked: Record<QuestionRank, number> = { lookup: 0, search: 0, count: 0 };

  constructor(later: Later) {
    this.#later = later;
  }

  /**
   * Asks, after what goes before has stopped what gives way to it.
   * @param signal as of the caller, who gets what `ask` rejects with when it has fired
   * @param ask is called anew after it was stopped
   */
  async ask<Answer>(
    rank: QuestionRank,
    signal: AbortSignal | undefined,
    ask: Ask<Answer>,
  ): Promise<Answer> {
    this.#asked[rank]++;
    for (const [stop, other] of this.#due) if (goesBefore(rank, other)) stop.abort();
    try {
      return rank === 'lookup'
        ? await ask(signal, () => {})
        : await this.#askGiving(rank, signal, ask);
    } finally {
      this.#asked[rank]--;
    }
  }

  async #askGiving<Answer>(
    rank: QuestionRank,
    signal: AbortSignal | undefined,
    ask: Ask<Answer>,
  ): Promise<Answer> {
    for (let sliceMs = FIRST_SLICE_MS; ; sliceMs *= 2) {
      const stop = new AbortController();
      let isOver = false;
      let forget = (): void => {};
      const begin = (): void => {
        if (!isOver) forget = this.#later(() => this.#passed(stop, rank), sliceMs);
      };
      const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
      try {
        return await ask(either, begin);
      } catch (error) {
        const isStopped = stop.signal.aborted && signal?.aborted !== true && isCancelled(error);
        if (!isStopped) throw error;
      } finally {
        isOver = true;
        forget();
        this.#due.delete(stop);
      }
    }
  }

  /** The time of a question has passed. */
  #passed(stop: AbortController, rank: QuestionRank): void {
    if (RANKS.some((other) => goesBefore(other, rank) && this.#asked[other] > 0)) stop.abort();
    else this.#due.set(stop, rank);
  }
}

function goesBefore(one: QuestionRank, other: QuestionRank): boolean {
  return RANKS.indexOf(one) < RANKS.indexOf(other);
}

function isCancelled(error: unknown): boolean {
  return error instanceof SpoorError && error.code === 'cancelled';
}
