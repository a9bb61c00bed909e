// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';

/**
 * Turns of the event loop, handed to one after the other: however many answers are made at a time, between two pieces of
 * work the loop is free. (With `setImmediate` alone all that wait go on in the same turn.)
 */
export class LoopTurns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a turn that nobody else who asked works in. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => setImmediate());
    return this.#last;
  }
}
