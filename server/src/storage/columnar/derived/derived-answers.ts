// SPDX-License-Identifier: Apache-2.0
import { MINUTE_NANOS } from '@spoor/core/analysis/minute.ts';
import type { AnalysedColumns } from '@spoor/core/analysis/span-source.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { SpanColumns } from '@spoor/core/model/span-columns.ts';
import type { CountedSpans, DependencySum } from '#storage/counted.ts';
import { DerivedCounts, type KeepRows } from '#storage/derived-counts.ts';
import type { MinuteRange } from '#storage/tracestore.ts';
import type { HeadBatch } from '../head/head-batch.ts';
import type { LooseTraces } from '../search/loose-traces.ts';
import type { OpenBlock, TraceSources } from '../search/trace-sources.ts';
import { blockEdges, blockSpans } from './block-counts.ts';
import { type EdgePiece, KeptEdges } from './kept-edges.ts';
import { joinIds, rowsByTrace } from './head-traces.ts';
import {
  type Counted,
  countedOf,
  KeptOverlaps,
  type Overlap,
  type OverlapStore,
} from './kept-overlaps.ts';
import { OverlapCounting } from './overlap-counting.ts';
import { PartFinder } from './part-finder.ts';

/** Traces of the head that are looked up at once. */
const HEAD_TRACES = 512;

/** What the head adds to the blocks. */
interface HeadCounts {
  /** Ids of the blocks. */
  readonly blocks: string;
  /** Batches that are counted already. */
  readonly batches: Set<HeadBatch>;
  readonly counts: DerivedCounts;
  counted: Counted;
  /** Per batch: 1 for rows that are no copies of what is in blocks or before them. */
  readonly kept: Map<SpanColumns, Uint8Array>;
}

/**
 * Calls and rates over the blocks and the head of a tenant.
 *
 * Spans of a trace may lie in any of them, and a call whose two spans lie apart is in none. So pieces are put in an order:
 * blocks by id, then the batches of the head; each piece counts for **what it changes**: the calls with its spans less the calls
 * without them, both over all pieces before it. The sum is the calls of all spans, whatever was cut where. For traces that a piece
 * has alone that is what its own rows count, which blocks store. The others, the loose ones, are read and compared, once: a
 * block does not change, and what comes later has a higher id.
 */
export class DerivedAnswers {
  readonly #overlaps: KeptOverlaps;
  readonly #counting = new OverlapCounting();
  #head: HeadCounts | undefined;
  readonly #keptEdges = new KeptEdges();

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
    this.#overlapsOf(sources, blocks, checkCancelled, () => sources.loose);
    if (hasRoom) this.#overlaps.write(() => checksumsOf(sources, blocks));
  }

  /** The sum of all calls in a range. */
  edges(sources: TraceSources, range: MinuteRange, checkCancelled: () => void): DependencySum {
    const blocks = readable(sources);
    const pieces = this.#questionOverlaps(sources, blocks, checkCancelled).map(
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
    const { counted } = this.#headCounts(sources, blocks, checkCancelled);
    const sum = this.#keptEdges.sum(pieces, range, checkCancelled);
    sum.add(counted.edges);
    return sum;
  }

  /** Counts whose sum is all spans. */
  spans(sources: TraceSources, checkCancelled: () => void): CountedSpans[] {
    const blocks = readable(sources);
    const found = this.#questionOverlaps(sources, blocks, checkCancelled).map(
      ({ counted }) => counted.spans,
    );
    for (const block of blocks) {
      checkCancelled();
      sources.withBlock(block, (reader) => found.push(blockSpans(reader)));
    }
    found.push(this.#headCounts(sources, blocks, checkCancelled).counted.spans);
    return found;
  }

  /** Rows of the head that are no copies of what is in blocks, or of each other. */
  headRows(
    sources: TraceSources,
    checkCancelled: () => void,
  ): { batch: SpanBatch; rows: Uint32Array }[] {
    const { kept } = this.#headCounts(sources, readable(sources), checkCancelled);
    return sources.head.map(({ batch }) => {
      const isKept = kept.get(batch)!;
      const rows = Uint32Array.from({ length: batch.rows }, (_, row) => row);
      return { batch, rows: rows.filter((row) => isKept[row] === 1) };
    });
  }

  /** As {@link #overlapsOf}, from the loose traces that questions know of. */
  #questionOverlaps(
    sources: TraceSources,
    blocks: readonly OpenBlock[],
    checkCancelled: () => void,
  ): Overlap[] {
    return this.#overlapsOf(sources, blocks, checkCancelled, () => {
      sources.loose.update(sources.head, sources.readers(), checkCancelled);
      return sources.loose;
    });
  }

  /** What each of the blocks changes, counted where that is not known; only then the loose traces are looked for. */
  #overlapsOf(
    sources: TraceSources,
    blocks: readonly OpenBlock[],
    checkCancelled: () => void,
    looseTraces: () => LooseTraces,
  ): Overlap[] {
    const overlaps = this.#overlaps;
    const ids = blocks.map(({ id }) => id);
    overlaps.read(() => checksumsOf(sources, blocks));
    overlaps.keepOnly(ids);
    let known = overlaps.of(ids);
    const missing = blocks.filter((_, i) => known[i] === undefined);
    if (missing.length > 0) {
      checkCancelled();
      const loose = looseTraces();
      const done = ({ id }: OpenBlock, overlap: Overlap): void => overlaps.set(id, overlap);
      this.#counting.count(sources, { blocks, missing, loose }, done, checkCancelled);
      known = overlaps.of(ids);
    }
    return known.filter((overlap) => overlap !== undefined);
  }

  #headCounts(
    sources: TraceSources,
    blocks: readonly OpenBlock[],
    checkCancelled: () => void,
  ): HeadCounts {
    const ids = blocks.map(({ id }) => id).join();
    const batches = new Set(sources.head);
    let head = this.#head;
    if (head?.blocks !== ids || [...head.batches].some((batch) => !batches.has(batch))) {
      const counts = new DerivedCounts();
      head = {
        blocks: ids,
        batches: new Set(),
        counts,
        counted: countedOf(counts),
        kept: new Map(),
      };
    }
    const added = sources.head.filter((batch) => !head.batches.has(batch));
    if (added.length === 0) return (this.#head = head);
    // Until all of them are counted it would be half an answer.
    this.#head = undefined;
    const traces = rowsByTrace(added);
    const earlier = rowsByTrace([...head.batches], traces);
    const keep: KeepRows = (columns, rows) => {
      const isKept = head.kept.get(columns)!;
      for (const row of rows) isKept[row] = 1;
    };
    for (const { batch } of added) head.kept.set(batch, new Uint8Array(batch.rows));
    const batchColumns = new Set<AnalysedColumns>(head.kept.keys());
    const finder = new PartFinder(sources, blocks);
    const list = [...traces.keys()].sort();
    for (let i = 0; i < list.length; i += HEAD_TRACES) {
      checkCancelled();
      const some = list.slice(i, i + HEAD_TRACES);
      const inBlocks = new Map(
        finder.find(joinIds(some), some.length).map(({ trace, parts }) => [trace, parts]),
      );
      some.forEach((id, trace) => {
        const known = [...(inBlocks.get(trace) ?? []), ...(earlier.get(id) ?? [])];
        head.counts.addTrace([...known, ...traces.get(id)!], known.length, keep);
      });
      // Traces are all over the batches; of blocks a few rows were read.
      head.counts.releaseSources(batchColumns);
    }
    head.counts.releaseSources();
    for (const batch of added) head.batches.add(batch);
    head.counted = countedOf(head.counts);
    return (this.#head = head);
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
