// SPDX-License-Identifier: Apache-2.0
import type { TraceId } from '@spoor/core/model/ids.ts';
import type { TraceFacts } from '@spoor/core/query/trace-predicate.ts';
import type { HeadBatch } from '../head/head-batch.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { LoosePage } from './loose-pages.ts';
import type { RoughTrace } from './rough-trace-test.ts';
import { durationAt, nanosAt, roughLongestAt, type TraceColumns } from '../block/trace-columns.ts';
import { TraceSummaries } from './trace-summaries.ts';

/** What a block has of a trace. */
export interface BlockPart {
  readonly reader: BlockReader;
  /** Number of the trace in the block. */
  readonly trace: number;
}

/** What a batch of the head has of a trace. */
export interface BatchPart {
  readonly head: HeadBatch;
  /** Number of the trace in the batch; -1 where `head` stands for one that is gone, of which nothing is known any more. */
  readonly trace: number;
}

const NO_PARTS: readonly BlockPart[] = [];

/** A trace that is not in a single block, with all of its parts. */
export class LooseTrace implements RoughTrace {
  readonly id: TraceId;
  /** Made anew for each part: an array that grows has room for 17 from the first on, and there may be a million of these. */
  blocks: readonly BlockPart[] = NO_PARTS;
  readonly head: BatchPart[] = [];
  /** Exact, as copies of spans change neither. */
  startTimeUnixNano = 2n ** 64n;
  endTimeUnixNano = 0n;
  longest = -Infinity;
  /** Copies of a span count as often as they are there. */
  maxSpans = 0;
  maxErrors = 0;
  /** Whether its counts may count copies of spans. */
  mayRepeat = false;
  /** Where it is among the others; {@link LoosePages} sets it. */
  page: LoosePage | undefined;
  /** The first part in a block that has a root, and whether another one has one too. */
  #root: BlockPart | undefined;
  #hasSecondRoot = false;

  constructor(id: TraceId) {
    this.id = id;
  }

  get minDuration(): number {
    return Number(this.endTimeUnixNano - this.startTimeUnixNano);
  }
  get maxDuration(): number {
    return this.minDuration;
  }
  get minSpans(): number {
    return this.mayRepeat ? 1 : this.maxSpans;
  }
  get minErrors(): number {
    return this.mayRepeat ? 0 : this.maxErrors;
  }

  maxCount(): number {
    return Infinity;
  }

  /** What is known of the trace without its spans; undefined where only they tell its counts or its root. */
  get facts(): TraceFacts | undefined {
    if (this.mayRepeat || this.#hasSecondRoot) return undefined;
    return new LooseFacts(this, this.#root);
  }

  /**
   * Takes a part.
   * @param columns of the trace's group
   * @param t its number there
   */
  addBlock(part: BlockPart, columns: TraceColumns, t: number): void {
    this.blocks = this.blocks.concat(part);
    if (part.reader.footer.version === 1) this.mayRepeat = true;
    if (columns.rootName[t] !== 0) {
      this.#hasSecondRoot = this.#root !== undefined;
      this.#root ??= part;
    }
    this.#take(columns, t);
  }

  addHead(part: BatchPart): void {
    this.head.push(part);
    this.mayRepeat = true;
    if (part.trace >= 0) this.#take(part.head.traces.columns, part.trace);
  }

  /** Has a stand-in in the place of its parts in some batches; what is known of the trace stays. */
  replaceHead(batches: ReadonlySet<HeadBatch>, standIn: HeadBatch): void {
    this.head.forEach(({ head }, i) => {
      if (batches.has(head)) this.head[i] = { head: standIn, trace: -1 };
    });
  }

  #take(columns: TraceColumns, trace: number): void {
    const start = nanosAt(columns.start, trace);
    const end = start + durationAt(columns, trace);
    if (start < this.startTimeUnixNano) this.startTimeUnixNano = start;
    if (end > this.endTimeUnixNano) this.endTimeUnixNano = end;
    this.longest = Math.max(this.longest, roughLongestAt(columns, trace));
    this.maxSpans += columns.spans[trace]!;
    this.maxErrors += columns.errors[trace]!;
  }
}

/** Facts of a trace that has at most one root. */
class LooseFacts implements TraceFacts {
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly #root: BlockPart | undefined;

  constructor(trace: LooseTrace, root: BlockPart | undefined) {
    this.startTimeUnixNano = trace.startTimeUnixNano;
    this.endTimeUnixNano = trace.endTimeUnixNano;
    this.spanCount = trace.maxSpans;
    this.errorCount = trace.maxErrors;
    this.#root = root;
  }

  get rootServiceName(): string {
    const root = this.#root;
    return root === undefined ? '' : new TraceSummaries(root.reader).rootServiceName(root.trace);
  }
  get rootSpanName(): string {
    const root = this.#root;
    return root === undefined ? '' : new TraceSummaries(root.reader).rootSpanName(root.trace);
  }
}
