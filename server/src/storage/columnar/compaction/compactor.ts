// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { BlockEntry, ManifestEdit } from '../manifest-edit.ts';
import { expiredBlocks, type RetentionPolicy } from './retention-policy.ts';

/** How often it is looked whether something is to be done, beside the times when blocks came. */
const CHECK_MS = 60_000;

/** Options of {@link Compactor}. */
export interface CompactorOptions {
  readonly logger: Pick<Logger, 'info' | 'error'>;
  readonly nowMs: () => number;
  readonly retention: RetentionPolicy;
  /** All blocks of the open store. */
  readonly blocks: () => BlockEntry[];
  /** Makes blocks come and go in one step. */
  readonly commit: (edit: ManifestEdit) => Promise<void>;
}

/** Looks after the blocks of a store once they are sealed: one thing at a time, so that no two work on the same block. */
export class Compactor {
  readonly #options: CompactorOptions;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** The last of the things to do; never rejects. */
  #last: Promise<void> = Promise.resolve();
  /** Whether a check waits for its turn. */
  #checking = false;
  #failure: string | undefined;
  #expiredBlocks = 0;
  #expiredSpans = 0;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.check(), CHECK_MS).unref();
    this.check();
  }

  /** Lets what is under way end. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#last;
  }

  /** Blocks and spans that retention removed since the start. */
  get figures(): { readonly expiredBlocks: number; readonly expiredSpans: number } {
    return { expiredBlocks: this.#expiredBlocks, expiredSpans: this.#expiredSpans };
  }

  /** Does in the background what is due; to be called when there are new blocks. */
  check(): void {
    const isStarted = this.#timer !== undefined;
    if (!isStarted || this.#checking || this.#closed) return;
    this.#checking = true;
    const done = this.#enqueue(async () => {
      this.#checking = false;
      try {
        await this.#expire();
        this.#failure = undefined;
      } catch (error) {
        if (this.#closed) return;
        const failure = error instanceof Error ? error.message : String(error);
        // The next check tries again, and may say the same.
        if (failure !== this.#failure) {
          this.#options.logger.error({ err: error }, `compaction failed: ${failure}`);
        }
        this.#failure = failure;
      }
    });
    // It rejects only when the store was closed meanwhile.
    done.catch(() => undefined);
  }

  /** Removes all blocks that retention wants gone now. */
  applyRetention(): Promise<void> {
    return this.#enqueue(() => this.#expire());
  }

  async #expire(): Promise<void> {
    const { blocks, retention, nowMs, commit, logger } = this.#options;
    const expired = expiredBlocks(blocks(), retention, nowMs());
    if (expired.length === 0) return;
    await commit({ removeBlocks: expired.map(({ tenant, id }) => ({ tenant, id })) });
    const spans = expired.reduce((sum, block) => sum + block.spans, 0);
    this.#expiredBlocks += expired.length;
    this.#expiredSpans += spans;
    logger.info({ blocks: expired.length, spans }, 'retention removed blocks');
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(() => {
      if (this.#closed) throw new SpoorError('unavailable', 'the store is closed');
      return work();
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
