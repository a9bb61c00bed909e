// SPDX-License-Identifier: Apache-2.0
import type { TraceId } from '@spoor/core/model/ids.ts';
import { DerivedCounts } from '#storage/derived-counts.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { BlockPart, LooseTraces } from '../search/loose-traces.ts';
import { GatheredRows } from './gathered-rows.ts';

/** Rows of traces, those in other blocks included, that are gathered before they are counted: some MB. */
const GATHERED_ROWS = 16_384;

/** Counts what a block changes in the traces that it shares with blocks before it. */
export class OverlapCounter {
  readonly counts = new DerivedCounts();
  /** Those of the blocks before it that it shares traces with. */
  readonly shared = new Set<BlockReader>();
  readonly #reader: BlockReader;
  readonly #before: ReadonlySet<BlockReader>;
  /** Parts of each trace, the block's own last, in the order of their ids. */
  #waiting: BlockPart[][] = [];
  /** Of those traces, wherever they are. */
  #rows = 0;

  constructor(reader: BlockReader, before: ReadonlySet<BlockReader>) {
    this.#reader = reader;
    this.#before = before;
  }

  /** Looks at all traces of the block that are in several places. */
  count(loose: LooseTraces, checkCancelled: () => void): void {
    const { footer, firstTraces } = this.#reader;
    const isLoose = loose.looseOf(this.#reader);
    for (let g = 0; g < footer.groups.length; g++) {
      const [first, end] = [firstTraces[g]!, firstTraces[g + 1]!];
      const group = this.#reader.group(g);
      for (let trace = first; trace < end; trace++) {
        if (isLoose[trace] === 0) continue;
        this.#add(loose, group.traceIdAt(trace - first), trace);
        if (this.#rows < GATHERED_ROWS) continue;
        checkCancelled();
        this.#countWaiting();
      }
    }
    checkCancelled();
    this.#countWaiting();
  }

  #add(loose: LooseTraces, id: TraceId, trace: number): void {
    const { blocks, maxSpans } = loose.get(id)!;
    const earlier = blocks.filter(({ reader }) => this.#before.has(reader));
    if (earlier.length === 0) return;
    for (const { reader } of earlier) this.shared.add(reader);
    this.#waiting.push([...earlier, { reader: this.#reader, trace }]);
    this.#rows += maxSpans;
  }

  #countWaiting(): void {
    const gathered = new Map<BlockReader, GatheredRows>();
    // All of them are gathered before they are counted: columns grow meanwhile.
    const traces = this.#waiting.map((parts) => ({ parts, rows: gather(parts, gathered) }));
    for (const { parts, rows } of traces) {
      if (rows !== undefined && this.counts.addJoined(rows)) continue;
      const slices = parts.map(({ reader, trace }) => reader.part(trace));
      this.counts.addTrace(slices, slices.length - 1);
      this.counts.takeBack(slices.slice(-1));
    }
    this.counts.releaseSources();
    this.#waiting = [];
    this.#rows = 0;
  }
}

/** The rows of a trace, part by part; undefined where a block cannot be gathered from. */
function gather(
  parts: readonly BlockPart[],
  gathered: Map<BlockReader, GatheredRows>,
): { columns: GatheredRows; rows: Uint32Array }[] | undefined {
  if (!parts.every(({ reader }) => GatheredRows.canGather(reader))) return undefined;
  return parts.map(({ reader, trace }) => {
    let columns = gathered.get(reader);
    if (columns === undefined) gathered.set(reader, (columns = new GatheredRows(reader)));
    return { columns, rows: columns.add(trace) };
  });
}
