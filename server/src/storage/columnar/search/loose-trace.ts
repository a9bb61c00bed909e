// SPDX-License-Identifier: Apache-2.0
import type { TraceId } from '@spoor/core/model/ids.ts';
import type { TraceFacts } from '@spoor/core/query/trace-predicate.ts';
import type { HeadBatch } from '../head/head-batch.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { LooseTable } from './loose-table.ts';
import type { RoughTrace } from './rough-trace-test.ts';
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
  /** Number of the trace in the batch. */
  readonly trace: number;
}

/** A trace that is not in a single block, as the table has it: made when it is looked at, and not kept. */
export class LooseTrace implements RoughTrace {
  /** In the table. */
  readonly number: number;
  readonly #table: LooseTable;
  #id: TraceId | undefined;

  constructor(table: LooseTable, number: number) {
    this.#table = table;
    this.number = number;
  }

  get id(): TraceId {
    return (this.#id ??= this.#table.idOf(this.number));
  }
  /** Its parts in blocks. */
  get blocks(): readonly BlockPart[] {
    return this.#table.blocksOf(this.number);
  }
  /** Its parts in the head. */
  get head(): readonly BatchPart[] {
    return this.#table.headOf(this.number);
  }
  /** Number of the page that it is on. */
  get page(): number {
    return this.#table.pageOf(this.number);
  }
  get isInHead(): boolean {
    return this.#table.isInHead(this.number);
  }
  /** Exact, as copies of spans change neither this nor the end. */
  get startTimeUnixNano(): bigint {
    return this.#table.startOf(this.number);
  }
  get endTimeUnixNano(): bigint {
    return this.#table.endOf(this.number);
  }
  /** The double that is nearest to the start. */
  get roughStart(): number {
    return this.#table.roughStartOf(this.number);
  }
  get minDuration(): number {
    return this.#table.roughDurationOf(this.number);
  }
  get maxDuration(): number {
    return this.minDuration;
  }
  get longest(): number {
    return this.#table.longestOf(this.number);
  }
  /** Whether its counts may count copies of spans. */
  get mayRepeat(): boolean {
    return this.#table.mayRepeat(this.number);
  }
  get minSpans(): number {
    return this.mayRepeat ? 1 : this.maxSpans;
  }
  /** Copies of a span count as often as they are there. */
  get maxSpans(): number {
    return this.#table.spansOf(this.number);
  }
  get minErrors(): number {
    return this.mayRepeat ? 0 : this.maxErrors;
  }
  get maxErrors(): number {
    return this.#table.errorsOf(this.number);
  }

  maxCount(): number {
    return Infinity;
  }

  /** What is known of the trace without its spans; undefined where only they tell its counts or its root. */
  get facts(): TraceFacts | undefined {
    if (this.mayRepeat || this.#table.hasSecondRoot(this.number)) return undefined;
    return new LooseFacts(this, this.#table.rootOf(this.number));
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
