// SPDX-License-Identifier: Apache-2.0
import type { BlockReader } from '../block/block-reader.ts';
import type { TraceColumns, WideColumn } from '../block/trace-columns.ts';
import type { TraceRank } from './trace-rank.ts';
import type { TraceSummaries } from './trace-summaries.ts';

/**
 * So many traces of a block are put in order at first, and so many when these do not suffice: 48 and 192 KiB, and 8 or 4 bytes a trace
 * for each of their columns that is looked at.
 */
export const RANKED: readonly number[] = [4096, 16384];

/** Some of the best traces of a block in an order, best first; of those that rank equal the one with the least id. */
export interface RankedTraces {
  /** Where the rest is: in the next part, or not in order. */
  readonly rest: 'none' | 'next' | 'unordered';
  /** Their numbers in the block. */
  readonly traces: Uint32Array;
  readonly ranks: Float64Array;
  /** Theirs, in the same order. */
  readonly columns: TraceColumns;
}

/**
 * The best traces of a block, kept in its cache. What is not among them ranks below the last one, or equal to it with a greater number.
 * @param how `part`: 0 for the first of them, part by part until the last one; `sizes`: where each part ends
 */
export function rankedTraces(
  reader: BlockReader,
  summaries: TraceSummaries,
  {
    rank,
    part,
    sizes,
  }: { readonly rank: TraceRank; readonly part: number; readonly sizes: readonly number[] },
): RankedTraces {
  const [from, to] = [sizes[part - 1] ?? 0, Math.min(sizes[part]!, reader.footer.traces)];
  const what = `best ${rank.order} ${part}`;
  const { traces, ranks } = reader.decoded(-1, what, (to - from) * 12, () => {
    const best = bestOf(rank.ranksOf(summaries.all()), to);
    return { traces: best.traces.slice(from), ranks: best.ranks.slice(from) };
  });
  return {
    rest: to === reader.footer.traces ? 'none' : part + 1 < sizes.length ? 'next' : 'unordered',
    traces,
    ranks,
    columns: new PickedColumns(reader, summaries, what, traces),
  };
}

/** The numbers and ranks of the `count` best of all. */
export function bestOf(
  all: Float64Array,
  count: number,
): { traces: Uint32Array; ranks: Float64Array } {
  const least = count === 0 ? Infinity : nthGreatest(all.slice(), count);
  const picked = new Uint32Array(count);
  const ranks = new Float64Array(count);
  let above = 0;
  for (const rank of all) if (rank > least) above++;
  let equal = count - above;
  for (let t = 0, at = 0; at < count; t++) {
    if (all[t]! > least || (all[t] === least && equal-- > 0)) {
      picked[at] = t;
      ranks[at++] = all[t]!;
    }
  }
  ranks.sort().reverse();
  // Of equal ones that come in the order of their numbers, each has the place behind the one before.
  const traces = new Uint32Array(count);
  const taken = new Uint32Array(count);
  for (const t of picked) {
    const first = firstNotAbove(ranks, all[t]!);
    traces[first + taken[first]!++] = t;
  }
  return { traces, ranks };
}

/** The n-th greatest number; changes the order of them. @param n from 1 */
function nthGreatest(values: Float64Array, n: number): number {
  const wanted = n - 1;
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >>> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! > pivot) i++;
      while (values[j]! < pivot) j--;
      if (i > j) break;
      const value = values[i]!;
      values[i++] = values[j]!;
      values[j--] = value;
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return values[wanted]!;
}

/** Where in descending ranks the first one is that is no more than this. */
function firstNotAbove(ranks: Float64Array, rank: number): number {
  let low = 0;
  let high = ranks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranks[middle]! > rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Columns of some traces of a block, each picked when it is first asked for and kept in the block's cache. */
class PickedColumns implements TraceColumns {
  readonly traces: number;
  readonly #reader: BlockReader;
  readonly #summaries: TraceSummaries;
  readonly #what: string;
  readonly #numbers: Uint32Array;
  readonly #picked: { -readonly [Column in keyof TraceColumns]?: TraceColumns[Column] } = {};

  /** @param what the traces are called in the cache */
  constructor(reader: BlockReader, summaries: TraceSummaries, what: string, numbers: Uint32Array) {
    this.#reader = reader;
    this.#summaries = summaries;
    this.#what = what;
    this.#numbers = numbers;
    this.traces = numbers.length;
  }

  get start(): WideColumn {
    return (this.#picked.start ??= this.#wide('start'));
  }
  get length(): WideColumn {
    return (this.#picked.length ??= this.#wide('length'));
  }
  get longest(): WideColumn {
    return (this.#picked.longest ??= this.#wide('longest'));
  }
  get spans(): Uint32Array {
    return (this.#picked.spans ??= this.#narrow('spans'));
  }
  get errors(): Uint32Array {
    return (this.#picked.errors ??= this.#narrow('errors'));
  }
  get rootResource(): Uint32Array {
    return (this.#picked.rootResource ??= this.#narrow('rootResource'));
  }
  get rootName(): Uint32Array {
    return (this.#picked.rootName ??= this.#narrow('rootName'));
  }

  #wide(what: 'start' | 'length' | 'longest'): WideColumn {
    return this.#kept(what, 8, (all) => ({
      lo: pick(all[what].lo, this.#numbers),
      hi: pick(all[what].hi, this.#numbers),
    }));
  }

  #narrow(what: 'spans' | 'errors' | 'rootResource' | 'rootName'): Uint32Array {
    return this.#kept(what, 4, (all) => pick(all[what], this.#numbers));
  }

  /** @param bytes of a trace */
  #kept<Column>(
    what: keyof TraceColumns,
    bytes: number,
    make: (all: TraceColumns) => Column,
  ): Column {
    return this.#reader.decoded(-1, `${this.#what} ${what}`, bytes * this.traces, () =>
      make(this.#summaries.all()),
    );
  }
}

function pick(values: Uint32Array, numbers: Uint32Array): Uint32Array {
  const picked = new Uint32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) picked[i] = values[numbers[i]!]!;
  return picked;
}
