// SPDX-License-Identifier: Apache-2.0
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import type { RedKey } from '@spoor/core/analysis/red-counts.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { SymbolInterner } from '@spoor/core/model/symbol-interner.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { WordList } from '@spoor/core/model/word-list.ts';
import { compareCodePoints, sortCodePoints } from '@spoor/core/query/code-point-order.ts';
import { type CountedSpans, forEachSeries } from './counted.ts';
import { MinutesSum } from './minutes-sum.ts';
import { type SpanMetricsTable, unpackSpanMetrics } from './span-metrics-table.ts';
import type { SpanMetrics, SpanMetricsQuery } from './tracestore.ts';

/** What is summed up for one answer at most, whatever spans say. */
export interface SpanMetricsLimits {
  /** Services, or their operations. */
  readonly series: number;
  /** UTF-16 units of all names of operations. */
  readonly nameLength: number;
  /** Minutes of all series, each twice where it has spans with status ERROR and others, and as often as blocks have some of it. */
  readonly minutes: number;
  /** Latency buckets of all these minutes. */
  readonly cells: number;
}

/**
 * Names are in the heap: 50 MiB at most. Numbers are not: 40 bytes for each minute and 20 for each bucket, 240 MiB at most, until the
 * answer is made. A day of 500 operations with errors in each minute has 1.4 million minutes.
 */
export const SPAN_METRICS_LIMITS: SpanMetricsLimits = {
  series: 2 ** 17,
  nameLength: 2 ** 24,
  minutes: 2 ** 21,
  cells: 2 ** 23,
};

/** What to call each of the limits. */
const LIMIT_NAMES: { readonly [Name in keyof SpanMetricsLimits]: string } = {
  series: 'operations',
  nameLength: 'characters in the names of operations',
  minutes: 'minutes of all operations',
  cells: 'latencies of all operations and minutes',
};

/** Minutes are sorted by so many bits at a time. */
const DIGIT_BITS = 11;
const DIGIT_MASK = 2 ** DIGIT_BITS - 1;

/** No series: it is not asked for. */
const NONE = -1;

/** Sums spans up over any number of tables; what one counts another may take back. */
export class SpanMetricsSum {
  readonly #query: SpanMetricsQuery;
  readonly #limits: SpanMetricsLimits;
  readonly #kinds: ReadonlySet<number>;
  /** Numbers of series by operation, of each service that is asked for. */
  readonly #numbers: ReadonlyMap<string, Map<string, number>>;
  #series = 0;
  #nameLength = 0;
  /** Runs: what a table has of a key in a minute. Each is twice the number of its series, and 1 more for errors. */
  readonly #runs = new WordList();
  readonly #minutes = new WordList();
  /** Where the counts of each run end. */
  readonly #ends = new WordList();
  readonly #buckets = new WordList();
  /** They may be below zero. */
  readonly #counts = new WordList();

  constructor(query: SpanMetricsQuery, limits = SPAN_METRICS_LIMITS) {
    this.#query = query;
    this.#limits = limits;
    this.#kinds = new Set(query.kinds);
    this.#numbers = new Map(query.services.map((service) => [service, new Map()]));
  }

  /** Nothing of the table is kept. @throws {SpoorError} invalid_argument: over a limit */
  add({ textOf, keys, table }: CountedSpans): void {
    let last = -1;
    let run = NONE;
    forEachSeries(this.#query, table, (key, minute, start, end) => {
      // They ascend by key.
      if (key !== last) run = this.#runOf(textOf, keys[(last = key)]!);
      if (run !== NONE) this.#addRun(run, minute, table, start, end);
    });
  }

  /** All that was added, in order; nothing more can be. */
  metrics(): Iterable<SpanMetrics> {
    return unpackSpanMetrics(this.table());
  }

  /** As {@link metrics}. */
  table(): SpanMetricsTable {
    const services = [...this.#numbers.keys()].sort(compareCodePoints);
    const { order, starts } = this.#inOrder();
    const sum = new MinutesSum(order.length, this.#buckets.count);
    const [service, first] = [new WordList(), new WordList()];
    const names = new SymbolInterner();
    for (const [place, name] of services.entries()) {
      const numbers = this.#numbers.get(name)!;
      for (const operation of sortCodePoints([...numbers.keys()])) {
        const before = sum.count;
        const number = numbers.get(operation)!;
        this.#addMinutes(sum, order.subarray(starts[number]!, starts[number + 1]!));
        if (sum.count === before) continue;
        service.push(place);
        first.push(before);
        const bytes = encodeText(operation);
        names.append(bytes, 0, bytes.length);
      }
    }
    first.push(sum.count);
    return {
      services,
      service: service.words.slice(0, service.count),
      operations: {
        offsets: names.offsets.slice(0, names.count + 1),
        bytes: names.bytes.slice(0, names.byteCount),
      },
      first: first.words.slice(0, first.count),
      minutes: sum.take(),
    };
  }

  /** What a run of a key is. */
  #runOf(textOf: (number: number) => string, key: RedKey): number {
    if (!this.#kinds.has(key.kind)) return NONE;
    const numbers = this.#numbers.get(textOf(key.service));
    if (numbers === undefined) return NONE;
    const operation = this.#query.byOperation ? textOf(key.operation) : '';
    let number = numbers.get(operation);
    if (number === undefined) {
      this.#check('series', this.#series + 1);
      this.#check('nameLength', (this.#nameLength += operation.length));
      numbers.set(operation, (number = this.#series++));
    }
    return number * 2 + (key.isError ? 1 : 0);
  }

  #addRun(run: number, minute: number, table: MinuteTable, start: number, end: number): void {
    const { bucket, count } = table;
    this.#check('minutes', this.#runs.count + 1);
    this.#check('cells', this.#buckets.count + end - start);
    this.#runs.push(run);
    this.#minutes.push(minute);
    for (let i = start; i < end; i++) {
      this.#buckets.push(bucket[i]!);
      this.#counts.push(count[i]!);
    }
    this.#ends.push(this.#buckets.count);
  }

  /** Runs by series, that of number `n` at `[starts[n], starts[n + 1])`, and those of each by minute. */
  #inOrder(): SortedRuns {
    const { words: runs, count } = this.#runs;
    const minutes = this.#minutes.words;
    let [least, greatest] = [Infinity, 0];
    let order = new Uint32Array(count);
    for (let run = 0; run < count; run++) {
      order[run] = run;
      least = Math.min(least, minutes[run]!);
      greatest = Math.max(greatest, minutes[run]!);
    }
    // A day is one digit.
    for (let shift = 0; greatest - least >= 2 ** shift; shift += DIGIT_BITS) {
      const digitOf = (run: number): number => ((minutes[run]! - least) >>> shift) & DIGIT_MASK;
      order = sortRuns(order, DIGIT_MASK + 1, digitOf).order;
    }
    return sortRuns(order, this.#series, (run) => runs[run]! >>> 1);
  }

  /** Adds the minutes of a series. @param order its runs, by minute */
  #addMinutes(sum: MinutesSum, order: Uint32Array): void {
    const runs = this.#runs.words;
    const minutes = this.#minutes.words;
    const ends = this.#ends.words;
    for (let i = 0; i < order.length; i++) {
      const run = order[i]!;
      const minute = minutes[run]!;
      if (i > 0 && minutes[order[i - 1]!] !== minute) sum.endMinute(minutes[order[i - 1]!]!);
      const start = run === 0 ? 0 : ends[run - 1]!;
      const isError = (runs[run]! & 1) === 1;
      sum.add(this.#buckets.words, this.#counts.words, [start, ends[run]!], isError);
    }
    sum.endMinute(minutes[order.at(-1)!]!);
  }

  #check(limit: keyof SpanMetricsLimits, count: number): void {
    const max = this.#limits[limit];
    if (count > max) throw tooMany(this.#query, `${max} ${LIMIT_NAMES[limit]}`);
  }
}

interface SortedRuns {
  readonly order: Uint32Array<ArrayBuffer>;
  /** Where the runs of each digit begin; one more for the end. */
  readonly starts: Uint32Array;
}

/** Sorts runs by a digit of theirs below `digits`; equal ones stay in their order. */
function sortRuns(runs: Uint32Array, digits: number, digitOf: (run: number) => number): SortedRuns {
  const starts = new Uint32Array(digits + 1);
  for (let i = 0; i < runs.length; i++) starts[digitOf(runs[i]!) + 1]!++;
  for (let digit = 0; digit < digits; digit++) starts[digit + 1]! += starts[digit]!;
  const next = starts.slice();
  const order = new Uint32Array(runs.length);
  for (let i = 0; i < runs.length; i++) order[next[digitOf(runs[i]!)]!++] = runs[i]!;
  return { order, starts };
}

function tooMany({ byOperation, services }: SpanMetricsQuery, what: string): SpoorError {
  const instead = [
    ...(byOperation ? [`without 'groupByOperation'`] : []),
    ...(services.length > 1 ? ['for one service'] : []),
    `with a shorter 'lookback'`,
  ];
  return new SpoorError(
    'invalid_argument',
    `metrics: more than ${what} are not summed up for one answer; ask ${instead.join(', or ')}`,
  );
}
