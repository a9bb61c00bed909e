// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '#telemetry/logger.ts';
import type { StoreDamage } from '#storage/tracestore.ts';

/** Damages kept for `/status`: enough to see what is wrong, few enough to be sent with every answer. All are in the log. */
const MAX_LISTED = 100;

/** A block that is left out of all answers. */
export interface LeftOutBlock {
  readonly path: string;
  readonly reason: string;
  /** The disk failed to read it: it may be readable later. */
  readonly isReadError: boolean;
}

/** What of a store was found damaged since it was opened. Each is told in the log once. */
export class DamageReport {
  readonly #logger: Pick<Logger, 'error' | 'warn'>;
  #listed: StoreDamage[] = [];
  readonly #files = new Set<string>();
  readonly #blocks = new Map<number, LeftOutBlock>();

  constructor(logger: Pick<Logger, 'error' | 'warn'>) {
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

  /** Blocks that are left out of all answers, by their ids. */
  get blocks(): ReadonlyMap<number, LeftOutBlock> {
    return this.#blocks;
  }

  /** Notes damage of a file that is no block. */
  add(path: string, message: string): void {
    this.#list(path, message);
    this.#logger.error({ path }, message);
  }

  /** Tells what may be damage, or what any crash leaves; it is not counted. */
  warn(path: string, message: string): void {
    this.#logger.warn({ path }, message);
  }

  /** Notes that a block cannot be read, which leaves it out of all answers; false when that is known. */
  addBlock(id: number, path: string, reason: string, isReadError = false): boolean {
    if (!this.suspectBlock(id, path, reason, isReadError)) return false;
    this.tellBlock(id);
    return true;
  }

  /** As {@link addBlock}, of a block that will most likely be read in a moment: it is in the log only when {@link tellBlock} says so. */
  suspectBlock(id: number, path: string, reason: string, isReadError = false): boolean {
    if (this.#blocks.has(id)) return false;
    const block = { path, reason, isReadError };
    this.#blocks.set(id, block);
    this.#list(path, whatOf(block));
    return true;
  }

  /** Tells in the log that a block is left out, if it is. */
  tellBlock(id: number): void {
    const block = this.#blocks.get(id);
    if (block !== undefined) this.#logger.error({ path: block.path }, whatOf(block));
  }

  /** Says that a block was removed, or can be read again. */
  forgetBlock(id: number): void {
    const path = this.#blocks.get(id)?.path;
    if (path === undefined) return;
    this.#blocks.delete(id);
    this.#files.delete(path);
    this.#listed = this.#listed.filter((damage) => damage.path !== path);
  }

  #list(path: string, message: string): void {
    this.#files.add(path);
    if (this.#listed.length < MAX_LISTED) this.#listed.push({ path, message });
  }
}

function whatOf({ reason, isReadError }: LeftOutBlock): string {
  const what = isReadError
    ? 'a block that the disk does not read is left out of all answers until it does'
    : 'a damaged block is left out of all answers';
  return `${what}: ${reason}`;
}
