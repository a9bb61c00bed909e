// SPDX-License-Identifier: Apache-2.0
import { MINUTE_NANOS } from '@spoor/core/analysis/minute.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { CountedSpans } from '#storage/counted.ts';
import type { DependencySum } from '#storage/dependency-sum.ts';
import type { DependencyQuery } from '#storage/tracestore.ts';
import type { HeadPart } from '../head/head-part.ts';
import type { OpenBlock, TraceSources } from '../search/trace-sources.ts';
import { blockEdges, blockSpans } from './block-counts.ts';
import { type EdgePiece, KeptEdges } from './kept-edges.ts';
import { KeptOverlaps, type Overlap, type OverlapStore } from './kept-overlaps.ts';
import { OverlapCounting } from './overlap-counting.ts';
import { PartCounts } from './part-counts.ts';

/**
 * Calls and rates over the blocks and the head of a tenant.
 *
 * Spans of a trace may lie in any of them, and a call whose two spans lie apart is in none. So pieces are put in an order:
 * blocks by id, then the parts of the head; each piece counts for **what it changes**: the calls with its spans less the calls
 * without them, both over all pieces before it. The sum is the calls of all spans, whatever was cut where. For traces that a piece
 * has alone that is what its own rows count, which blocks store. The others, the loose ones, are read and compared, once: a
 * block does not change, and what comes later has a higher id.
 */
export class DerivedAnswers {
  readonly #overlaps: KeptOverlaps;
  readonly #counting = new OverlapCounting();
  readonly #parts = new Map<HeadPart, PartCounts>();
  readonly #keptEdges = new KeptEdges();
  /** The same without what is inferred. */
  readonly #keptCalls = new KeptEdges();

  /** @param store where what blocks change is kept from start to start */
  constructor(store?: OverlapStore) {
    this.#overlaps = new KeptOverlaps(store);
  }

  /**
   * Looks for traces that are in several blocks, counts what blocks change where nobody has asked for it yet, and keeps both. The head
   * is not looked at, and stays in the table as it is.
   * @param hasRoom whether it may be written to the store
   */
  prepare(sources: TraceSources, checkCancelled: () => void, hasRoom = true): void {
    const blocks = readable(sources);
    sources.loose.prepare(sources.readers(), checkCancelled);
    this.#overlapsOf(sources, blocks, checkCancelled);
    if (hasRoom) this.#overlaps.write(() => checksumsOf(sources, blocks));
  }

  /** The sum of all calls in a range. */
  edges(sources: TraceSources, query: DependencyQuery, checkCancelled: () => void): DependencySum {
    const blocks = readable(sources);
    const pieces = this.#overlapsOf(sources, blocks, checkCancelled).map(
      ({ counted: { edges } }): EdgePiece => ({
        name: edges,
        minutes: {
          fromMinute: edges.table.minutes[0] ?? 0,
          toMinute: (edges.table.minutes.at(-1) ?? 0) + 1,
        },
        edges: () => edges,
      }),
    );
    for (const block of blocks) {
      sources.withBlock(block, (reader) =>
        pieces.push({
          name: block.id,
          minutes: {
            fromMinute: minuteOf(reader.minStartUnixNano),
            toMinute: minuteOf(reader.maxStartUnixNano) + 1,
          },
          edges: () => blockEdges(reader),
        }),
      );
    }
    const head = this.#headCounts(sources, blocks, checkCancelled);
    const kept = query.noInferred === true ? this.#keptCalls : this.#keptEdges;
    const sum = kept.sum(pieces, query, checkCancelled);
    for (const edges of head.flatMap((counts) => counts.edges())) sum.add(edges);
    return sum;
  }

  /**
   * Lets go of parts of the head that no question will see again. What came after them is counted anew: that is little, as a slab is gone
   * soon after it is full.
   */
  forget(gone: ReadonlySet<HeadPart>): void {
    for (const [part, counts] of this.#parts) {
      if (gone.has(part) || counts.isAfter(gone)) this.#parts.delete(part);
    }
  }

  /** Counts whose sum is all spans, to be added up one after the other: those of all blocks may be more than fits into memory. */
  *spans(sources: TraceSources, checkCancelled: () => void): Generator<CountedSpans> {
    const blocks = readable(sources);
    for (const { counted } of this.#overlapsOf(sources, blocks, checkCancelled)) {
      yield counted.spans;
    }
    for (const block of blocks) {
      checkCancelled();
      const spans = sources.withBlock(block, blockSpans);
      if (spans !== undefined) yield spans;
    }
    const head = this.#headCounts(sources, blocks, checkCancelled);
    for (const counts of head) yield* counts.spans();
  }

  /** Rows of the head that are no copies of what is in blocks, or of each other. */
  headRows(
    sources: TraceSources,
    checkCancelled: () => void,
  ): { batch: SpanBatch; rows: Uint32Array }[] {
    const kept = this.#headCounts(sources, readable(sources), checkCancelled).flatMap(
      (counts) => counts.kept,
    );
    return sources.head.map(({ batch }, at) => {
      const isKept = kept[at]!;
      const rows = Uint32Array.from({ length: batch.rows }, (_, row) => row);
      return { batch, rows: rows.filter((row) => isKept[row] === 1) };
    });
  }

  /** What each of the blocks changes, counted where that is not known; only then the loose traces are looked for. */
  #overlapsOf(
    sources: TraceSources,
    blocks: readonly OpenBlock[],
    checkCancelled: () => void,
  ): Overlap[] {
    const overlaps = this.#overlaps;
    const ids = blocks.map(({ id }) => id);
    overlaps.read(() => checksumsOf(sources, blocks));
    overlaps.keepOnly(ids);
    let known = overlaps.of(ids);
    const missing = blocks.filter((_, i) => known[i] === undefined);
    if (missing.length > 0) {
      checkCancelled();
      const { loose } = sources;
      // Of the head nothing is asked here.
      loose.prepare(sources.readers(), checkCancelled);
      const done = ({ id }: OpenBlock, overlap: Overlap): void => overlaps.set(id, overlap);
      this.#counting.count(sources, { blocks, missing, loose }, done, checkCancelled);
      known = overlaps.of(ids);
    }
    return known.filter((overlap) => overlap !== undefined);
  }

  /** What each part of the head changes, after the blocks and the parts before it. */
  #headCounts(
    sources: TraceSources,
    blocks: readonly OpenBlock[],
    checkCancelled: () => void,
  ): PartCounts[] {
    const { parts } = sources;
    for (const part of this.#parts.keys()) if (!parts.includes(part)) this.#parts.delete(part);
    return parts.map((part, i) => {
      let counts = this.#parts.get(part);
      if (counts?.isWhole !== true) this.#parts.set(part, (counts = new PartCounts(part)));
      counts.update(sources, { blocks, parts: parts.slice(0, i) }, checkCancelled);
      return counts;
    });
  }
}

function minuteOf(unixNano: bigint): number {
  return Number(unixNano / MINUTE_NANOS);
}

/** Blocks that can be read, by id. */
function readable(sources: TraceSources): OpenBlock[] {
  return inOrder(sources.blocks).filter(
    (block) => sources.withBlock(block, () => true) !== undefined,
  );
}

function checksumsOf(sources: TraceSources, blocks: readonly OpenBlock[]): Map<number, number> {
  return new Map(
    blocks.flatMap((block) => {
      const checksum = sources.withBlock(block, (reader) => reader.checksum);
      return checksum === undefined ? [] : [[block.id, checksum]];
    }),
  );
}

function inOrder(blocks: readonly OpenBlock[]): OpenBlock[] {
  return blocks.toSorted((a, b) => a.id - b.id);
}
