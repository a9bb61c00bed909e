// SPDX-License-Identifier: Apache-2.0
import { LATENCY_BUCKETS } from '@spoor/core/analysis/latency-bucket.ts';
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import type { RedKey } from '@spoor/core/analysis/red-counts.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import { type CountedSpans, forEachSeries } from './counted.ts';
import type { MinuteMetrics, SpanMetrics, SpanMetricsQuery } from './tracestore.ts';

/** Counts of a minute at `[start, end)` of a table. */
interface MinuteCells {
  readonly minute: number;
  readonly table: MinuteTable;
  readonly start: number;
  readonly end: number;
  readonly isError: boolean;
}

/** A service or operation while it is summed up. */
class SeriesSum {
  readonly service: string;
  readonly operation: string;
  /** All that is summed up, when it is asked for: minute by minute, each in the same memory. */
  readonly #cells: MinuteCells[] = [];

  constructor(service: string, operation: string) {
    this.service = service;
    this.operation = operation;
  }

  add(cells: MinuteCells): void {
    this.#cells.push(cells);
  }

  metrics(): SpanMetrics {
    const { service, operation } = this;
    const cells = this.#cells.sort((a, b) => a.minute - b.minute);
    const sum = new MinutesSum(cells.reduce((all, { start, end }) => all + end - start, 0));
    for (const one of cells) sum.add(one);
    return { service, operation, minutes: sum.metrics() };
  }
}

/** Minutes that are summed up one after the other. */
class MinutesSum {
  readonly #minute: number[] = [];
  readonly #calls: number[] = [];
  readonly #errors: number[] = [];
  readonly #start: number[] = [0];
  readonly #bucket: Uint32Array;
  readonly #count: Float64Array;
  #used = 0;
  /** The minute under way. */
  #now = -1;
  #nowErrors = 0;
  readonly #byBucket = new Float64Array(LATENCY_BUCKETS);
  #least = LATENCY_BUCKETS;
  #greatest = -1;

  constructor(maxCells: number) {
    this.#bucket = new Uint32Array(maxCells);
    this.#count = new Float64Array(maxCells);
  }

  /** @param cells of the minute of the last call, or a later one */
  add({ minute, table: { bucket, count }, start, end, isError }: MinuteCells): void {
    if (minute !== this.#now) this.#endMinute();
    this.#now = minute;
    const byBucket = this.#byBucket;
    let calls = 0;
    for (let i = start; i < end; i++) {
      byBucket[bucket[i]!]! += count[i]!;
      calls += count[i]!;
    }
    if (isError) this.#nowErrors += calls;
    // Buckets of a series ascend.
    this.#least = Math.min(this.#least, bucket[start]!);
    this.#greatest = Math.max(this.#greatest, bucket[end - 1]!);
  }

  metrics(): MinuteMetrics {
    this.#endMinute();
    return {
      minute: Uint32Array.from(this.#minute),
      calls: Float64Array.from(this.#calls),
      errors: Float64Array.from(this.#errors),
      start: Uint32Array.from(this.#start),
      latency: {
        bucket: this.#bucket.slice(0, this.#used),
        count: this.#count.slice(0, this.#used),
      },
    };
  }

  #endMinute(): void {
    const byBucket = this.#byBucket;
    const first = this.#used;
    let calls = 0;
    for (let bucket = this.#least; bucket <= this.#greatest; bucket++) {
      const count = byBucket[bucket]!;
      byBucket[bucket] = 0;
      calls += count;
      if (count <= 0) continue;
      this.#bucket[this.#used] = bucket;
      this.#count[this.#used++] = count;
    }
    if (calls > 0) {
      this.#minute.push(this.#now);
      this.#calls.push(calls);
      this.#errors.push(this.#nowErrors);
      this.#start.push(this.#used);
    } else this.#used = first;
    this.#nowErrors = 0;
    this.#least = LATENCY_BUCKETS;
    this.#greatest = -1;
  }
}

/** Sums spans up over any number of tables; what one counts another may take back. */
export class SpanMetricsSum {
  readonly #query: SpanMetricsQuery;
  readonly #sums = new Map<string, SeriesSum>();

  constructor(query: SpanMetricsQuery) {
    this.#query = query;
  }

  add({ textOf, keys, table }: CountedSpans): void {
    const sums: (SeriesSum | null)[] = [];
    forEachSeries(this.#query, table, (key, minute, start, end) => {
      let sum = sums[key];
      if (sum === undefined) sums[key] = sum = this.#sumOf(textOf, keys[key]!);
      sum?.add({ minute, table, start, end, isError: keys[key]!.isError });
    });
  }

  metrics(): SpanMetrics[] {
    return [...this.#sums.values()]
      .map((sum) => sum.metrics())
      .filter(({ minutes }) => minutes.minute.length > 0)
      .sort(
        (a, b) =>
          compareCodePoints(a.service, b.service) || compareCodePoints(a.operation, b.operation),
      );
  }

  /** What a key is summed up in; null where it is not asked for. */
  #sumOf(textOf: (number: number) => string, key: RedKey): SeriesSum | null {
    const { services, kinds, byOperation } = this.#query;
    if (!kinds.includes(key.kind)) return null;
    const service = textOf(key.service);
    if (!services.includes(service)) return null;
    const operation = byOperation ? textOf(key.operation) : '';
    const name = JSON.stringify([service, operation]);
    let sum = this.#sums.get(name);
    if (sum === undefined) this.#sums.set(name, (sum = new SeriesSum(service, operation)));
    return sum;
  }
}
