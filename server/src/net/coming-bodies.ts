// SPDX-License-Identifier: Apache-2.0

/** After this a body that has not come whole is slow, in ms: most come within one, under overload within two or three seconds. */
const SLOW_MS = 5000;

interface ComingBody {
  readonly sinceMs: number;
  readonly onSlow: () => void;
}

/** The bodies that have begun to come: those that are slow are told so, that they hold no room for what may never come. */
export class ComingBodies {
  readonly #nowMs: () => number;
  /** By the lease that pays, the oldest first. */
  readonly #bodies = new Map<object, ComingBody>();

  /** @param nowMs monotonic clock in ms */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @param onSlow called once, when the body has not ended in time and others look for room */
  begin(lease: object, onSlow: () => void): void {
    this.#bodies.set(lease, { sinceMs: this.#nowMs(), onSlow });
  }

  /** Nothing happens when it has ended before. */
  end(lease: object): void {
    this.#bodies.delete(lease);
  }

  /** Tells the slow ones. */
  tellSlow(): void {
    if (this.#bodies.size === 0) return;
    const nowMs = this.#nowMs();
    for (const [lease, { sinceMs, onSlow }] of this.#bodies) {
      if (nowMs - sinceMs < SLOW_MS) return;
      this.#bodies.delete(lease);
      onSlow();
    }
  }
}
