// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import type { BlockRewriter } from './block-rewriter.ts';
import type { SpanSelection } from './span-selection.ts';

/** How {@link deleteSpans} deletes. */
export interface DeleteOptions {
  /** Blocks that cannot be read and may hold such spans go as a whole. */
  readonly dropUnreadable?: boolean;
}

/** What {@link deleteSpans} works with. */
export interface DeletionParts {
  readonly blocks: Pick<LiveBlocks, 'all' | 'readable' | 'waiting'>;
  readonly rewriter: BlockRewriter;
}

/**
 * Removes spans of a tenant from its blocks, in one step.
 * @returns how many there were
 * @throws {SpoorError} unavailable: a block that may hold such spans cannot be read or waits for room, or there is no room; nothing was removed
 */
export async function deleteSpans(
  { blocks, rewriter }: DeletionParts,
  tenant: Tenant,
  selection: SpanSelection,
  { dropUnreadable = false }: DeleteOptions = {},
): Promise<number> {
  const { startMinUnixNano = 0n, startMaxUnixNano = 2n ** 64n } = selection;
  const isConcerned = (block: BlockEntry): boolean =>
    block.tenant === tenant &&
    block.maxStartUnixNano >= startMinUnixNano &&
    block.minStartUnixNano < startMaxUnixNano;
  const waiting = blocks.waiting.filter(isConcerned);
  if (waiting.length > 0) {
    const ids = waiting.map(({ id }) => id).join(', ');
    throw new SpoorError(
      'unavailable',
      `nothing was deleted: blocks of tenant ${tenant} that the manifest does not name may hold such spans: ${ids}; the next start with more room would bring them back`,
    );
  }
  const concerned = blocks.all().filter(isConcerned);
  for (;;) {
    const readable = new Set(blocks.readable());
    const unreadable = concerned.filter((block) => !readable.has(block));
    if (unreadable.length > 0 && !dropUnreadable) {
      const ids = unreadable.map(({ id }) => id).join(', ');
      throw new SpoorError(
        'unavailable',
        `nothing was deleted: blocks of tenant ${tenant} cannot be read and may hold such spans: ${ids}; a whole copy would bring them back, --drop-damaged gives them up`,
      );
    }
    const wanted = concerned
      .filter((block) => readable.has(block))
      .map((block) => ({ block, without: selection }));
    try {
      return await rewriter.leaveOut(wanted, 0, unreadable);
    } catch (error) {
      // One that was found damaged just now is one that cannot be read.
      const left = new Set(blocks.readable());
      if (wanted.every(({ block }) => left.has(block))) throw error;
    }
  }
}
