// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '#telemetry/logger.ts';
import type { StoreDamage } from '#storage/tracestore.ts';

/** Damages kept for `/status`: enough to see what is wrong, few enough to be sent with every answer. All are in the log. */
const MAX_LISTED = 100;

/** What of a store was found damaged since it was opened. Each is told in the log once. */
export class DamageReport {
  readonly #logger: Pick<Logger, 'error'>;
  #listed: StoreDamage[] = [];
  readonly #files = new Set<string>();
  readonly #blocks = new Map<number, string>();

  constructor(logger: Pick<Logger, 'error'>) {
    this.#logger = logger;
  }

  /** The first of them, in the order in which they were found. */
  get listed(): readonly StoreDamage[] {
    return this.#listed;
  }

  /** Files concerned. */
  get files(): number {
    return this.#files.size;
  }

  /** Paths of the blocks that are left out of all answers, by their ids. */
  get blocks(): ReadonlyMap<number, string> {
    return this.#blocks;
  }

  /** Notes damage of a file that is no block. */
  add(path: string, message: string): void {
    this.#files.add(path);
    if (this.#listed.length < MAX_LISTED) this.#listed.push({ path, message });
    this.#logger.error({ path }, message);
  }

  /** Notes that a block is damaged, which leaves it out of all answers; false when that is known. */
  addBlock(id: number, path: string, reason: string): boolean {
    if (this.#blocks.has(id)) return false;
    this.#blocks.set(id, path);
    this.add(path, `a damaged block is left out of all answers: ${reason}`);
    return true;
  }

  /** Says that a block was removed. */
  forgetBlock(id: number): void {
    const path = this.#blocks.get(id);
    if (path === undefined) return;
    this.#blocks.delete(id);
    this.#files.delete(path);
    this.#listed = this.#listed.filter((damage) => damage.path !== path);
  }
}
