// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';

/** While blocks come and go it is waited for so many ticks at most. Fewer would count blocks that are merged soon. */
const MAX_BUSY_TICKS = 20;

/** What a {@link Preparer} works with. */
interface PreparerParts {
  readonly blocks: Pick<LiveBlocks, 'readable'>;
  /** Has the query worker take in what is new in a tenant's blocks. @returns false when a question came first */
  readonly prepare: (tenant: Tenant) => Promise<boolean>;
}

/**
 * Has looked for and counted, once blocks do not change any more, what a question would have to look for and count first, so that
 * nobody waits for it.
 */
export class Preparer {
  readonly #parts: PreparerParts;
  /** Tenants whose blocks changed since they were prepared; at first all. */
  #changed: Set<Tenant> | undefined;
  /** Tenants that were prepared, and so may have counts of blocks that are gone. */
  readonly #prepared = new Set<Tenant>();
  /** Whether blocks came or went since the last tick. */
  #isBusy = false;
  /** Ticks in a row of which that is true. */
  #busyTicks = 0;
  #running: Promise<void> | undefined;
  /** Whether a question came first when it was tried last. */
  #isStopped = false;

  constructor(parts: PreparerParts) {
    this.#parts = parts;
  }

  /** Blocks of a tenant came or went. */
  note(tenant: Tenant): void {
    this.#changed?.add(tenant);
    this.#isBusy = true;
  }

  /**
   * To be called when the store starts, while nobody can ask yet: begins with what each tenant needs, also one with a single block.
   * @returns as {@link tick}
   */
  start(): Promise<void> | undefined {
    for (const { tenant } of this.#parts.blocks.readable()) this.#prepared.add(tenant);
    return this.tick();
  }

  /**
   * To be called when nobody asks any more: goes on with what a question stopped, unless blocks came or went.
   * @returns as {@link tick}
   */
  resume(): Promise<void> | undefined {
    return this.#isStopped && !this.#isBusy ? this.tick() : undefined;
  }

  /**
   * To be called every few seconds; begins when no block came or went since the last call.
   * @returns what has begun, for tests; never rejects
   */
  tick(): Promise<void> | undefined {
    if (this.#running !== undefined) return this.#running;
    this.#changed ??= new Set(this.#parts.blocks.readable().map(({ tenant }) => tenant));
    if (this.#changed.size === 0) return undefined;
    const isBusy = this.#isBusy;
    this.#isBusy = false;
    if (isBusy && ++this.#busyTicks < MAX_BUSY_TICKS) return undefined;
    this.#busyTicks = 0;
    this.#isStopped = false;
    this.#running = this.#prepare(this.#changed).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Prepares tenant by tenant, until a question comes. */
  async #prepare(changed: Set<Tenant>): Promise<void> {
    const blocks = new Map<Tenant, number>();
    for (const { tenant } of this.#parts.blocks.readable()) {
      blocks.set(tenant, (blocks.get(tenant) ?? 0) + 1);
    }
    for (const tenant of [...changed]) {
      changed.delete(tenant);
      // Nothing is shared where there is one block; to start a worker only to find that out would cost its memory.
      if ((blocks.get(tenant) ?? 0) < 2 && !this.#prepared.has(tenant)) continue;
      // What fails, a question will tell.
      const isDone = await this.#parts.prepare(tenant).catch(() => true);
      if (!isDone) {
        changed.add(tenant);
        this.#isStopped = true;
        return;
      }
      this.#prepared.add(tenant);
    }
  }
}
