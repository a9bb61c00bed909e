// SPDX-License-Identifier: Apache-2.0

/**
 * Turns of the event loop, handed to one after the other: however many answers are made at a time, between two pieces of
 * work the loop is free. (With `setImmediate` alone all that wait go on in the same turn.)
 */
export class LoopTurns {
  /** Whether somebody has the turn that it is now. */
  #isTaken = false;
  readonly #waiting: (() => void)[] = [];

  /** Resolves in a turn that nobody else who asked works in; at once where that is this one. */
  async next(): Promise<void> {
    if (this.#isTaken) return new Promise((resolve) => void this.#waiting.push(resolve));
    this.#isTaken = true;
    setImmediate(this.#pass);
  }

  readonly #pass = (): void => {
    const next = this.#waiting.shift();
    this.#isTaken = next !== undefined;
    if (next === undefined) return;
    next();
    setImmediate(this.#pass);
  };
}
