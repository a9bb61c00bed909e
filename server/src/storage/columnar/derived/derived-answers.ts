// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { SpanColumns } from '@spoor/core/model/span-columns.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import { DerivedCounts, type KeepRows } from '#storage/derived-counts.ts';
import type { BlockReader } from '../block-reader.ts';
import type { HeadBatch } from '../head-batch.ts';
import type { OpenBlock, TraceSources } from '../trace-sources.ts';
import { blockEdges, blockSpans } from './block-counts.ts';
import { joinIds, rowsByTrace } from './head-traces.ts';
import { PartFinder } from './part-finder.ts';

/** Traces of the head that are looked up at once. */
const HEAD_TRACES = 512;

/** All that is counted of some spans. */
interface Counted {
  readonly edges: CountedEdges;
  readonly spans: CountedSpans;
}

/** What a block changes in the traces that it shares with blocks before it. */
interface Overlap {
  /** Blocks that were before it; no other may have come there. */
  readonly seen: ReadonlySet<number>;
  /** Those of them that it shares traces with; none may be gone. */
  readonly shared: ReadonlySet<number>;
  readonly counted: Counted;
}

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
  readonly #overlaps = new Map<number, Overlap>();
  #head: HeadCounts | undefined;

  /** Counts whose sum is all calls. */
  edges(sources: TraceSources, checkCancelled: () => void): CountedEdges[] {
    return this.#pieces(sources, checkCancelled, blockEdges, ({ edges }) => edges);
  }

  /** Counts whose sum is all spans. */
  spans(sources: TraceSources, checkCancelled: () => void): CountedSpans[] {
    return this.#pieces(sources, checkCancelled, blockSpans, ({ spans }) => spans);
  }

  /** Rows of the head that are no copies of what is in blocks, or of each other. */
  headRows(
    sources: TraceSources,
    checkCancelled: () => void,
  ): { batch: SpanBatch; rows: Uint32Array }[] {
    const blocks = inOrder(sources.blocks).filter(
      (block) => sources.withBlock(block, () => true) !== undefined,
    );
    const { kept } = this.#headCounts(sources, blocks, checkCancelled);
    return sources.head.map(({ batch }) => {
      const isKept = kept.get(batch)!;
      const rows = Uint32Array.from({ length: batch.rows }, (_, row) => row);
      return { batch, rows: rows.filter((row) => isKept[row] === 1) };
    });
  }

  #pieces<Table>(
    sources: TraceSources,
    checkCancelled: () => void,
    ofBlock: (reader: BlockReader) => Table,
    pick: (counted: Counted) => Table,
  ): Table[] {
    const found: Table[] = [];
    const before: OpenBlock[] = [];
    sources.loose.update(sources.head, sources.readers(), checkCancelled);
    for (const block of inOrder(sources.blocks)) {
      checkCancelled();
      sources.withBlock(block, (reader) => {
        const own = ofBlock(reader);
        const { counted } = this.#overlap(sources, block, reader, before, checkCancelled);
        found.push(own, pick(counted));
        before.push(block);
      });
    }
    const ids = new Set(before.map(({ id }) => id));
    for (const id of this.#overlaps.keys()) if (!ids.has(id)) this.#overlaps.delete(id);
    found.push(pick(this.#headCounts(sources, before, checkCancelled).counted));
    return found;
  }

  #overlap(
    sources: TraceSources,
    block: OpenBlock,
    reader: BlockReader,
    before: readonly OpenBlock[],
    checkCancelled: () => void,
  ): Overlap {
    const known = this.#overlaps.get(block.id);
    const seen = new Set(before.map(({ id }) => id));
    if (known !== undefined && seen.isSubsetOf(known.seen) && known.shared.isSubsetOf(seen)) {
      return known;
    }
    const counts = new DerivedCounts();
    const finder = new PartFinder(sources, before);
    const isLoose = sources.loose.looseOf(reader);
    for (let g = 0; g < reader.footer.groups.length; g++) {
      checkCancelled();
      const traces = looseIn(isLoose, reader.firstTraces[g]!, reader.firstTraces[g + 1]!);
      if (traces.length === 0) continue;
      const group = reader.group(g);
      const { traceIds, traceStarts } = group;
      const ids = traces.map((trace) => traceIds.subarray(trace * 16, trace * 16 + 16));
      for (const { trace: found, parts } of finder.find(Buffer.concat(ids), ids.length)) {
        const trace = traces[found]!;
        const own = group.part(traceStarts[trace]!, traceStarts[trace + 1]!);
        counts.addTrace([...parts, own], parts.length);
        counts.takeBack([own]);
      }
      counts.releaseSources();
    }
    const overlap = { seen, shared: finder.foundIn, counted: countedOf(counts) };
    this.#overlaps.set(block.id, overlap);
    return overlap;
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
      head.counts.releaseSources();
    }
    for (const batch of added) head.batches.add(batch);
    head.counted = countedOf(head.counts);
    return (this.#head = head);
  }
}

/** Numbers within a group of the traces that are not wholly in it. */
function looseIn(isLoose: Uint8Array, first: number, end: number): number[] {
  const traces: number[] = [];
  for (let trace = first; trace < end; trace++)
    if (isLoose[trace] === 1) traces.push(trace - first);
  return traces;
}

function countedOf(counts: DerivedCounts): Counted {
  return { edges: counts.edges(), spans: counts.spans() };
}

function inOrder(blocks: readonly OpenBlock[]): OpenBlock[] {
  return blocks.toSorted((a, b) => a.id - b.id);
}
