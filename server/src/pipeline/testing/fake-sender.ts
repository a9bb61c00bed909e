// SPDX-License-Identifier: Apache-2.0
import type { Sender } from '../trace-ingest.ts';

/** A sender that goes away when a test says so. */
export class FakeSender implements Sender {
  isGone = false;
  #then: (() => void) | undefined;

  whenGone(then: () => void): void {
    this.#then = then;
  }

  leave(): this {
    this.isGone = true;
    this.#then?.();
    return this;
  }
}
