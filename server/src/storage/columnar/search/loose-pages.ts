// SPDX-License-Identifier: Apache-2.0
import type { SpanPredicate, TraceOrder } from '@spoor/core/query/trace-query.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { BestFirst } from './best-first.ts';
import type { LooseTrace } from './loose-trace.ts';
import type { KnownRows } from './matched-rows.ts';
import type { RoughTrace } from './rough-trace-test.ts';
import type { TraceRank } from './trace-rank.ts';

/** Traces of a page: a search looks at its best ones, as many as it needs, or at none. */
const PAGE_TRACES = 256;

/** A page that has lost all but this many gives the rest to others. */
const MIN_PAGE_TRACES = 64;

/**
 * Loose traces, best first; of those that rank equal the one with the least id first. They are put in order as far as they are asked
 * for: while spans come in, pages change from question to question, and of most a few traces are looked at.
 */
export class RankedLoose {
  readonly #rest = new BestFirst<LooseTrace>();
  readonly #traces: LooseTrace[] = [];
  readonly #ranks: number[] = [];

  constructor(traces: Iterable<LooseTrace>, rank: TraceRank) {
    for (const trace of traces) this.#rest.push(rank.ofKey(rank.keyOf(trace)), trace, trace.id);
  }

  /** The trace at a place; undefined behind the last one. */
  trace(place: number): LooseTrace | undefined {
    while (this.#traces.length <= place) {
      const rank = this.#rest.bound;
      const next = this.#rest.pop();
      if (next === undefined) return undefined;
      this.#traces.push(next);
      this.#ranks.push(rank);
    }
    return this.#traces[place];
  }

  /** The rank of a trace that was asked for before. */
  rank(place: number): number {
    return this.#ranks[place]!;
  }
}

/** The numbers of {@link RoughTrace}. */
export type Extreme = Exclude<keyof RoughTrace, 'maxCount'>;

/** Some loose traces of which the least and the greatest numbers are known. */
interface LooseGroup {
  extreme(what: Extreme): number;
}

/** Which of two values is the extreme one; of none what any other is beyond. */
function furtherOf(what: Extreme): (...values: number[]) => number {
  return what.startsWith('min') ? Math.min : Math.max;
}

/** How many spans of a trace meet a predicate at most, worked out when so much was known of it. */
interface KnownMost {
  readonly changes: number;
  readonly most: number;
}

/** Some loose traces that came one after the other, and how good the best of them is. */
export class LoosePage implements LooseGroup {
  readonly traces = new Set<LooseTrace>();
  readonly #changed: () => void;
  readonly #bounds = new Map<TraceOrder, { readonly rank: TraceRank; bound: number }>();
  readonly #ranked = new Map<TraceOrder, RankedLoose>();
  readonly #extremes = new Map<Extreme, number>();
  #counts: WeakMap<KnownRows, KnownMost> | undefined;
  #readers: Set<BlockReader> | undefined;
  #isInHead: boolean | undefined;

  /** @param changed called when something else is known of its traces */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** No trace of the page ranks above this. */
  bound(rank: TraceRank): number {
    let known = this.#bounds.get(rank.order);
    if (known === undefined) {
      known = { rank, bound: -Infinity };
      for (const trace of this.traces) {
        known.bound = Math.max(known.bound, rank.ofKey(rank.keyOf(trace)));
      }
      this.#bounds.set(rank.order, known);
    }
    return known.bound;
  }

  /** All of them in an order; it is kept. */
  ranked(rank: TraceRank): RankedLoose {
    let ranked = this.#ranked.get(rank.order);
    if (ranked === undefined) {
      ranked = new RankedLoose(this.traces, rank);
      this.#ranked.set(rank.order, ranked);
    }
    return ranked;
  }

  /**
   * No trace of the page has more spans that meet a predicate; kept while nothing new is known.
   * @param known what is known of the predicate
   * @param countOf no trace has more of them than this tells
   */
  mostOf(known: KnownRows, countOf: (trace: LooseTrace) => number): number {
    const { changes } = known;
    this.#counts ??= new WeakMap();
    let counts = this.#counts.get(known);
    if (counts?.changes !== changes) {
      let most = 0;
      for (const trace of this.traces) {
        if (trace.maxSpans > most) most = Math.max(most, countOf(trace));
      }
      this.#counts.set(known, (counts = { changes, most }));
    }
    return counts.most;
  }

  /** As {@link mostOf}, where that was worked out and nothing new is known; Infinity elsewhere. */
  knownMostOf(known: KnownRows): number {
    const counts = this.#counts?.get(known);
    return counts?.changes === known.changes ? counts.most : Infinity;
  }

  /** The least or the greatest that is known of its traces. */
  extreme(what: Extreme): number {
    let extreme = this.#extremes.get(what);
    if (extreme === undefined) {
      const further = furtherOf(what);
      extreme = further();
      for (const trace of this.traces) extreme = further(extreme, trace[what]);
      this.#extremes.set(what, extreme);
    }
    return extreme;
  }

  /** The blocks that have a part of one of the traces. */
  get readers(): ReadonlySet<BlockReader> {
    if (this.#readers === undefined) {
      const readers = new Set<BlockReader>();
      for (const { blocks } of this.traces) for (const { reader } of blocks) readers.add(reader);
      this.#readers = readers;
    }
    return this.#readers;
  }

  /** Whether the head has a part of one of the traces. */
  get isInHead(): boolean {
    this.#isInHead ??= this.traces.values().some(({ head }) => head.length > 0);
    return this.#isInHead;
  }

  /**
   * Takes note of a trace that got another part. While spans come, hundreds do so between two questions, on a dozen of pages: bounds are
   * raised where that trace needs it, and may be higher than they need be later.
   */
  grow(trace: LooseTrace): void {
    for (const known of this.#bounds.values()) {
      const { rank } = known;
      known.bound = Math.max(known.bound, rank.ofKey(rank.keyOf(trace)));
    }
    for (const [what, extreme] of this.#extremes) {
      this.#extremes.set(what, furtherOf(what)(extreme, trace[what]));
    }
    for (const { reader } of trace.blocks) this.#readers?.add(reader);
    if (trace.head.length > 0) this.#isInHead = true;
    this.#ranked.clear();
    this.#counts = undefined;
    this.#changed();
  }

  /** Takes note of a trace that came or went. */
  touch(): void {
    this.#bounds.clear();
    this.#ranked.clear();
    this.#extremes.clear();
    this.#counts = undefined;
    this.#readers = undefined;
    this.#isInHead = undefined;
    this.#changed();
  }
}

/** What is known of all traces of one group after the other: it is looked at, not kept. */
export class RoughLoose<Group extends LooseGroup> implements RoughTrace {
  group!: Group;
  readonly #mostIn: (group: Group, where: SpanPredicate) => number;

  /** @param mostIn no trace of a group has more spans that meet a predicate */
  constructor(mostIn: (group: Group, where: SpanPredicate) => number) {
    this.#mostIn = mostIn;
  }

  get minDuration(): number {
    return this.group.extreme('minDuration');
  }
  get maxDuration(): number {
    return this.group.extreme('maxDuration');
  }
  get longest(): number {
    return this.group.extreme('longest');
  }
  get minSpans(): number {
    return this.group.extreme('minSpans');
  }
  get maxSpans(): number {
    return this.group.extreme('maxSpans');
  }
  get minErrors(): number {
    return this.group.extreme('minErrors');
  }
  get maxErrors(): number {
    return this.group.extreme('maxErrors');
  }
  maxCount(where: SpanPredicate): number {
    return this.#mostIn(this.group, where);
  }
}

/**
 * Loose traces in pages, so that a search need not look at each; and all of them together, so that it need not look at each page where no
 * trace matches. What is known of all is worked out from the pages anew when one has changed.
 */
export class LoosePages implements LooseGroup {
  readonly #pages = new Set<LoosePage>();
  readonly #changed = (): void => {
    this.#bounds.clear();
    this.#extremes.clear();
    this.#counts = undefined;
  };
  readonly #bounds = new Map<TraceOrder, number>();
  readonly #extremes = new Map<Extreme, number>();
  #counts: WeakMap<KnownRows, KnownMost> | undefined;
  /** What takes the next trace. */
  #open = new LoosePage(this.#changed);

  values(): SetIterator<LoosePage> {
    return this.#pages.values();
  }

  /** No trace ranks above this; -Infinity where there is none. */
  bound(rank: TraceRank): number {
    let bound = this.#bounds.get(rank.order);
    if (bound === undefined) {
      bound = -Infinity;
      for (const page of this.#pages) bound = Math.max(bound, page.bound(rank));
      this.#bounds.set(rank.order, bound);
    }
    return bound;
  }

  extreme(what: Extreme): number {
    let extreme = this.#extremes.get(what);
    if (extreme === undefined) {
      const further = furtherOf(what);
      extreme = further();
      for (const page of this.#pages) extreme = further(extreme, page.extreme(what));
      this.#extremes.set(what, extreme);
    }
    return extreme;
  }

  /** No trace has more spans that meet a predicate, as far as that was worked out of each page; Infinity where it was not. */
  knownMostOf(known: KnownRows): number {
    this.#counts ??= new WeakMap();
    const counts = this.#counts.get(known);
    if (counts?.changes === known.changes) return counts.most;
    let most = 0;
    for (const page of this.#pages) {
      most = Math.max(most, page.knownMostOf(known));
      // It is soon worked out: not kept.
      if (most === Infinity) return most;
    }
    this.#counts.set(known, { changes: known.changes, most });
    return most;
  }

  add(trace: LooseTrace): void {
    if (this.#open.traces.size >= PAGE_TRACES) this.#open = new LoosePage(this.#changed);
    this.#pages.add(this.#open);
    this.#open.traces.add(trace);
    this.#open.touch();
    trace.page = this.#open;
  }

  remove(trace: LooseTrace): void {
    const page = trace.page!;
    page.traces.delete(trace);
    page.touch();
    trace.page = undefined;
    if (page === this.#open || page.traces.size >= MIN_PAGE_TRACES) return;
    this.#pages.delete(page);
    for (const left of page.traces) this.add(left);
  }
}
