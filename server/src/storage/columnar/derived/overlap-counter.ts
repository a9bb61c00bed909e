// SPDX-License-Identifier: Apache-2.0
import type { TraceId } from '@spoor/core/model/ids.ts';
import { DerivedCounts } from '#storage/derived-counts.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { RowGroup } from '../block/row-group.ts';
import type { BlockPart } from '../search/loose-trace.ts';
import type { LooseTraces } from '../search/loose-traces.ts';
import { GatheredRows } from './gathered-rows.ts';

/** Rows of traces, those in other blocks included, that are gathered before they are counted: those of some twenty groups of a block. */
const STEP_ROWS = 4096;

/** Counts what a block changes in the traces that it shares with blocks before it, some traces at a time. */
export class OverlapCounter {
  readonly counts = new DerivedCounts();
  /** Those of the blocks before it that it shares traces with. */
  readonly shared = new Set<BlockReader>();
  readonly #reader: BlockReader;
  readonly #before: ReadonlySet<BlockReader>;
  /** Number of the trace that is looked at next. */
  #next = 0;
  /** The group it is in. */
  #group: RowGroup | undefined;
  /** False once something failed while it was added to the counts. */
  #isWhole = true;

  constructor(reader: BlockReader, before: ReadonlySet<BlockReader>) {
    this.#reader = reader;
    this.#before = before;
  }

  /** Whether it has counted well so far, and this. */
  isOf(reader: BlockReader, before: ReadonlySet<BlockReader>): boolean {
    const isSame = this.#before.size === before.size && this.#before.isSubsetOf(before);
    return this.#isWhole && this.#reader === reader && isSame;
  }

  /** Id of the next trace that may be shared; undefined when all have been counted. */
  next(loose: LooseTraces): TraceId | undefined {
    const isLoose = loose.looseOf(this.#reader);
    while (this.#next < isLoose.length && isLoose[this.#next] === 0) this.#next++;
    return this.#next < isLoose.length ? this.#idOf(this.#next) : undefined;
  }

  /** Counts the next traces. When it is stopped it has counted none of them. */
  step(loose: LooseTraces, checkCancelled: () => void): void {
    const { traces, end } = this.#nextTraces(loose);
    const gathered = new Map<BlockReader, GatheredRows>();
    // All of them are gathered before they are counted: columns grow meanwhile.
    const rows = traces.map((parts) => {
      checkCancelled();
      return gather(parts, gathered);
    });
    this.#isWhole = false;
    traces.forEach((parts, t) => this.#count(parts, rows[t]));
    this.counts.releaseSources();
    this.#isWhole = true;
    this.#next = end;
  }

  /** Parts of the next traces, the block's own last, in the order of their ids. */
  #nextTraces(loose: LooseTraces): { traces: BlockPart[][]; end: number } {
    const isLoose = loose.looseOf(this.#reader);
    const traces: BlockPart[][] = [];
    let rows = 0;
    let trace = this.#next;
    for (; trace < isLoose.length && rows < STEP_ROWS; trace++) {
      if (isLoose[trace] === 0) continue;
      const { blocks, maxSpans } = loose.get(this.#idOf(trace))!;
      const earlier = blocks.filter(({ reader }) => this.#before.has(reader));
      if (earlier.length === 0) continue;
      traces.push([...earlier, { reader: this.#reader, trace }]);
      rows += maxSpans;
    }
    return { traces, end: trace };
  }

  #count(parts: readonly BlockPart[], rows: GatheredTrace | undefined): void {
    for (const { reader } of parts.slice(0, -1)) this.shared.add(reader);
    if (rows !== undefined && this.counts.addJoined(rows)) return;
    const slices = parts.map(({ reader, trace }) => reader.part(trace));
    this.counts.addTrace(slices, slices.length - 1);
    this.counts.takeBack(slices.slice(-1));
  }

  #idOf(trace: number): TraceId {
    const { firstTraces } = this.#reader;
    const known = this.#group?.number ?? -1;
    if (known < 0 || trace < firstTraces[known]! || trace >= firstTraces[known + 1]!) {
      this.#group = this.#reader.group(this.#reader.groupOf(trace));
    }
    const group = this.#group!;
    return group.traceIdAt(trace - firstTraces[group.number]!);
  }
}

/** The rows of a trace, part by part. */
type GatheredTrace = { readonly columns: GatheredRows; readonly rows: Uint32Array }[];

/** Undefined where a block cannot be gathered from. */
function gather(
  parts: readonly BlockPart[],
  gathered: Map<BlockReader, GatheredRows>,
): GatheredTrace | undefined {
  if (!parts.every(({ reader }) => GatheredRows.canGather(reader))) return undefined;
  return parts.map(({ reader, trace }) => {
    let columns = gathered.get(reader);
    if (columns === undefined) gathered.set(reader, (columns = new GatheredRows(reader)));
    return { columns, rows: columns.add(trace) };
  });
}
