// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '#model/errors.ts';

/** What some patterns may take together. */
interface RegexLimits {
  /** Steps of their programs, some 60 bytes each. */
  readonly programSteps: number;
  /** What they remember of the texts they saw, in bytes; for one more they forget all. */
  readonly rememberedBytes: number;
}

/** Ten patterns of the largest size, or thousands that somebody would type: 6 MiB. */
const REGEX_LIMITS: RegexLimits = { programSteps: 100_000, rememberedBytes: 16 << 20 };

/** Steps and bytes that are looked at between two checkpoints, for a millisecond at most. */
const WORK_BETWEEN_CHECKPOINTS = 1 << 16;

/**
 * What the patterns of one query may cost together, in memory and in time until it is asked whether to go on. They come from users,
 * and so do the texts: 18 characters of pattern have as many states as a text has characters, of thousands of steps each.
 */
export class RegexBudget {
  readonly #checkpoint: () => void;
  readonly #limits: RegexLimits;
  /** Have each pattern forget what it remembers. */
  readonly #forgets: (() => void)[] = [];
  #programSteps = 0;
  #rememberedBytes = 0;
  #work = 0;

  /** @param checkpoint called now and then while texts are matched; what it throws ends the work */
  constructor(checkpoint: () => void = () => undefined, limits: RegexLimits = REGEX_LIMITS) {
    this.#checkpoint = checkpoint;
    this.#limits = limits;
  }

  /**
   * Counts a pattern.
   * @param steps of its program
   * @param forget called when it is to forget what it remembers
   * @throws {SpoorError} invalid_argument: over the limit of all
   */
  add(steps: number, forget: () => void): void {
    const { programSteps } = this.#limits;
    if ((this.#programSteps += steps) > programSteps) {
      throw new SpoorError(
        'invalid_argument',
        `the patterns of a query take more than ${programSteps} steps when their repetitions are written out`,
      );
    }
    this.#forgets.push(forget);
  }

  /** Counts what a pattern is about to remember. All of them forget first when it is too much beside the rest. */
  remember(bytes: number): void {
    if (this.#rememberedBytes + bytes > this.#limits.rememberedBytes) {
      for (const forget of this.#forgets) forget();
      this.#rememberedBytes = 0;
    }
    this.#rememberedBytes += bytes;
  }

  /** Counts steps, or bytes of a text, that are looked at. Calls the checkpoint when they are many. */
  work(count: number): void {
    if ((this.#work += count) < WORK_BETWEEN_CHECKPOINTS) return;
    this.#work = 0;
    this.#checkpoint();
  }
}
