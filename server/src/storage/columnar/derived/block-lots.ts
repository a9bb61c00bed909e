// SPDX-License-Identifier: Apache-2.0

/** Blocks that are counted at the same time. */
const MAX_BLOCKS = 8;

/** Shared spans of them: up to 32 bytes of each, which stands in the lists of two counts, are in memory until all are counted. */
const MAX_SPANS = 2 << 20;

/**
 * Takes blocks, in their order, into lots that are counted at the same time: so many that their counts fit in memory.
 * @param spansOf how many spans of a block are counted; one that has too many is alone
 */
export function* lotsOf<Block>(
  blocks: readonly Block[],
  spansOf: (block: Block) => number,
): Generator<Block[], void> {
  let lot: Block[] = [];
  let spans = 0;
  for (const block of blocks) {
    const more = spansOf(block);
    if (lot.length === MAX_BLOCKS || (lot.length > 0 && spans + more > MAX_SPANS)) {
      yield lot;
      lot = [];
      spans = 0;
    }
    lot.push(block);
    spans += more;
  }
  if (lot.length > 0) yield lot;
}
