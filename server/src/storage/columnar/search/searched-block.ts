// SPDX-License-Identifier: Apache-2.0
import { type CompiledPredicate, selectRows } from '@spoor/core/query/predicate.ts';
import { RowSet } from '@spoor/core/query/row-set.ts';
import { selectStarts, type TimeWindow } from '@spoor/core/query/time-window.ts';
import type { SpanSelections, TraceEvaluator } from '@spoor/core/query/trace-evaluator.ts';
import type { TraceFacts } from '@spoor/core/query/trace-predicate.ts';
import type { TraceQuery } from '@spoor/core/query/trace-query.ts';
import { ALL_GROUPS } from '../block/block-dictionary.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { chooseGroups, groupsOfOperations } from './group-choice.ts';
import type { RoughTrace } from './rough-trace-test.ts';
import { clipRanges } from '../block/start-ranges.ts';
import {
  durationAt,
  nanosAt,
  roughDurationAt,
  roughLongestAt,
  type TraceColumns,
} from '../block/trace-columns.ts';
import { TraceSummaries } from './trace-summaries.ts';

/** What one question found out about a group: small, so that it can be kept while the columns are let go. */
interface GroupFindings {
  /** Rows that meet `where`, in the window or not. */
  readonly matching: RowSet;
  /** First row of each trace, and the number of rows at the end. */
  readonly traceStarts: Uint32Array;
}

/** A block while one question is answered. */
export class SearchedBlock {
  readonly reader: BlockReader;
  readonly summaries: TraceSummaries;
  /** Whether a row may match: false where no span is in the window, or the block has not the values that are looked for. */
  readonly mayMatchSome: boolean;
  /** Groups in which a row may match, as bit `g % 32` for group `g`. */
  readonly #choice: number;
  /** The same, as 1 for each group; undefined where it says nothing. */
  readonly #operations: Uint8Array | undefined;
  readonly #where: CompiledPredicate;
  readonly #window: TimeWindow;
  /** Whether every span meets `where`. */
  readonly #wantsAll: boolean;
  /** Whether all spans start at or after the window's beginning, and before its end. */
  readonly #isEarlyInside: boolean;
  readonly #isLateInside: boolean;
  readonly #findings = new Map<number, GroupFindings | undefined>();
  readonly #selections = new Map<number, SpanSelections>();
  readonly #rough = new RoughBlockTrace();

  constructor(reader: BlockReader, where: CompiledPredicate, query: TraceQuery) {
    this.reader = reader;
    this.summaries = new TraceSummaries(reader);
    this.#wantsAll = query.where.op === 'and' && query.where.args.length === 0;
    this.#where = where;
    this.#window = query;
    const { latest, isEarlyInside, isLateInside } = clipRanges(reader.startRanges, query);
    this.#isEarlyInside = isEarlyInside;
    this.#isLateInside = isLateInside;
    this.#choice = latest === undefined ? 0 : chooseGroups(reader, query.where);
    this.#operations = this.#choice === 0 ? undefined : groupsOfOperations(reader, query.where);
    this.mayMatchSome = this.#choice !== 0 && this.#operations?.includes(1) !== false;
  }

  /** Whether a row of a group may match: false for most where the dictionaries' index knows the values that are looked for. */
  mayMatch(g: number): boolean {
    return (this.#choice & (1 << (g & 31))) !== 0 && this.#operations?.[g] !== 0;
  }

  /** As {@link mayMatch}, of the group of a trace. */
  mayMatchTrace(trace: number): boolean {
    if (this.#choice === 0) return false;
    if (this.#choice === ALL_GROUPS && this.#operations === undefined) return true;
    return this.mayMatch(this.reader.groupOf(trace));
  }

  /** Whether a span of a trace is in the window and meets `where`. */
  matches(trace: number): boolean {
    const g = this.reader.groupOf(trace);
    const t = trace - this.reader.firstTraces[g]!;
    if (!this.#wantsAll && !this.#hasMatching(g, t)) return false;
    if (this.#isEarlyInside && this.#isLateInside) return true;
    const earliest = nanosAt(this.summaries.group(g).start, t);
    const { startMinUnixNano, startMaxUnixNano } = this.#window;
    if (earliest >= startMaxUnixNano) return false;
    // Of all spans, the earliest is one.
    if (earliest >= startMinUnixNano && (this.#isLateInside || this.#wantsAll)) return true;
    const found = this.#find(g);
    if (found === undefined) return false;
    const { matching, traceStarts } = found;
    const [start, end] = [traceStarts[t]!, traceStarts[t + 1]!];
    const slice = this.reader.group(g).slice(start, end);
    const selected = new RowSet(slice.rows);
    for (let row = start; row < end; row++) if (matching.has(row)) selected.add(row - start);
    selectStarts(selected, slice, this.#window);
    return !selected.isEmpty;
  }

  /** Whether a row of a trace, by its number in its group, meets `where`, in the window or not. */
  #hasMatching(g: number, t: number): boolean {
    const found = this.#find(g);
    if (found === undefined) return false;
    const { matching, traceStarts } = found;
    return matching.hasSome(traceStarts[t]!, traceStarts[t + 1]!);
  }

  /** What matches in a group; undefined when nothing does. */
  #find(g: number): GroupFindings | undefined {
    let found = this.#findings.get(g);
    if (found === undefined && !this.#findings.has(g)) {
      const group = this.reader.group(g);
      const matching = this.mayMatch(g) ? selectRows(this.#where, group, undefined) : undefined;
      found = matching && { matching, traceStarts: group.traceStarts };
      this.#findings.set(g, found);
    }
    return found;
  }

  /** The rows of a group that a predicate on traces counts. */
  select(g: number, evaluator: TraceEvaluator): SpanSelections {
    let selections = this.#selections.get(g);
    if (selections === undefined) {
      this.#selections.set(g, (selections = evaluator.select(this.reader.group(g))));
    }
    return selections;
  }

  /**
   * The same object for each trace: it is looked at, not kept.
   * @param columns of its group
   * @param t its number there
   */
  roughly(columns: TraceColumns, t: number): RoughTrace {
    this.#rough.columns = columns;
    this.#rough.trace = t;
    return this.#rough;
  }

  /** What is known of a trace that is wholly in this block. */
  factsOf(trace: number): TraceFacts {
    const { reader, summaries } = this;
    const g = reader.groupOf(trace);
    const columns = summaries.group(g);
    const t = trace - reader.firstTraces[g]!;
    const startTimeUnixNano = nanosAt(columns.start, t);
    return {
      startTimeUnixNano,
      endTimeUnixNano: startTimeUnixNano + durationAt(columns, t),
      spanCount: columns.spans[t]!,
      errorCount: columns.errors[t]!,
      get rootServiceName() {
        return summaries.rootServiceName(trace);
      },
      get rootSpanName() {
        return summaries.rootSpanName(trace);
      },
    };
  }
}

/** One trace of a block after the other: its columns, and its number in them. */
class RoughBlockTrace implements RoughTrace {
  trace = 0;
  columns!: TraceColumns;

  get duration(): number {
    return roughDurationAt(this.columns, this.trace);
  }
  get longest(): number {
    return roughLongestAt(this.columns, this.trace);
  }
  get minSpans(): number {
    return this.columns.spans[this.trace]!;
  }
  get maxSpans(): number {
    return this.columns.spans[this.trace]!;
  }
  get minErrors(): number {
    return this.columns.errors[this.trace]!;
  }
  get maxErrors(): number {
    return this.columns.errors[this.trace]!;
  }
}
