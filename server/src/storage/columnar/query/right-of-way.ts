// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Later } from '#later.ts';

/** So long a question is answered before it is stopped for another one, at first. */
const FIRST_SLICE_MS = 100;

/**
 * Has questions that may take seconds give way to those that take milliseconds, where one thread answers both: when one of these comes,
 * what has been answered for long enough is stopped, and asked anew behind it.
 *
 * Each time it has twice as long, so in the end it is answered whatever comes, and all of its tries take at most twice as long as the last.
 */
export class RightOfWay {
  readonly #later: Later;
  /** What is stopped when something comes that goes first. */
  readonly #due = new Set<AbortController>();
  /** Questions that go first, under way. */
  #first = 0;

  constructor(later: Later) {
    this.#later = later;
  }

  /** Asks what goes first. */
  async take<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    this.#first++;
    for (const stop of this.#due) stop.abort();
    try {
      return await ask();
    } finally {
      this.#first--;
    }
  }

  /**
   * Asks what gives way.
   * @param signal as of the caller, who gets what `ask` rejects with when it has fired
   * @param ask is called anew after it was stopped; calls `begin` when its answer begins
   */
  async give<Answer>(
    signal: AbortSignal | undefined,
    ask: (stop: AbortSignal, begin: () => void) => Promise<Answer>,
  ): Promise<Answer> {
    for (let sliceMs = FIRST_SLICE_MS; ; sliceMs *= 2) {
      const stop = new AbortController();
      let forget = (): void => {};
      const begin = (): void => {
        forget = this.#later(() => this.#passed(stop), sliceMs);
      };
      const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
      try {
        return await ask(either, begin);
      } catch (error) {
        const isStopped = stop.signal.aborted && signal?.aborted !== true && isCancelled(error);
        if (!isStopped) throw error;
      } finally {
        forget();
        this.#due.delete(stop);
      }
    }
  }

  /** The time of a question has passed. */
  #passed(stop: AbortController): void {
    if (this.#first > 0) stop.abort();
    else this.#due.add(stop);
  }
}

function isCancelled(error: unknown): boolean {
  return error instanceof SpoorError && error.code === 'cancelled';
}
