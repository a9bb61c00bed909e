// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '#telemetry/logger.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { type BlockRewriter, RETRY_MS } from './block-rewriter.ts';
import { mergedEntry } from './merged-entry.ts';

/** What {@link BlockReturn} works with. */
export interface BlockReturnParts {
  readonly logger: Pick<Logger, 'info'>;
  /** Time since some moment, which nobody can set. */
  readonly passedMs: () => number;
  readonly blocks: Pick<LiveBlocks, 'readable' | 'unread' | 'alone' | 'commit'>;
  readonly rewriter: BlockRewriter;
}

/** The way back of blocks that were left out of all answers. */
export class BlockReturn {
  readonly #parts: BlockReturnParts;
  /** When it is tried again to read what could not be read. */
  #againMs: number | undefined;

  constructor(parts: BlockReturnParts) {
    this.#parts = parts;
  }

  /**
   * Takes a block back that was left out, when all of it can be read: it is written anew, without what other blocks hold by now.
   * Nothing may be sealed meanwhile. Never rejects.
   */
  async takeBack(block: BlockEntry): Promise<void> {
    const { blocks, rewriter, logger } = this.#parts;
    const { tenant, id, level } = block;
    const what = { tenant, block: id };
    try {
      await rewriter.requireRoom([block]);
      const others = blocks.readable().filter((other) => other.tenant === tenant);
      const written = await rewriter.write([{ block, without: undefined }], { others });
      const figures = written.result.block;
      await blocks.commit({
        addBlocks: figures === undefined ? [] : [mergedEntry([block], figures, written.id, level)],
        removeBlocks: [{ tenant, id }],
      });
      const spans = figures?.rows ?? 0;
      logger.info({ ...what, spans }, 'a block that was left out can be read and is back');
    } catch (error) {
      logger.info({ ...what, err: error }, 'a block that was left out stays so');
    }
  }

  /** Tries to take back what the disk failed to read, a while after. */
  async takeBackUnread(): Promise<void> {
    const { blocks, passedMs } = this.#parts;
    const unread = blocks.unread();
    if (unread.length === 0) {
      this.#againMs = undefined;
      return;
    }
    this.#againMs ??= passedMs() + RETRY_MS;
    if (passedMs() < this.#againMs) return;
    this.#againMs = passedMs() + RETRY_MS;
    for (const block of unread) await blocks.alone(() => this.takeBack(block));
  }
}
