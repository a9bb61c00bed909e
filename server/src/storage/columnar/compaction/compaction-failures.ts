// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import type { CompactionCounts } from './compaction-figures.ts';
import type { Setbacks } from './setbacks.ts';

/** What {@link CompactionFailures} work with. */
export interface CompactionFailuresParts {
  readonly logger: Pick<Logger, 'error'>;
  readonly blocks: Pick<LiveBlocks, 'readable'>;
  readonly counts: Pick<CompactionCounts, 'failures'>;
}

/** What failed in the background, where nobody waits for an answer: each thing is told once, however often it is tried again. */
export class CompactionFailures {
  readonly #parts: CompactionFailuresParts;
  /** What was told last. */
  #told: string | undefined;
  #closed = false;

  constructor(parts: CompactionFailuresParts) {
    this.#parts = parts;
  }

  /** Tells nothing more: what is broken off fails. */
  close(): void {
    this.#closed = true;
  }

  /** Everything went well: what fails from now on is told, whatever it is. */
  clear(): void {
    this.#told = undefined;
  }

  /** Tells why what was due was not all done. */
  tell(error: unknown): void {
    if (this.#closed) return;
    const failure = messageOf(error);
    // The next check tries again, and may say the same.
    if (failure !== this.#told) {
      this.#parts.logger.error({ err: error }, `compaction failed: ${failure}`);
    }
    this.#told = failure;
  }

  /**
   * Has blocks left alone with which something failed, and says so once. Nothing is done when the reason does not lie in what they
   * hold: there is no room, the store is closed, or one of them was found damaged and is left out anyway.
   */
  setBack(setbacks: Setbacks, blocks: readonly BlockEntry[], error: unknown): void {
    const { logger, counts } = this.#parts;
    const readable = new Set(this.#parts.blocks.readable());
    const isOfStore = error instanceof SpoorError && error.code === 'unavailable';
    if (this.#closed || isOfStore || !blocks.every((block) => readable.has(block))) return;
    counts.failures++;
    const ids = blocks.map(({ id }) => id);
    // What is said here is not said again.
    this.#told = messageOf(error);
    if (setbacks.note(ids) > 1) return;
    const what = blocks.length > 1 ? 'be merged' : 'be written anew without what is past its age';
    logger.error(
      { err: error, tenant: blocks[0]!.tenant, blocks: ids },
      `blocks of tenant ${blocks[0]!.tenant} cannot ${what}: ${ids.join(', ')}. They stay as they are, and it is tried again less and less often, at least once in an hour; others go on: ${this.#told}`,
    );
  }
}
