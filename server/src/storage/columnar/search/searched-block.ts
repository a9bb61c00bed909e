// SPDX-License-Identifier: Apache-2.0
import type { TraceId } from '@spoor/core/model/ids.ts';
import { type CompiledPredicate, mayMatch, selectRows } from '@spoor/core/query/predicate.ts';
import { RowSet } from '@spoor/core/query/row-set.ts';
import { selectStarts, type TimeWindow } from '@spoor/core/query/time-window.ts';
import type {
  SelectedRows,
  SpanSelections,
  TraceEvaluator,
} from '@spoor/core/query/trace-evaluator.ts';
import type { TraceFacts } from '@spoor/core/query/trace-predicate.ts';
import type { SpanPredicate, TraceQuery } from '@spoor/core/query/trace-query.ts';
import { ALL_GROUPS } from '../block/block-dictionary.ts';
import type { BlockReader } from '../block/block-reader.ts';
import {
  type BlockChoice,
  type GroupChoice,
  groupsOfOperations,
  isNamed,
  NOWHERE,
} from './group-choice.ts';
import { BlockDictionaries } from './block-dictionaries.ts';
import { groupBounds } from './group-bounds.ts';
import type { Halves } from '../block/chunk-codec.ts';
import type { KnownRows } from './matched-rows.ts';
import type { RowGroup } from '../block/row-group.ts';
import type { RoughTrace } from './rough-trace-test.ts';
import { clipRanges } from '../block/start-ranges.ts';
import type { SummariesRef } from '../block/summaries-section.ts';
import {
  durationAt,
  nanosAt,
  roughDurationAt,
  roughLongestAt,
  type TraceColumns,
} from '../block/trace-columns.ts';
import { TraceRank } from './trace-rank.ts';
import { TraceSummaries } from './trace-summaries.ts';

/** What a question looks for, made ready. */
export interface SearchTerms {
  readonly query: TraceQuery;
  readonly where: CompiledPredicate;
  /** The groups of a block in which `where` may hold. */
  readonly chooseGroups: GroupChoice;
  /** Rows that are known to meet `where`. */
  readonly known: KnownRows;
  readonly having: TraceEvaluator | undefined;
  /** Rows that are known to meet a span predicate in `having`. */
  readonly counted: (where: SpanPredicate) => KnownRows;
  /** Asked before the rows of a group are looked at. */
  readonly checkCancelled: () => void;
}

/** Some rows of a block, and which of them a predicate on traces counts. */
class CountedRows implements SelectedRows {
  readonly start: number;
  readonly end: number;
  readonly selections: SpanSelections;
  readonly #reader: BlockReader;
  readonly #group: number;
  #durations: Halves | undefined;

  constructor(
    reader: BlockReader,
    rows: { group: number; start: number; end: number; selections: SpanSelections },
  ) {
    this.#reader = reader;
    this.#group = rows.group;
    this.start = rows.start;
    this.end = rows.end;
    this.selections = rows.selections;
  }

  get durations(): Halves {
    const { start, end } = this;
    return (this.#durations ??= this.#reader.group(this.#group).durations(start, end));
  }
}

/** Groups of a block of 2 million spans that one bit of a dictionary's index names. Where no more may match, all are looked into. */
const FEW_GROUPS = 16;

const MOST_SPANS = new TraceRank('most_spans');

/** No more traces are named one by one. */
const FEW_TRACES = 256;

/** A block while one question is answered. */
export class SearchedBlock {
  readonly reader: BlockReader;
  readonly summaries: TraceSummaries;
  /** Groups in which a row may match. */
  readonly #choice: BlockChoice;
  /** The same, as 1 for each group; undefined where it says nothing. */
  readonly #operations: Uint8Array | undefined;
  #matchingGroups: number | undefined;
  /** The one that an id was asked of last. */
  #group: RowGroup | undefined;
  readonly #terms: SearchTerms;
  readonly #window: TimeWindow;
  /** Whether every span meets `where`. */
  readonly #wantsAll: boolean;
  /** Whether all spans start at or after the window's beginning, and before its end. */
  readonly #isEarlyInside: boolean;
  readonly #isLateInside: boolean;
  /** What was found out about groups: small, so that it can be kept while the columns are let go. */
  readonly #matching = new Map<number, RowSet | undefined>();
  readonly #counted = new Map<number, SpanSelections>();
  readonly #rough = new RoughBlockTrace();
  readonly #roughGroup = new RoughGroup(
    (g) => this.#spansIn()[g]!,
    (g, where) => this.#terms.counted(where).mostIn(this.reader, g, () => this.#traceStartsOf(g)),
  );
  #mostSpans: Float64Array | undefined;
  #mayHold: boolean | undefined;
  #fewTraces: readonly number[] | undefined;
  #wasFewSought = false;

  constructor(reader: BlockReader, terms: SearchTerms) {
    const { query } = terms;
    this.reader = reader;
    this.summaries = new TraceSummaries(reader);
    this.#wantsAll = query.where.op === 'and' && query.where.args.length === 0;
    this.#terms = terms;
    this.#window = query;
    const { latest, isEarlyInside, isLateInside } = clipRanges(reader.startRanges, query);
    this.#isEarlyInside = isEarlyInside;
    this.#isLateInside = isLateInside;
    this.#choice = latest === undefined ? NOWHERE : terms.chooseGroups(reader);
    this.#operations =
      this.#choice.groups === 0 ? undefined : groupsOfOperations(reader, query.where);
  }

  /** Whether a row may match: false where no span is in the window, or the block has not the values that are looked for. */
  get mayMatchSome(): boolean {
    return this.matchingGroups > 0;
  }

  /** Number of groups in which a row may match. */
  get matchingGroups(): number {
    if (this.#matchingGroups === undefined) {
      const groups = this.reader.footer.groups.length;
      this.#matchingGroups = this.#isAnywhere ? groups : this.#countMatching(groups);
    }
    return this.#matchingGroups;
  }

  /** Whether a row may match in each of the groups. */
  get #isAnywhere(): boolean {
    return this.#choice.groups === ALL_GROUPS && this.#operations === undefined;
  }

  #countMatching(groups: number): number {
    let count = 0;
    for (let g = 0; g < groups; g++) if (this.mayMatch(g)) count++;
    return count;
  }

  /**
   * Whether a row may match, as all dictionaries that `where` needs tell. For a pattern that is much work, which is done once: ask as late
   * as possible.
   */
  get mayHold(): boolean {
    const { where, known } = this.#terms;
    return (this.#mayHold ??= known.mayBeIn(this.reader, () =>
      mayMatch(where, new BlockDictionaries(this.reader)),
    ));
  }

  /**
   * Where the dictionaries' index names few groups, the traces with a row that meets `where`, in the window or not, by their numbers;
   * undefined where there may be many.
   */
  get fewTraces(): readonly number[] | undefined {
    if (!this.#wasFewSought) {
      this.#wasFewSought = true;
      if (this.#choice.groups !== ALL_GROUPS && this.matchingGroups <= FEW_GROUPS) {
        this.#fewTraces = this.#findFew();
      }
    }
    return this.#fewTraces;
  }

  #findFew(): number[] | undefined {
    const { firstTraces, footer } = this.reader;
    const found: number[] = [];
    for (let g = 0; g < footer.groups.length; g++) {
      const isChosen = this.mayMatch(g) && this.#choice.mayBeIn(g);
      const matching = isChosen ? this.#find(g) : undefined;
      if (matching === undefined) continue;
      const starts = this.#traceStartsOf(g);
      for (let t = 0; t < starts.length - 1; t++) {
        if (matching.hasSome(starts[t]!, starts[t + 1]!)) found.push(firstTraces[g]! + t);
      }
      if (found.length > FEW_TRACES) return undefined;
    }
    return found;
  }

  /** Whether a row of a group may match: false for most where the dictionaries' index knows the values that are looked for. */
  mayMatch(g: number): boolean {
    return isNamed(this.#choice, g) && this.#operations?.[g] !== 0;
  }

  /** As {@link mayMatch}, of the group of a trace. */
  mayMatchTrace(trace: number): boolean {
    if (this.#choice.groups === 0 || this.#mayHold === false) return false;
    if (this.#isAnywhere) return true;
    return this.mayMatch(this.reader.groupOf(trace));
  }

  /** Whether a span of a trace is in the window and meets `where`. */
  matches(trace: number): boolean {
    const g = this.reader.groupOf(trace);
    if (!this.#wantsAll && !this.#hasMatching(g, trace)) return false;
    if (this.#isEarlyInside && this.#isLateInside) return true;
    const t = trace - this.reader.firstTraces[g]!;
    const earliest = nanosAt(this.summaries.group(g).start, t);
    const { startMinUnixNano, startMaxUnixNano } = this.#window;
    if (earliest >= startMaxUnixNano) return false;
    // Of all spans, the earliest is one.
    if (earliest >= startMinUnixNano && (this.#isLateInside || this.#wantsAll)) return true;
    const matching = this.#find(g);
    if (matching === undefined) return false;
    const [start, end] = this.#rowsOf(g, trace);
    const slice = this.reader.group(g).slice(start, end);
    const selected = new RowSet(slice.rows);
    for (let row = start; row < end; row++) if (matching.has(row)) selected.add(row - start);
    selectStarts(selected, slice, this.#window);
    return !selected.isEmpty;
  }

  /** Whether a row of a trace meets `where`, in the window or not. */
  #hasMatching(g: number, trace: number): boolean {
    const matching = this.#find(g);
    return matching !== undefined && matching.hasSome(...this.#rowsOf(g, trace));
  }

  /** The rows of a group that meet `where`, in the window or not; undefined when none does. */
  #find(g: number): RowSet | undefined {
    let matching = this.#matching.get(g);
    if (matching === undefined && !this.#matching.has(g)) {
      const { where, known } = this.#terms;
      matching =
        this.mayMatch(g) && this.mayHold
          ? known.inGroup(this.reader, g, () => this.#select(where, g))
          : undefined;
      this.#matching.set(g, matching);
    }
    return matching;
  }

  #select(predicate: CompiledPredicate, g: number): RowSet | undefined {
    this.#terms.checkCancelled();
    const rows = selectRows(predicate, this.reader.group(g), undefined);
    return rows?.isEmpty === true ? undefined : rows;
  }

  /** The rows of a trace in its group, `[start, end)`. */
  #rowsOf(g: number, trace: number): [start: number, end: number] {
    const rows = this.summaries.firstRows;
    const before = rows[this.reader.firstTraces[g]!]!;
    return [rows[trace]! - before, rows[trace + 1]! - before];
  }

  /** First row of each trace of a group, and the number of rows at the end. */
  #traceStartsOf(g: number): Uint32Array {
    const { firstTraces } = this.reader;
    const rows = this.summaries.firstRows;
    const [first, end] = [firstTraces[g]!, firstTraces[g + 1]!];
    return rows.subarray(first, end + 1).map((row) => row - rows[first]!);
  }

  /** The rows of a trace, and which of them `having` counts. */
  counted(trace: number): SelectedRows {
    const g = this.reader.groupOf(trace);
    const [start, end] = this.#rowsOf(g, trace);
    return new CountedRows(this.reader, { group: g, start, end, selections: this.#count(g) });
  }

  #count(g: number): SpanSelections {
    let selections = this.#counted.get(g);
    if (selections === undefined) {
      selections = this.#terms.having!.spanPredicates.map(({ where, predicate }) =>
        this.#terms.counted(where).inGroup(this.reader, g, () => this.#select(predicate, g)),
      );
      this.#counted.set(g, selections);
    }
    return selections;
  }

  /** Id of a trace. */
  idOf(trace: number): TraceId {
    const g = this.reader.groupOf(trace);
    if (this.#group?.number !== g) this.#group = this.reader.group(g);
    return this.#group.traceIdAt(trace - this.reader.firstTraces[g]!);
  }

  /** What the footer tells of all traces, and what is known of them from questions before. */
  get roughlyAll(): RoughTrace {
    return new RoughBlock(this.reader.footer.summaries, (where) => this.#mostInAll(where));
  }

  #mostInAll(where: SpanPredicate): number {
    return this.#terms.counted(where).mostInAll(
      this.reader,
      () => this.#spansIn(),
      (g) => this.#traceStartsOf(g),
    );
  }

  /** As {@link roughlyAll}, of the traces of a group. The same object for each group: it is looked at, not kept. */
  roughlyIn(g: number): RoughTrace {
    this.#roughGroup.group = g;
    return this.#roughGroup;
  }

  /** No trace of a group has more spans, per group. */
  #spansIn(): Float64Array {
    return (this.#mostSpans ??= groupBounds(this.reader, this.summaries, MOST_SPANS));
  }

  /** How many spans of a trace in this block meet a predicate, or more where that is not known. */
  mostOf(where: SpanPredicate, trace: number): number {
    const g = this.reader.groupOf(trace);
    return this.#terms.counted(where).mostOf(this.reader, g, ...this.#rowsOf(g, trace));
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
    return new BlockTraceFacts(this.reader, this.summaries, trace);
  }
}

/** Facts of a trace that is wholly in a block, worked out as they are asked for. */
class BlockTraceFacts implements TraceFacts {
  readonly #summaries: TraceSummaries;
  readonly #trace: number;
  /** Those of its group, and its number there. */
  readonly #columns: TraceColumns;
  readonly #t: number;

  constructor(reader: BlockReader, summaries: TraceSummaries, trace: number) {
    const g = reader.groupOf(trace);
    this.#summaries = summaries;
    this.#trace = trace;
    this.#columns = summaries.group(g);
    this.#t = trace - reader.firstTraces[g]!;
  }

  get startTimeUnixNano(): bigint {
    return nanosAt(this.#columns.start, this.#t);
  }
  get endTimeUnixNano(): bigint {
    return this.startTimeUnixNano + durationAt(this.#columns, this.#t);
  }
  get spanCount(): number {
    return this.#columns.spans[this.#t]!;
  }
  get errorCount(): number {
    return this.#columns.errors[this.#t]!;
  }
  get rootServiceName(): string {
    return this.#summaries.rootServiceName(this.#trace);
  }
  get rootSpanName(): string {
    return this.#summaries.rootSpanName(this.#trace);
  }
}

/** One trace of a block after the other: its columns, and its number in them. */
class RoughBlockTrace implements RoughTrace {
  trace = 0;
  columns!: TraceColumns;

  get minDuration(): number {
    return roughDurationAt(this.columns, this.trace);
  }
  get maxDuration(): number {
    return this.minDuration;
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
  maxCount(): number {
    return Infinity;
  }
}

/** The traces of one group of a block after the other. */
class RoughGroup implements RoughTrace {
  group = 0;
  readonly minDuration = -Infinity;
  readonly maxDuration = Infinity;
  readonly longest = Infinity;
  readonly minSpans = 0;
  readonly minErrors = 0;
  readonly maxErrors = Infinity;
  readonly #spansIn: (g: number) => number;
  readonly #mostIn: (g: number, where: SpanPredicate) => number;

  /**
   * @param spansIn no trace of a group has more spans
   * @param mostIn no trace of a group has more spans that meet a predicate
   */
  constructor(spansIn: (g: number) => number, mostIn: (g: number, where: SpanPredicate) => number) {
    this.#spansIn = spansIn;
    this.#mostIn = mostIn;
  }

  get maxSpans(): number {
    return this.#spansIn(this.group);
  }
  maxCount(where: SpanPredicate): number {
    return this.#mostIn(this.group, where);
  }
}

/** All traces of a block, as its footer tells of them; nothing is known of them where that does not. */
class RoughBlock implements RoughTrace {
  readonly longest = Infinity;
  readonly minSpans = 0;
  readonly minErrors = 0;
  readonly maxCount: RoughTrace['maxCount'];
  readonly #summaries: SummariesRef | undefined;

  constructor(summaries: SummariesRef | undefined, maxCount: RoughTrace['maxCount']) {
    this.#summaries = summaries;
    this.maxCount = maxCount;
  }

  get minDuration(): number {
    return Number(this.#summaries?.minDuration ?? -Infinity);
  }
  get maxDuration(): number {
    return Number(this.#summaries?.maxDuration ?? Infinity);
  }
  get maxSpans(): number {
    return this.#summaries?.maxSpans ?? Infinity;
  }
  get maxErrors(): number {
    return this.#summaries?.maxErrors ?? Infinity;
  }
}
