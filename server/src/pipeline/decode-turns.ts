// SPDX-License-Identifier: Apache-2.0
import { senderWentAway } from './body-decoding.ts';

/** A body that waits. */
interface Waiter {
  readonly places: number;
  readonly go: () => void;
}

/** Lets bodies have some of a few places, first come, first served. */
export class DecodeTurns {
  readonly #places: number;
  #taken = 0;
  readonly #waiting: Waiter[] = [];

  constructor(places: number) {
    this.#places = places;
  }

  /**
   * Works once nobody else has any place, and before those who wait.
   * @throws {SpoorError} cancelled: the signal fired before
   */
  takeAll<Result>(left: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    return this.#take(this.#places, left, work);
  }

  /**
   * Works once there is a place.
   * @throws {SpoorError} cancelled: the signal fired before
   */
  take<Result>(left: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    return this.#take(1, left, work);
  }

  async #take<Result>(
    places: number,
    left: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    if (left.aborted) throw senderWentAway();
    await this.#wait(places, left);
    try {
      // It may have fired in the moment in which the turn came.
      if (isAborted(left)) throw senderWentAway();
      return await work();
    } finally {
      this.#taken -= places;
      this.#next();
    }
  }

  /** Resolves with the places taken. */
  async #wait(places: number, left: AbortSignal): Promise<void> {
    const turn = Promise.withResolvers<void>();
    const waiter = { places, go: turn.resolve };
    const giveUp = (): void => {
      const at = this.#waiting.indexOf(waiter);
      // Its turn has come just now.
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      turn.reject(senderWentAway());
      this.#next();
    };
    left.addEventListener('abort', giveUp);
    if (places === 1) this.#waiting.push(waiter);
    else this.#waiting.unshift(waiter);
    this.#next();
    try {
      await turn.promise;
    } finally {
      left.removeEventListener('abort', giveUp);
    }
  }

  #next(): void {
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined || this.#taken + first.places > this.#places) return;
      this.#waiting.shift();
      this.#taken += first.places;
      first.go();
    }
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
