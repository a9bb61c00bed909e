// SPDX-License-Identifier: Apache-2.0
import type { EdgeKey } from '@spoor/core/analysis/edge-counts.ts';
import { EDGE_KIND_NAMES } from '@spoor/core/analysis/edge-kind.ts';
import { LATENCY_BUCKETS } from '@spoor/core/analysis/latency-bucket.ts';
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import type { RedKey } from '@spoor/core/analysis/red-counts.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import type { Dependency, MinuteRange, SpanMetrics, SpanMetricsQuery } from './tracestore.ts';

/** Counted calls. */
export interface CountedEdges {
  /** What the numbers in `keys` stand for. */
  readonly texts: readonly string[];
  readonly keys: readonly EdgeKey[];
  readonly table: MinuteTable;
}

/** Counted spans. */
export interface CountedSpans {
  /** Text of a service or operation in `keys`. */
  readonly textOf: (number: number) => string;
  readonly keys: readonly RedKey[];
  readonly table: MinuteTable;
}

/** An edge while it is summed up. */
class EdgeSum {
  readonly edge: Pick<Dependency, 'caller' | 'callee' | 'kind' | 'isInferred'>;
  calls = 0;
  errors = 0;
  readonly byBucket = new Float64Array(LATENCY_BUCKETS);

  constructor(edge: EdgeSum['edge']) {
    this.edge = edge;
  }

  dependency(): Dependency {
    const latency: [bucket: number, count: number][] = [];
    this.byBucket.forEach((count, bucket) => {
      if (count > 0) latency.push([bucket, count]);
    });
    return { ...this.edge, calls: this.calls, errors: this.errors, latency };
  }
}

/** Sums calls up over any number of tables; what one counts another may take back. */
export class DependencySum {
  readonly #range: MinuteRange;
  readonly #sums = new Map<string, EdgeSum>();

  constructor(range: MinuteRange) {
    this.#range = range;
  }

  add({ texts, keys, table }: CountedEdges): void {
    const { bucket, count } = table;
    const sums = keys.map((key) => this.#sumOf(texts, key));
    forEachSeries(this.#range, table, (key, _minute, start, end) => {
      const sum = sums[key]!;
      let calls = 0;
      for (let i = start; i < end; i++) {
        calls += count[i]!;
        sum.byBucket[bucket[i]!]! += count[i]!;
      }
      sum.calls += calls;
      if (keys[key]!.isError) sum.errors += calls;
    });
  }

  dependencies(): Dependency[] {
    return [...this.#sums.values()]
      .filter(({ calls }) => calls > 0)
      .map((sum) => sum.dependency())
      .sort(
        (a, b) =>
          compareCodePoints(a.caller, b.caller) ||
          compareCodePoints(a.callee, b.callee) ||
          compareCodePoints(a.kind, b.kind) ||
          Number(a.isInferred) - Number(b.isInferred),
      );
  }

  #sumOf(texts: readonly string[], { caller, callee, kind, isInferred }: EdgeKey): EdgeSum {
    const edge = {
      caller: texts[caller]!,
      callee: texts[callee]!,
      kind: EDGE_KIND_NAMES[kind],
      isInferred,
    };
    const name = JSON.stringify(edge);
    let sum = this.#sums.get(name);
    if (sum === undefined) this.#sums.set(name, (sum = new EdgeSum(edge)));
    return sum;
  }
}

/** A service or operation while it is summed up. */
class SeriesSum {
  readonly service: string;
  readonly operation: string;
  readonly #minutes = new Map<
    number,
    { calls: number; errors: number; byBucket: Map<number, number> }
  >();

  constructor(service: string, operation: string) {
    this.service = service;
    this.operation = operation;
  }

  /** Adds what a table counts at `[start, end)`. */
  add(
    minute: number,
    { bucket, count }: MinuteTable,
    start: number,
    end: number,
    isError: boolean,
  ): void {
    let sum = this.#minutes.get(minute);
    if (sum === undefined) {
      this.#minutes.set(minute, (sum = { calls: 0, errors: 0, byBucket: new Map() }));
    }
    let calls = 0;
    for (let i = start; i < end; i++) {
      calls += count[i]!;
      sum.byBucket.set(bucket[i]!, (sum.byBucket.get(bucket[i]!) ?? 0) + count[i]!);
    }
    sum.calls += calls;
    if (isError) sum.errors += calls;
  }

  metrics(): SpanMetrics {
    const { service, operation } = this;
    const minutes = [...this.#minutes]
      .filter(([, { calls }]) => calls > 0)
      .sort(([a], [b]) => a - b)
      .map(([minute, { calls, errors, byBucket }]) => ({
        minute,
        calls,
        errors,
        latency: [...byBucket].filter(([, count]) => count > 0).sort(([a], [b]) => a - b),
      }));
    return { service, operation, minutes };
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
    const sums = keys.map((key) => this.#sumOf(textOf, key));
    forEachSeries(this.#query, table, (key, minute, start, end) => {
      sums[key]?.add(minute, table, start, end, keys[key]!.isError);
    });
  }

  metrics(): SpanMetrics[] {
    return [...this.#sums.values()]
      .map((sum) => sum.metrics())
      .filter(({ minutes }) => minutes.length > 0)
      .sort(
        (a, b) =>
          compareCodePoints(a.service, b.service) || compareCodePoints(a.operation, b.operation),
      );
  }

  /** What a key is summed up in; undefined where it is not asked for. */
  #sumOf(textOf: (number: number) => string, key: RedKey): SeriesSum | undefined {
    const { services, kinds, byOperation } = this.#query;
    if (!kinds.includes(key.kind)) return undefined;
    const service = textOf(key.service);
    if (!services.includes(service)) return undefined;
    const operation = byOperation ? textOf(key.operation) : '';
    const name = JSON.stringify([service, operation]);
    let sum = this.#sums.get(name);
    if (sum === undefined) this.#sums.set(name, (sum = new SeriesSum(service, operation)));
    return sum;
  }
}

function forEachSeries(
  { fromMinute, toMinute }: MinuteRange,
  { minutes, key, minute, start }: MinuteTable,
  visit: (key: number, minute: number, start: number, end: number) => void,
): void {
  for (let s = 0; s < key.length; s++) {
    const at = minutes[minute[s]!]!;
    if (at < fromMinute || at >= toMinute) continue;
    visit(key[s]!, at, start[s]!, start[s + 1]!);
  }
}
