// SPDX-License-Identifier: Apache-2.0
import { orderTrace, type TracePart } from '@spoor/core/query/join-trace.ts';
import {
  type CompiledPredicate,
  compilePredicate,
  PredicateBudget,
  selectRows,
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
import { type HeadBatch, ROUGH_SLACK_NANOS } from '../head/head-batch.ts';
import { LoosePage } from './loose-pages.ts';
import { LooseTrace } from './loose-trace.ts';
import type { RowGroup } from '../block/row-group.ts';
import { compileRoughTest, type RoughTest } from './rough-trace-test.ts';
import { SearchedBlock, type SearchTerms } from './searched-block.ts';
import { TraceRank } from './trace-rank.ts';
import type { TraceSources } from './trace-sources.ts';

/** A group of a block that may have traces of the answer. */
interface SearchedGroup {
  readonly block: SearchedBlock;
  readonly group: number;
  /** Those of its traces that may match, by their numbers in it, with their ranks; undefined until it was looked at. */
  readonly candidates?: readonly Candidate[];
}

/** A trace of a group. */
interface Candidate {
  readonly t: number;
  readonly rank: number;
}

/** A trace that is wholly in a block, by its number there. */
interface BlockTrace {
  readonly block: SearchedBlock;
  readonly trace: number;
}

/** Not less than any trace id. */
const ANY_ID = 'g';

/** Less than any trace id. */
const NO_ID = '';

/** Answers a query, exactly. */
export function findTraces(
  sources: TraceSources,
  query: TraceQuery,
  checkCancelled: () => void,
): TracePage {
  return new TraceSearch(sources, query, checkCancelled).run();
}

/**
 * One search. Blocks, groups of blocks and loose traces are looked at best first: each has a bound that no trace in it ranks
 * above. The search ends when the best of what is left is below the worst of the page.
 */
class TraceSearch {
  readonly #sources: TraceSources;
  readonly #query: TraceQuery;
  readonly #checkCancelled: () => void;
  readonly #where: CompiledPredicate;
  readonly #evaluator: TraceEvaluator | undefined;
  readonly #terms: SearchTerms;
  readonly #roughTest: RoughTest | undefined;
  readonly #rank: TraceRank;
  /** Traces that rank above this were on an earlier page. */
  readonly #ceiling: number;
  /** So were those that rank exactly like that and have no greater id than this. */
  readonly #ceilingId: string;
  readonly #top: TopTraces<BlockTrace | LooseTrace>;
  /** What ranks below this cannot get in any more. */
  #floor = -Infinity;
  /** Of what ranks like that neither can what has a greater id than this. */
  #floorId: string = ANY_ID;
  /** Of what ranks equal, what may have the least id comes first. */
  readonly #queue = new BestFirst<SearchedBlock | SearchedGroup | LoosePage | LooseTrace>();
  readonly #blocks = new Map<BlockReader, SearchedBlock>();
  readonly #headMatches = new Map<HeadBatch, Uint8Array>();
  readonly #summarizer = new TraceSummarizer();

  constructor(sources: TraceSources, query: TraceQuery, checkCancelled: () => void) {
    const budget = new PredicateBudget(checkCancelled);
    const { order = 'newest', after } = query;
    this.#sources = sources;
    this.#query = query;
    this.#checkCancelled = checkCancelled;
    this.#where = compilePredicate(query.where, budget);
    this.#evaluator = query.having && new TraceEvaluator(query.having, budget);
    this.#terms = {
      query,
      where: this.#where,
      known: sources.matched.of(query.where),
      having: this.#evaluator,
      counted: (where) => sources.matched.of(where),
    };
    this.#roughTest = compileRoughTest(query);
    this.#rank = new TraceRank(order);
    const ceiling = after === undefined ? Infinity : this.#rank.ofKey(after.key);
    const slack = this.#rank.slackAt(ceiling);
    this.#ceiling = ceiling + slack;
    this.#ceilingId = after === undefined || slack !== 0 ? NO_ID : after.traceId;
    this.#top = new TopTraces(query);
  }

  run(): TracePage {
    this.#start();
    const queue = this.#queue;
    while (this.#mayGetIn(queue.bound, queue.tie)) {
      const item = queue.pop();
      if (item === undefined) break;
      this.#checkCancelled();
      if (item instanceof LooseTrace) this.#visitLoose(item);
      else if (item instanceof LoosePage) this.#visitPage(item);
      else if (item instanceof SearchedBlock) this.#visitBlock(item);
      else this.#visitGroup(item);
    }
    const { traces, next } = this.#top.finish();
    return { traces: this.#summarize(traces.map(({ value }) => value)), next };
  }

  /** @param leastId what no id is less than */
  #mayGetIn(bound: number, leastId: string): boolean {
    return bound > this.#floor || (bound === this.#floor && leastId <= this.#floorId);
  }

  /** Whether what ranks like that was on an earlier page. @param id that none of it is greater than */
  #wasBefore(rank: number, id: string): boolean {
    return rank > this.#ceiling || (rank === this.#ceiling && id <= this.#ceilingId);
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
    for (const reader of readers) {
      const block = new SearchedBlock(reader, this.#terms);
      this.#blocks.set(reader, block);
      if (!block.mayMatchSome) continue;
      const { minStart, summaries } = reader.footer;
      this.#queue.push(this.#rank.boundOf(minStart, summaries), block);
    }
    const mayMatch = (reader: BlockReader): boolean => this.#blocks.get(reader)!.mayMatchSome;
    for (const page of loose.pages()) {
      if (!page.mayMatch(mayMatch)) continue;
      this.#queue.push(Math.min(page.bound(this.#rank), this.#ceiling), page);
    }
  }

  /** Queues the traces of a page that may match. */
  #visitPage({ traces }: LoosePage): void {
    for (const trace of traces) {
      const bound = this.#rank.ofKey(this.#rank.keyOf(trace));
      if (!trace.mayRepeat && this.#wasBefore(bound, trace.id)) continue;
      if (!this.#mayGetIn(bound, trace.id) || this.#roughTest?.(trace) === false) continue;
      if (this.#mayMatch(trace)) this.#queue.push(Math.min(bound, this.#ceiling), trace, trace.id);
    }
  }

  /** Whether one of the parts of a trace may match, as far as indexes tell. */
  #mayMatch({ head, blocks }: LooseTrace): boolean {
    return (
      head.length > 0 ||
      blocks.some(({ reader, trace }) => this.#blocks.get(reader)!.mayMatchTrace(trace))
    );
  }

  /** Queues the groups of a block, each with a bound that may be too high. */
  #visitBlock(block: SearchedBlock): void {
    if (!block.mayHold) return;
    const { groups } = block.reader.footer;
    const bounds = groupBounds(block.reader, block.summaries, this.#rank);
    for (let group = 0; group < bounds.length; group++) {
      const highest = Math.min(bounds[group]!, this.#ceiling);
      // Ranks that have no slack are whole numbers.
      const bound = this.#wasBefore(highest, this.#lastIdOf(block, group)) ? highest - 1 : highest;
      const { firstTraceId } = groups[group]!;
      if (!block.mayMatch(group) || !this.#mayGetIn(bound, firstTraceId)) continue;
      if (this.#roughTest?.(block.roughlyAll(group)) === false) continue;
      this.#queue.push(bound, { block, group }, firstTraceId);
    }
  }

  /** Offers the traces of a group that are wholly in it, unless its best one turns out to come later than others. */
  #visitGroup({
    block,
    group,
    candidates = this.#candidatesOf(block, group),
  }: SearchedGroup): void {
    const { reader } = block;
    const { firstTraceId } = reader.footer.groups[group]!;
    const best = candidates.reduce((max, { rank }) => Math.max(max, rank), -Infinity);
    if (best < this.#queue.bound) {
      this.#queue.push(best, { block, group, candidates }, firstTraceId);
      return;
    }
    let columns: RowGroup | undefined;
    const summaries = block.summaries.group(group);
    const first = reader.firstTraces[group]!;
    for (const { t, rank } of candidates) {
      const trace = first + t;
      if (!this.#mayGetIn(rank, firstTraceId) || !block.matches(trace)) continue;
      if (this.#evaluator !== undefined) {
        const rows = [block.counted(trace)];
        if (!this.#evaluator.holdsRows(rows, block.factsOf(trace))) continue;
      }
      columns ??= reader.group(group);
      const key = this.#rank.keyAt(summaries, t);
      this.#offer({ key, traceId: columns.traceIdAt(t), value: { block, trace } });
    }
  }

  /** The traces that are wholly in a group and may match, as far as their columns tell. */
  #candidatesOf(block: SearchedBlock, group: number): Candidate[] {
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
      if (this.#roughTest?.(block.roughly(summaries, t)) === false) continue;
      candidates.push({ t, rank });
    }
    return candidates;
  }

  #offer(trace: RankedTrace<BlockTrace | LooseTrace>): void {
    this.#top.offer(trace);
    const { worst } = this.#top;
    if (worst === undefined) return;
    const floor = this.#rank.ofKey(worst.key);
    const slack = this.#rank.slackAt(floor);
    this.#floor = floor - slack;
    this.#floorId = slack === 0 ? worst.traceId : ANY_ID;
  }

  #visitLoose(trace: LooseTrace): void {
    const isMatch =
      trace.head.some(({ head, trace: t }) => this.#matchesIn(head)[t] === 1) ||
      trace.blocks.some(({ reader, trace: t }) => this.#blocks.get(reader)!.matches(t));
    if (!isMatch) return;
    const { key } = this.#rank;
    const isExact = key === 'start' || key === 'duration' || !trace.mayRepeat;
    const facts = this.#evaluator === undefined ? undefined : trace.facts;
    if (!isExact || (this.#evaluator !== undefined && facts === undefined)) {
      // Only the spans tell which of them are copies, and which of several roots is the first.
      const rows = orderTrace(this.#partsOf(trace));
      const summary = this.#summarizer.summarizeRows(rows);
      if (this.#evaluator?.holds(rows, summary) === false) return;
      this.#offer({ ...positionOf(this.#query.order ?? 'newest', summary), value: trace });
      return;
    }
    if (facts !== undefined) {
      // All of its parts are in blocks, each span once.
      const rows = trace.blocks.map(({ reader, trace: t }) => this.#blocks.get(reader)!.counted(t));
      if (!this.#evaluator!.holdsRows(rows, facts)) return;
    }
    this.#offer({ key: this.#rank.keyOf(trace), traceId: trace.id, value: trace });
  }

  /** Of a batch, 1 for each trace with a span that is in the window and meets `where`. */
  #matchesIn(head: HeadBatch): Uint8Array {
    let matches = this.#headMatches.get(head);
    if (matches === undefined) {
      const { batch, traces } = head;
      matches = new Uint8Array(traces.ids.length);
      const { startMinUnixNano, startMaxUnixNano } = this.#query;
      const isOutside =
        head.maxStart + ROUGH_SLACK_NANOS < Number(startMinUnixNano) ||
        head.minStart - ROUGH_SLACK_NANOS > Number(startMaxUnixNano);
      const rows = isOutside ? undefined : selectRows(this.#where, batch, this.#query)?.toRows();
      for (const row of rows ?? []) matches[traces.traceOf[row]!] = 1;
      this.#headMatches.set(head, matches);
    }
    return matches;
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

  #summarize(traces: readonly (BlockTrace | LooseTrace)[]): TraceSummary[] {
    const groups = new Map<BlockReader, Map<number, RowGroup>>();
    return traces.map((one) => {
      this.#checkCancelled();
      if (one instanceof LooseTrace) return this.#summarizer.summarize(this.#partsOf(one, groups));
      const { block, trace } = one;
      return (
        summarizeBlockTrace(block, trace) ??
        this.#summarizer.summarize([blockPart(block.reader, trace, groups)])
      );
    });
  }
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
