// SPDX-License-Identifier: Apache-2.0
import { findOverlap } from '../live/block-overlap.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { type BlockInfo, type DamagedBlock, KnownBlocks } from '../live/known-blocks.ts';
import type { WorkerFiles } from '../files/store-files.ts';
import { pickRows } from '../block/row-group.ts';
import { allEntries } from '../block/values-chunk.ts';
import type { Remainder } from './span-selection.ts';

/** Where {@link remainderWithout} looks. */
export interface HeldElsewhere {
  /** The data directory. */
  readonly dir: string;
  readonly files: WorkerFiles;
  /** Is given those of the other blocks that could not be read; what they hold counts as not held. */
  readonly damaged: DamagedBlock[];
}

/**
 * What is left of a block without the spans that others hold.
 * @param others blocks of one tenant
 * @throws {SpoorError} as {@link BlockReader}: it is damaged itself
 */
export function remainderWithout(
  reader: BlockReader,
  others: readonly BlockInfo[],
  { dir, files, damaged }: HeldElsewhere,
): Remainder {
  const [first] = others;
  if (first === undefined) return { dropped: 0, kept: [] };
  const known = new KnownBlocks(files);
  known.change({ dir, added: others, removed: [], unreadable: [] });
  let dropped = 0;
  try {
    const kept = reader.footer.groups.map(({ rows }, g): Uint8Array | undefined => {
      const group = reader.group(g);
      const { traceStarts } = group;
      const runs = { columns: group, rows: allEntries(rows), traceStarts };
      const { isCopy, copies } = findOverlap(runs, known.of(first.tenant), (some) => {
        const [columns] = pickRows(reader, [{ group, rows: some }]);
        return Array.from(some, (row) => ({ columns: columns!, row }));
      });
      // Its columns are read while others are looked into.
      if (reader.damage !== undefined) throw reader.damage;
      dropped += copies;
      return copies === 0 ? undefined : isCopy.map((copy) => 1 - copy);
    });
    return { dropped, kept };
  } finally {
    const isOwn = ({ reason }: DamagedBlock): boolean => reason.startsWith(`block ${reader.path}:`);
    damaged.push(...known.takeDamage().filter((block) => !isOwn(block)));
    // Closes what was opened.
    known.change({ dir, added: [], removed: others, unreadable: [] });
  }
}
