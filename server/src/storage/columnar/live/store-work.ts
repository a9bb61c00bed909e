// SPDX-License-Identifier: Apache-2.0
import type { CacheFigures } from '../block/frame-cache.ts';

/** One kind of work: how often it ended well, how often not, and how long it took in all. */
interface WorkFigures {
  readonly done: number;
  readonly failed: number;
  readonly seconds: number;
}

/** Counts work of one kind, with its time. */
class WorkCounter {
  #done = 0;
  #failed = 0;
  #ms = 0;

  get figures(): WorkFigures {
    return { done: this.#done, failed: this.#failed, seconds: this.#ms / 1000 };
  }

  /** Does some of it. */
  async count<Result>(work: () => Promise<Result>): Promise<Result> {
    const startMs = performance.now();
    try {
      const result = await work();
      this.#done++;
      return result;
    } catch (error) {
      this.#failed++;
      throw error;
    } finally {
      this.#ms += performance.now() - startMs;
    }
  }
}

/** What the workers of a store did since it was opened. */
export class StoreWork {
  readonly seals = new WorkCounter();
  readonly questions = new WorkCounter();
  /** Of the query worker at its last answer. */
  cache: CacheFigures = { bytes: 0, hits: 0, misses: 0 };
}
