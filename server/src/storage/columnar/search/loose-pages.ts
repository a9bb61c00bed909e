// SPDX-License-Identifier: Apache-2.0
import type { SpanPredicate, TraceOrder } from '@spoor/core/query/trace-query.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { LooseTable } from './loose-table.ts';
import { LooseTrace } from './loose-trace.ts';
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
  readonly #table: LooseTable;
  /** A heap of the first ones, which are in no order yet; behind it those that were taken out of it, the best one last. */
  readonly #numbers: Uint32Array;
  readonly #ranks: Float64Array;
  #left: number;

  constructor(table: LooseTable, numbers: Uint32Array, rank: TraceRank) {
    this.#table = table;
    this.#numbers = numbers.slice();
    this.#ranks = Float64Array.from(numbers, (number) =>
      rank.rankOf(new LooseTrace(table, number)),
    );
    this.#left = numbers.length;
    for (let at = (this.#left >>> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** The trace at a place; undefined behind the last one. */
  trace(place: number): LooseTrace | undefined {
    const count = this.#numbers.length;
    if (place >= count) return undefined;
    while (count - this.#left <= place) {
      this.#swap(0, --this.#left);
      this.#sink(0);
    }
    return new LooseTrace(this.#table, this.#numbers[count - 1 - place]!);
  }

  /** The rank of a trace that was asked for before. */
  rank(place: number): number {
    return this.#ranks[this.#ranks.length - 1 - place]!;
  }

  #sink(from: number): void {
    for (let at = from, child = at * 2 + 1; child < this.#left; at = child, child = at * 2 + 1) {
      if (child + 1 < this.#left && this.#isBefore(child + 1, child)) child++;
      if (!this.#isBefore(child, at)) return;
      this.#swap(child, at);
    }
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#ranks[a]! - this.#ranks[b]!;
    if (difference !== 0) return difference > 0;
    return this.#table.compareIds(this.#numbers[a]!, this.#numbers[b]!) < 0;
  }

  #swap(a: number, b: number): void {
    const numbers = this.#numbers;
    const ranks = this.#ranks;
    [numbers[a], numbers[b]] = [numbers[b]!, numbers[a]!];
    [ranks[a], ranks[b]] = [ranks[b]!, ranks[a]!];
  }
}

/** The numbers of {@link RoughTrace}. */
type Extreme = Exclude<keyof RoughTrace, 'maxCount'>;

/** Some loose traces of which the least and the greatest numbers are known. */
interface LooseGroup {
  /** The least or the greatest of its traces: of none what any number is beyond. */
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
  /** What the table knows it by. */
  readonly number: number;
  readonly #table: LooseTable;
  readonly #changed: () => void;
  readonly #numbers = new Uint32Array(PAGE_TRACES);
  #size = 0;
  readonly #bounds = new Map<TraceOrder, { readonly rank: TraceRank; bound: number }>();
  readonly #ranked = new Map<TraceOrder, RankedLoose>();
  readonly #extremes = new Map<Extreme, number>();
  #counts: WeakMap<KnownRows, KnownMost> | undefined;
  #readers: Set<BlockReader> | undefined;
  #isInHead: boolean | undefined;

  /** @param changed called when something else is known of its traces */
  constructor(number: number, table: LooseTable, changed: () => void) {
    this.number = number;
    this.#table = table;
    this.#changed = changed;
  }

  get size(): number {
    return this.#size;
  }

  /** Numbers of its traces; not a copy. */
  get numbers(): Uint32Array {
    return this.#numbers.subarray(0, this.#size);
  }

  /** Its traces, one after the other. */
  *traces(): Generator<LooseTrace, void, undefined> {
    for (const number of this.numbers) yield new LooseTrace(this.#table, number);
  }

  /** Takes a trace. It is not full. */
  add(number: number): void {
    this.#table.setPlace(number, this.number, this.#size);
    this.#numbers[this.#size++] = number;
    this.#touch();
  }

  remove(number: number): void {
    const last = this.#numbers[--this.#size]!;
    const place = this.#table.placeOf(number);
    this.#table.setPlace(last, this.number, place);
    this.#numbers[place] = last;
    this.#touch();
  }

  /** No trace of the page ranks above this. */
  bound(rank: TraceRank): number {
    let known = this.#bounds.get(rank.order);
    if (known === undefined) {
      known = { rank, bound: -Infinity };
      for (const trace of this.traces()) known.bound = Math.max(known.bound, rank.rankOf(trace));
      this.#bounds.set(rank.order, known);
    }
    return known.bound;
  }

  /** All of them in an order; it is kept. */
  ranked(rank: TraceRank): RankedLoose {
    let ranked = this.#ranked.get(rank.order);
    if (ranked === undefined) {
      ranked = new RankedLoose(this.#table, this.numbers, rank);
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
      for (const trace of this.traces()) {
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

  extreme(what: Extreme): number {
    let extreme = this.#extremes.get(what);
    if (extreme === undefined) {
      const further = furtherOf(what);
      extreme = further();
      for (const trace of this.traces()) extreme = further(extreme, trace[what]);
      this.#extremes.set(what, extreme);
    }
    return extreme;
  }

  /** The blocks that have a part of one of the traces. */
  get readers(): ReadonlySet<BlockReader> {
    if (this.#readers === undefined) {
      const readers = new Set<BlockReader>();
      for (const { blocks } of this.traces()) for (const { reader } of blocks) readers.add(reader);
      this.#readers = readers;
    }
    return this.#readers;
  }

  /** Whether the head has a part of one of the traces. */
  get isInHead(): boolean {
    this.#isInHead ??= this.numbers.some((number) => this.#table.isInHead(number));
    return this.#isInHead;
  }

  /**
   * Takes note of a trace that got another part. While spans come, hundreds do so between two questions, on a dozen of pages: bounds are
   * raised where that trace needs it, and may be higher than they need be later.
   */
  grow(number: number): void {
    const trace = new LooseTrace(this.#table, number);
    for (const known of this.#bounds.values()) {
      const { rank } = known;
      known.bound = Math.max(known.bound, rank.rankOf(trace));
    }
    for (const [what, extreme] of this.#extremes) {
      this.#extremes.set(what, furtherOf(what)(extreme, trace[what]));
    }
    if (this.#readers !== undefined) {
      for (const { reader } of trace.blocks) this.#readers.add(reader);
    }
    if (trace.isInHead) this.#isInHead = true;
    this.#ranked.clear();
    this.#counts = undefined;
    this.#changed();
  }

  /** Forgets what was known of all, as one came or went. */
  #touch(): void {
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

/** What was worked out of all pages since one of them changed. */
interface KnownOfAll {
  readonly bounds: Map<TraceOrder, number>;
  readonly extremes: Map<Extreme, number>;
  readonly counts: WeakMap<KnownRows, KnownMost>;
}

/**
 * Loose traces in pages, so that a search need not look at each; and all of them together, so that it need not look at each page where no
 * trace matches. What is known of all is worked out from the pages anew when one has changed.
 */
export class LoosePages implements LooseGroup {
  readonly #table: LooseTable;
  readonly #pages = new Set<LoosePage>();
  readonly #byNumber: LoosePage[] = [];
  readonly #freeNumbers: number[] = [];
  #known: KnownOfAll | undefined;
  /** What takes the next trace. */
  #open: LoosePage | undefined;

  constructor(table: LooseTable) {
    this.#table = table;
  }

  values(): SetIterator<LoosePage> {
    return this.#pages.values();
  }

  /** No trace ranks above this; -Infinity where there is none. */
  bound(rank: TraceRank): number {
    const { bounds } = this.#ofAll();
    let bound = bounds.get(rank.order);
    if (bound === undefined) {
      bound = -Infinity;
      for (const page of this.#pages) bound = Math.max(bound, page.bound(rank));
      bounds.set(rank.order, bound);
    }
    return bound;
  }

  extreme(what: Extreme): number {
    const { extremes } = this.#ofAll();
    let extreme = extremes.get(what);
    if (extreme === undefined) {
      const further = furtherOf(what);
      extreme = further();
      for (const page of this.#pages) extreme = further(extreme, page.extreme(what));
      extremes.set(what, extreme);
    }
    return extreme;
  }

  /** No trace has more spans that meet a predicate, as far as that was worked out of pages. */
  knownMostOf(known: KnownRows): number {
    const { counts } = this.#ofAll();
    const kept = counts.get(known);
    if (kept?.changes === known.changes) return kept.most;
    let most = 0;
    let unknown = 0;
    for (const page of this.#pages) {
      const own = page.knownMostOf(known);
      if (own === Infinity) unknown = Math.max(unknown, page.extreme('maxSpans'));
      else most = Math.max(most, own);
    }
    // It is not kept while it may come to less.
    if (unknown <= most) counts.set(known, { changes: known.changes, most });
    return Math.max(most, unknown);
  }

  #ofAll(): KnownOfAll {
    return (this.#known ??= { bounds: new Map(), extremes: new Map(), counts: new WeakMap() });
  }

  add(number: number): void {
    if (this.#open === undefined || this.#open.size === PAGE_TRACES) this.#open = this.#newPage();
    this.#open.add(number);
  }

  remove(number: number): void {
    const page = this.#byNumber[this.#table.pageOf(number)]!;
    page.remove(number);
    if (page === this.#open || page.size >= MIN_PAGE_TRACES) return;
    this.#pages.delete(page);
    this.#freeNumbers.push(page.number);
    for (const left of page.numbers) this.add(left);
  }

  /** As of a page, of the trace's own. */
  grow(number: number): void {
    this.#byNumber[this.#table.pageOf(number)]!.grow(number);
  }

  #newPage(): LoosePage {
    const number = this.#freeNumbers.pop() ?? this.#byNumber.length;
    const page = new LoosePage(number, this.#table, () => {
      this.#known = undefined;
    });
    this.#byNumber[number] = page;
    this.#pages.add(page);
    return page;
  }
}
