// SPDX-License-Identifier: Apache-2.0
import type { TraceId } from '@spoor/core/model/ids.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { LooseTraces } from '../search/loose-traces.ts';
import type { OpenBlock, TraceSources } from '../search/trace-sources.ts';
import { lotsOf } from './block-lots.ts';
import { countedOf, type Overlap } from './kept-overlaps.ts';
import { OverlapCounter } from './overlap-counter.ts';

/** A block that is being counted. */
interface Begun {
  readonly block: OpenBlock;
  readonly before: ReadonlyMap<BlockReader, number>;
  readonly counter: OverlapCounter;
}

/**
 * Counts what blocks change in the traces that they share.
 *
 * Most blocks share traces with the one before and the one after them, and the traces are all over them: so some blocks are counted
 * at the same time, and all in the order of their trace ids. What is decoded of a group is then used for both while it is in the
 * cache.
 */
export class OverlapCounting {
  /** By block, what was not finished because it was stopped. */
  readonly #begun = new Map<number, OverlapCounter>();

  /**
   * Counts what some blocks change; what was stopped goes on where it was.
   * @param blocks all of them, in order, those that are to be counted, and the traces that they share
   * @param done told of each block that is counted
   */
  count(
    sources: TraceSources,
    {
      blocks,
      missing,
      loose,
    }: {
      readonly blocks: readonly OpenBlock[];
      readonly missing: readonly OpenBlock[];
      readonly loose: LooseTraces;
    },
    done: (block: OpenBlock, overlap: Overlap) => void,
    checkCancelled: () => void,
  ): void {
    const ids = new Set(missing.map(({ id }) => id));
    for (const id of this.#begun.keys()) if (!ids.has(id)) this.#begun.delete(id);
    const spans = sharedSpans(loose);
    const spansOf = (block: OpenBlock): number =>
      sources.withBlock(block, (reader) => spans.get(reader)) ?? 0;
    for (const together of lotsOf(missing, spansOf)) {
      const some = together.flatMap((block) => this.#begin(sources, blocks, block) ?? []);
      for (const { block, before, counter } of stepAll(sources, loose, some, checkCancelled)) {
        this.#begun.delete(block.id);
        const shared = new Set([...counter.shared].map((reader) => before.get(reader)!));
        done(block, { seen: new Set(before.values()), shared, counted: countedOf(counter.counts) });
      }
    }
  }

  #begin(sources: TraceSources, blocks: readonly OpenBlock[], block: OpenBlock): Begun | undefined {
    const before = new Map(
      blocks
        .slice(0, blocks.indexOf(block))
        .flatMap((one) => sources.withBlock(one, (reader) => [[reader, one.id]]) ?? []),
    );
    return sources.withBlock(block, (reader) => {
      const readers = new Set(before.keys());
      let counter = this.#begun.get(block.id);
      if (counter?.isOf(reader, readers) !== true) counter = new OverlapCounter(reader, readers);
      this.#begun.set(block.id, counter);
      return { block, before, counter };
    });
  }
}

/** Spans of the traces that each block shares with others, copies included. */
function sharedSpans(loose: LooseTraces): Map<BlockReader, number> {
  const spans = new Map<BlockReader, number>();
  for (const { blocks, maxSpans } of loose.values()) {
    if (blocks.length < 2) continue;
    for (const { reader } of blocks) spans.set(reader, (spans.get(reader) ?? 0) + maxSpans);
  }
  return spans;
}

/** Counts until all is counted, always where the next trace id is the least. @returns the blocks that could be read */
function stepAll(
  sources: TraceSources,
  loose: LooseTraces,
  some: readonly Begun[],
  checkCancelled: () => void,
): Begun[] {
  const finished: Begun[] = [];
  /** Undefined where a block cannot be read, null when all of it is counted. */
  const nextId = ({ block, counter }: Begun): TraceId | null | undefined =>
    sources.withBlock(block, () => counter.next(loose) ?? null);
  const standing = new Map<Begun, TraceId>();
  const settle = (one: Begun): void => {
    const id = nextId(one);
    if (id === null) finished.push(one);
    if (id === null || id === undefined) standing.delete(one);
    else standing.set(one, id);
  };
  some.forEach(settle);
  while (standing.size > 0) {
    checkCancelled();
    const [one] = [...standing].reduce((least, other) => (other[1] < least[1] ? other : least));
    const isCounted = sources.withBlock(one.block, () => {
      one.counter.step(loose, checkCancelled);
      return true;
    });
    if (isCounted === undefined) standing.delete(one);
    else settle(one);
  }
  return finished;
}
