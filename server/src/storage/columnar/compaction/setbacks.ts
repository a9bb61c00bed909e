// SPDX-License-Identifier: Apache-2.0

/** Pause after something failed for the first time; it doubles with each time after that. */
const FIRST_PAUSE_MS = 60_000;

/** A try may take a minute of a processor: this is what one that fails each time costs at most, in an hour. */
const MAX_PAUSE_MS = 3_600_000;

interface Setback {
  readonly blocks: readonly number[];
  readonly times: number;
  readonly untilMs: number;
}

/**
 * What failed with which blocks, so that these are left alone for a while, each time longer, and others get their turn. It is
 * forgotten with the first of the blocks that goes, and with the process.
 */
export class Setbacks {
  readonly #passedMs: () => number;
  readonly #known = new Map<string, Setback>();

  /** @param passedMs time since some moment, which nobody can set */
  constructor(passedMs: () => number) {
    this.#passedMs = passedMs;
  }

  /** Notes that something failed with these blocks; returns how often it did by now. */
  note(blocks: readonly number[]): number {
    const key = blocks.join(' ');
    const times = (this.#known.get(key)?.times ?? 0) + 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (times - 1), MAX_PAUSE_MS);
    this.#known.set(key, { blocks, times, untilMs: this.#passedMs() + pauseMs });
    return times;
  }

  /** Those of the blocks that are not left alone now; they are all that there still are. */
  others<Block extends { readonly id: number }>(existing: readonly Block[]): readonly Block[] {
    if (this.#known.size === 0) return existing;
    const ids = new Set(existing.map(({ id }) => id));
    const held = new Set<number>();
    for (const [key, { blocks, untilMs }] of this.#known) {
      if (!blocks.every((block) => ids.has(block))) this.#known.delete(key);
      else if (this.#passedMs() < untilMs) for (const block of blocks) held.add(block);
    }
    return existing.filter(({ id }) => !held.has(id));
  }
}
