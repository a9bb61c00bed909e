// SPDX-License-Identifier: Apache-2.0
import type { TraceId } from '@spoor/core/model/ids.ts';
import { orderTrace, type TracePart } from '@spoor/core/query/join-trace.ts';
import {
  type CompiledPredicate,
  compilePredicate,
  PredicateBudget,
} from '@spoor/core/query/predicate.ts';
import { TraceSummarizer } from '@spoor/core/query/summarize-trace.ts';
import { type RankedTrace, TopTraces } from '@spoor/core/query/top-traces.ts';
import { TraceEvaluator } from '@spoor/core/query/trace-evaluator.ts';
import { positionOf } from '@spoor/core/query/trace-order.ts';
import type { TracePage, TraceQuery, TraceSummary } from '@spoor/core/query/trace-query.ts';
import { BestFirst } from './best-first.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { summarizeBlockTrace } from './block-trace-summary.ts';
import { groupBounds } from './group-bounds.ts';
import { compileGroupChoice } from './group-choice.ts';
import { HeadMatches } from './head-matches.ts';
import { LooseMatches } from './loose-matches.ts';
import { LoosePage, LoosePages, type RankedLoose } from './loose-pages.ts';
import { LooseTrace } from './loose-trace.ts';
import type { RowGroup } from '../block/row-group.ts';
import { RANKED, type RankedTraces, rankedTraces } from './ranked-traces.ts';
import { RoughBounds } from './rough-bounds.ts';
import { compileRoughTest } from './rough-trace-test.ts';
import { SearchedBlock, type SearchTerms } from './searched-block.ts';
import { TraceRank } from './trace-rank.ts';
import type { TraceSources } from './trace-sources.ts';

/** Some of the best traces of a block, not yet looked into. */
interface RankedPart {
  readonly reader: BlockReader;
  /** 0 for the first of them. */
  readonly part: number;
  /** Where the part before ended. */
  readonly seen: RunEnd | undefined;
}

/** A run of traces of a block or of a page, best first, and how far it was looked at. */
interface BlockRun {
  readonly block: SearchedBlock;
  readonly part: number;
  readonly ranked: RankedTraces;
  at: number;
}
interface LooseRun {
  readonly loose: RankedLoose;
  at: number;
}

/** Where the ranked traces of a block end: the others rank below, or equal and have a greater number. */
interface RunEnd {
  readonly rank: number;
  readonly trace: number;
}

/** A group of a block that may have traces of the answer. */
interface SearchedGroup {
  readonly block: SearchedBlock;
  readonly group: number;
  /** Up to where its traces were looked at in a run; undefined where there was none. */
  readonly seen: RunEnd | undefined;
}

/** A trace of a group that may match, by its number there. */
interface Candidate {
  readonly t: number;
  readonly rank: number;
}

/** A trace that is wholly in a block, by its number there. */
interface BlockTrace {
  readonly block: SearchedBlock;
  readonly trace: number;
}

/** A trace that was summed up when it was looked at. */
interface SummarizedTrace {
  readonly summary: TraceSummary;
}

type FoundTrace = BlockTrace | LooseTrace | SummarizedTrace;

/** Where fewer than one of so many groups of a block may match, these are looked into, and not its traces one by one. */
const MIN_GROUPS_SHARE = 8;

/** Not less than any trace id. */
const ANY_ID = 'g';

/** Less than any trace id. */
const NO_ID = '';

/** Answers a query, exactly. @param sizes how many traces of a block are put in order, part by part */
export function findTraces(
  sources: TraceSources,
  query: TraceQuery,
  checkCancelled: () => void,
  sizes = RANKED,
): TracePage {
  const search = new TraceSearch(sources, query, checkCancelled, sizes);
  const { traces, next } = search.run();
  return { traces: search.summarize(traces.map(({ value }) => value)), next };
}

/** As {@link findTraces}, the ids alone: what else is told of a trace would have to be read. */
export function findTraceIds(
  sources: TraceSources,
  query: TraceQuery,
  checkCancelled: () => void,
): { readonly ids: readonly TraceId[]; readonly next: TracePage['next'] } {
  const { traces, next } = new TraceSearch(sources, query, checkCancelled, RANKED).run();
  return { ids: traces.map(({ traceId }) => traceId), next };
}

/**
 * One search. Blocks, groups of blocks and loose traces are looked at best first: each has a bound that no trace in it ranks
 * above. The search ends when the best of what is left is below the worst of the page.
 */
class TraceSearch {
  readonly #sources: TraceSources;
  readonly #query: TraceQuery;
  readonly #checkCancelled: () => void;
  readonly #sizes: readonly number[];
  readonly #where: CompiledPredicate;
  readonly #evaluator: TraceEvaluator | undefined;
  readonly #terms: SearchTerms;
  readonly #bounds: RoughBounds;
  readonly #rank: TraceRank;
  /** Traces that rank above this were on an earlier page. */
  readonly #ceiling: number;
  /** So were those that rank exactly like that and have no greater id than this. */
  readonly #ceilingId: string;
  readonly #top: TopTraces<FoundTrace>;
  /** What ranks below this cannot get in any more. */
  #floor = -Infinity;
  /** Of what ranks like that neither can what has a greater id than this. */
  #floorId: string = ANY_ID;
  /** Of what ranks equal, what may have the least id comes first. */
  readonly #queue = new BestFirst<
    RankedPart | BlockRun | SearchedGroup | LoosePages | LoosePage | LooseRun
  >();
  readonly #blocks = new Map<BlockReader, SearchedBlock>();
  /** Of the blocks that have spans in the window: the one that may have the best trace first. */
  #readers: readonly BlockReader[] = [];
  readonly #loose: LooseMatches;
  readonly #summarizer = new TraceSummarizer();

  constructor(
    sources: TraceSources,
    query: TraceQuery,
    checkCancelled: () => void,
    sizes: readonly number[],
  ) {
    const budget = new PredicateBudget(checkCancelled);
    const { order = 'newest', after } = query;
    this.#sources = sources;
    this.#query = query;
    this.#checkCancelled = checkCancelled;
    this.#sizes = sizes;
    this.#where = compilePredicate(query.where, budget);
    this.#evaluator = query.having && new TraceEvaluator(query.having, budget);
    this.#terms = {
      query,
      where: this.#where,
      chooseGroups: compileGroupChoice(query.where),
      known: sources.matched.of(query.where),
      having: this.#evaluator,
      checkCancelled,
      counted: (where) => sources.matched.of(where),
    };
    this.#bounds = new RoughBounds(compileRoughTest(query), this.#terms, (reader) =>
      this.#block(reader),
    );
    const { loose, parts } = sources;
    this.#loose = new LooseMatches({
      loose,
      head: new HeadMatches(parts, loose, this.#terms),
      readers: () => this.#readers,
      block: (reader) => this.#block(reader),
    });
    this.#rank = new TraceRank(order);
    const ceiling = after === undefined ? Infinity : this.#rank.ofKey(after.key);
    const slack = this.#rank.slackAt(ceiling);
    this.#ceiling = ceiling + slack;
    this.#ceilingId = after === undefined || slack !== 0 ? NO_ID : after.traceId;
    this.#top = new TopTraces(query);
  }

  /** The best traces, in their order. */
  run(): ReturnType<TopTraces<FoundTrace>['finish']> {
    this.#start();
    const queue = this.#queue;
    while (this.#mayGetIn(queue.bound, queue.tie)) {
      const item = queue.pop();
      if (item === undefined) break;
      this.#checkCancelled();
      if (item instanceof LoosePages) this.#visitPages(item);
      else if (item instanceof LoosePage) this.#visitPage(item);
      else if ('loose' in item) this.#visitLooseRun(item);
      else if ('ranked' in item) this.#visitBlockRun(item);
      else if ('group' in item) this.#visitGroup(item);
      else this.#visitPart(item);
    }
    return this.#top.finish();
  }

  /** @param leastId what no id is less than */
  #mayGetIn(bound: number, leastId: string): boolean {
    return bound > this.#floor || (bound === this.#floor && leastId <= this.#floorId);
  }

  /** Whether what ranks like that was on an earlier page. @param id that none of it is greater than */
  #wasBefore(rank: number, id: string): boolean {
    return rank > this.#ceiling || (rank === this.#ceiling && id <= this.#ceilingId);
  }

  /** Whether what is next in the queue comes before this. */
  #isBehindNext(rank: number, id: string): boolean {
    const { bound } = this.#queue;
    return rank < bound || (rank === bound && id > this.#queue.tie);
  }

  #block(reader: BlockReader): SearchedBlock {
    let block = this.#blocks.get(reader);
    if (block === undefined) {
      block = new SearchedBlock(reader, this.#terms);
      this.#blocks.set(reader, block);
    }
    return block;
  }

  /** No trace of a group has a greater id than this. */
  #lastIdOf({ reader }: SearchedBlock, group: number): string {
    return reader.footer.groups[group + 1]?.firstTraceId ?? ANY_ID;
  }

  /** Puts all there is into the queue. */
  #start(): void {
    const { head, loose } = this.#sources;
    const readers = this.#sources.readers();
    loose.update(head, readers, this.#checkCancelled);
    const { startMinUnixNano, startMaxUnixNano } = this.#query;
    const bounds = new Map<BlockReader, number>();
    for (const reader of readers) {
      if (reader.maxStartUnixNano < startMinUnixNano) continue;
      if (reader.minStartUnixNano >= startMaxUnixNano) continue;
      const { minStart, summaries } = reader.footer;
      const bound = this.#rank.boundOf(minStart, summaries);
      bounds.set(reader, bound);
      const ranked: RankedPart = { reader, part: 0, seen: undefined };
      this.#queue.push(Math.min(bound, this.#ceiling), ranked);
    }
    this.#readers = [...bounds.keys()].sort((a, b) => bounds.get(b)! - bounds.get(a)!);
    const { pages } = loose;
    this.#queue.push(Math.min(pages.bound(this.#rank), this.#ceiling), pages);
  }

  /** Queues the pages, unless no loose trace matches. */
  #visitPages(pages: LoosePages): void {
    if (!this.#bounds.mayMatchOnSome(pages) || this.#loose.isNowhere) return;
    for (const page of pages.values()) {
      this.#queue.push(Math.min(page.bound(this.#rank), this.#ceiling), page);
    }
  }

  /** Looks into a page, unless no part of its traces may match. */
  #visitPage(page: LoosePage): void {
    if (!this.#bounds.mayMatchOn(page)) return;
    const few = this.#loose.fewOf(page);
    if (few?.size === 0) return;
    const loose =
      few === undefined ? page.ranked(this.#rank) : this.#sources.loose.ranked(few, this.#rank);
    this.#visitLooseRun({ loose, at: 0 });
  }

  /** Offers traces of a page, up to one that comes later than others. */
  #visitLooseRun(run: LooseRun): void {
    for (; ; run.at++) {
      const trace = run.loose.trace(run.at);
      if (trace === undefined) return;
      const bound = run.loose.rank(run.at);
      const rank = Math.min(bound, this.#ceiling);
      const isTie = rank === this.#ceiling || rank === this.#floor || rank === this.#queue.bound;
      const ownId = isTie ? trace.id : NO_ID;
      if (this.#wasBefore(bound, ownId) && !trace.mayRepeat) continue;
      // Those that may come down to the ceiling are in no order.
      const id = rank < bound ? NO_ID : ownId;
      if (!this.#mayGetIn(rank, id)) return;
      if (!this.#bounds.mayMatch(trace) || !this.#loose.mayMatch(trace)) continue;
      if (this.#isBehindNext(rank, id)) {
        this.#queue.push(rank, run, id);
        return;
      }
      this.#checkCancelled();
      this.#visitLoose(trace);
    }
  }

  /** Looks into a block, unless it has nothing of what is looked for: where few of its groups may have it, into these. */
  #visitPart({ reader, part, seen }: RankedPart): void {
    const block = this.#block(reader);
    const groups = this.#bounds.groupsOf(block);
    if (groups === 0 || !block.mayHold) return;
    if (block.fewTraces !== undefined) this.#offerFew(block, block.fewTraces);
    else if (groups < reader.footer.groups.length / MIN_GROUPS_SHARE)
      this.#queueGroups(block, seen);
    else {
      const ranked = rankedTraces(reader, block.summaries, {
        rank: this.#rank,
        part,
        sizes: this.#sizes,
      });
      this.#visitBlockRun({ block, part, ranked, at: 0 });
    }
  }

  /** Offers traces of which rows match, in the window or not, unless they are loose. */
  #offerFew(block: SearchedBlock, traces: readonly number[]): void {
    const { reader, summaries } = block;
    const isLoose = this.#sources.loose.looseOf(reader);
    for (const trace of traces) {
      if (isLoose[trace] === 1) continue;
      const group = reader.groupOf(trace);
      const columns = summaries.group(group);
      const t = trace - reader.firstTraces[group]!;
      const key = this.#rank.keyAt(columns, t);
      const rank = this.#rank.ofKey(key);
      const traceId = block.idOf(trace);
      if (this.#wasBefore(rank, traceId) || !this.#mayGetIn(rank, traceId)) continue;
      if (!this.#bounds.mayMatch(block.roughly(columns, t))) continue;
      if (this.#matches(block, trace)) this.#offer({ key, traceId, value: { block, trace } });
    }
  }

  /** Offers traces of a block, up to one that comes later than others. */
  #visitBlockRun(run: BlockRun): void {
    const { block } = run;
    const { reader } = block;
    const { traces, ranks, columns } = run.ranked;
    const isLoose = this.#sources.loose.looseOf(reader);
    for (; run.at < traces.length; run.at++) {
      const rank = ranks[run.at]!;
      if (rank < this.#floor) return;
      const trace = traces[run.at]!;
      if (rank > this.#ceiling || isLoose[trace] === 1) continue;
      if (!this.#bounds.mayMatch(block.roughly(columns, run.at))) continue;
      // Only where another one may rank equal its id matters.
      const isTie = rank === this.#ceiling || rank === this.#floor || rank === this.#queue.bound;
      const id = isTie ? block.idOf(trace) : NO_ID;
      if (isTie && this.#wasBefore(rank, id)) continue;
      if (!this.#mayGetIn(rank, id)) return;
      if (!this.#bounds.mayMatchIn(block, reader.groupOf(trace))) continue;
      if (this.#isBehindNext(rank, id)) {
        this.#queue.push(rank, run, id);
        return;
      }
      if (!this.#matches(block, trace)) continue;
      const key = this.#rank.keyAt(columns, run.at);
      this.#offer({ key, traceId: block.idOf(trace), value: { block, trace } });
    }
    const { rest } = run.ranked;
    if (rest === 'none') return;
    const seen = { rank: ranks.at(-1)!, trace: traces.at(-1)! };
    if (rest === 'next')
      this.#queue.push(Math.min(seen.rank, this.#ceiling), { reader, part: run.part + 1, seen });
    else this.#queueGroups(block, seen);
  }

  /** Queues the groups of a block, each with a bound that may be too high. @param seen up to where they were looked at */
  #queueGroups(block: SearchedBlock, seen?: RunEnd): void {
    const { groups } = block.reader.footer;
    const bounds = groupBounds(block.reader, block.summaries, this.#rank);
    const most = Math.min(this.#ceiling, seen?.rank ?? Infinity);
    for (let group = 0; group < bounds.length; group++) {
      const highest = Math.min(bounds[group]!, most);
      // Ranks that have no slack are whole numbers.
      const bound = this.#wasBefore(highest, this.#lastIdOf(block, group)) ? highest - 1 : highest;
      const { firstTraceId } = groups[group]!;
      if (!this.#mayGetIn(bound, firstTraceId) || !this.#bounds.mayMatchIn(block, group)) continue;
      this.#queue.push(bound, { block, group, seen }, firstTraceId);
    }
  }

  /** Offers the traces of a group that are wholly in it, unless its best one turns out to come later than others. */
  #visitGroup(item: SearchedGroup): void {
    const { block, group } = item;
    const { reader } = block;
    const { firstTraceId } = reader.footer.groups[group]!;
    const candidates = this.#candidatesOf(item);
    const best = candidates.reduce((max, { rank }) => Math.max(max, rank), -Infinity);
    if (best < this.#queue.bound) {
      // Many groups may come back before one is looked into: what it takes to name their traces is not kept.
      if (candidates.length > 0) this.#queue.push(best, item, firstTraceId);
      return;
    }
    const first = reader.firstTraces[group]!;
    for (const { t, rank } of candidates) {
      const trace = first + t;
      if (!this.#mayGetIn(rank, firstTraceId) || !this.#matches(block, trace)) continue;
      const key = this.#rank.keyAt(block.summaries.group(group), t);
      this.#offer({ key, traceId: block.idOf(trace), value: { block, trace } });
    }
  }

  /** The traces that are wholly in a group and may match, as far as their columns tell. */
  #candidatesOf({ block, group, seen }: SearchedGroup): Candidate[] {
    const { reader } = block;
    const { firstTraceId } = reader.footer.groups[group]!;
    const isLoose = this.#sources.loose.looseOf(reader);
    const first = reader.firstTraces[group]!;
    const summaries = block.summaries.group(group);
    const ranks = this.#rank.ranksOf(summaries);
    const lastId = this.#lastIdOf(block, group);
    const candidates: Candidate[] = [];
    for (let t = 0; t < ranks.length; t++) {
      const rank = ranks[t]!;
      if (isLoose[first + t] === 1 || this.#wasBefore(rank, lastId)) continue;
      if (!this.#mayGetIn(rank, firstTraceId)) continue;
      if (seen !== undefined && isSeen(seen, rank, first + t)) continue;
      if (!this.#bounds.mayMatch(block.roughly(summaries, t))) continue;
      candidates.push({ t, rank });
    }
    return candidates;
  }

  /** Whether a trace that is wholly in a block matches. */
  #matches(block: SearchedBlock, trace: number): boolean {
    this.#checkCancelled();
    if (!block.matches(trace)) return false;
    if (this.#evaluator === undefined) return true;
    return this.#evaluator.holdsRows([block.counted(trace)], block.factsOf(trace));
  }

  #offer(trace: RankedTrace<FoundTrace>): void {
    this.#top.offer(trace);
    const { worst } = this.#top;
    if (worst === undefined) return;
    const floor = this.#rank.ofKey(worst.key);
    const slack = this.#rank.slackAt(floor);
    this.#floor = floor - slack;
    this.#floorId = slack === 0 ? worst.traceId : ANY_ID;
  }

  #visitLoose(trace: LooseTrace): void {
    if (!this.#loose.matches(trace)) return;
    const { key } = this.#rank;
    const isExact = key === 'start' || key === 'duration' || !trace.mayRepeat;
    const facts = this.#evaluator === undefined ? undefined : trace.facts;
    if (!isExact || (this.#evaluator !== undefined && facts === undefined)) {
      // Only the spans tell which of them are copies, and which of several roots is the first.
      const rows = orderTrace(this.#partsOf(trace));
      const summary = this.#summarizer.summarizeRows(rows);
      if (this.#evaluator?.holds(rows, summary) === false) return;
      this.#offer({ ...positionOf(this.#query.order ?? 'newest', summary), value: { summary } });
      return;
    }
    if (facts !== undefined) {
      // All of its parts are in blocks, each span once.
      const rows = trace.blocks.map(({ reader, trace: t }) => this.#block(reader).counted(t));
      if (!this.#evaluator!.holdsRows(rows, facts)) return;
    }
    this.#offer({ key: this.#rank.keyOf(trace), traceId: trace.id, value: trace });
  }

  /** The parts of a trace: those in the head first. */
  #partsOf(trace: LooseTrace, groups = new Map<BlockReader, Map<number, RowGroup>>()): TracePart[] {
    return [
      ...trace.head.map(({ head, trace: t }) => ({
        columns: head.batch,
        rows: head.traces.rowsOf(t),
      })),
      ...trace.blocks.map(({ reader, trace: t }) => blockPart(reader, t, groups)),
    ];
  }

  /** @param traces that were found */
  summarize(traces: readonly FoundTrace[]): TraceSummary[] {
    const groups = new Map<BlockReader, Map<number, RowGroup>>();
    return traces.map((one) => {
      if ('summary' in one) return one.summary;
      this.#checkCancelled();
      const parts = one instanceof LooseTrace ? one.blocks : [{ ...one, reader: one.block.reader }];
      const facts = one instanceof LooseTrace ? one.facts : one.block.factsOf(one.trace);
      const summary = facts === undefined ? undefined : summarizeBlockTrace(parts, facts);
      if (summary !== undefined) return summary;
      if (one instanceof LooseTrace) return this.#summarizer.summarize(this.#partsOf(one, groups));
      return this.#summarizer.summarize([blockPart(one.block.reader, one.trace, groups)]);
    });
  }
}

/** Whether a trace is in the run that ends so. */
function isSeen(end: RunEnd, rank: number, trace: number): boolean {
  return rank > end.rank || (rank === end.rank && trace <= end.trace);
}

/** Rows of a trace in a block. @param groups those that were looked into already */
function blockPart(
  reader: BlockReader,
  trace: number,
  groups: Map<BlockReader, Map<number, RowGroup>>,
): TracePart {
  let known = groups.get(reader);
  if (known === undefined) groups.set(reader, (known = new Map()));
  const g = reader.groupOf(trace);
  let columns = known.get(g);
  if (columns === undefined) known.set(g, (columns = reader.group(g)));
  return reader.part(trace, columns);
}
