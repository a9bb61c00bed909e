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

/** What tells an edge from others. */
type Edge = Pick<Dependency, 'caller' | 'callee' | 'kind' | 'isInferred'>;

/** An edge with what was summed up of it, to be added to another sum. */
export interface EdgeTotals {
  readonly edge: Edge;
  readonly calls: number;
  readonly errors: number;
  /** Latency buckets, and their counts, which may be negative. */
  readonly bucket: Uint32Array;
  readonly count: Float64Array;
}

/** An edge while it is summed up. */
class EdgeSum {
  readonly edge: Edge;
  calls = 0;
  errors = 0;
  readonly byBucket = new Float64Array(LATENCY_BUCKETS);

  constructor(edge: Edge) {
    this.edge = edge;
  }

  /** Adds what a table counts at `[start, end)`. */
  add({ bucket, count }: MinuteTable, start: number, end: number, isError: boolean): void {
    const { byBucket } = this;
    let calls = 0;
    for (let i = start; i < end; i++) {
      calls += count[i]!;
      byBucket[bucket[i]!]! += count[i]!;
    }
    this.calls += calls;
    if (isError) this.errors += calls;
  }

  addTotals({ calls, errors, bucket, count }: EdgeTotals): void {
    const { byBucket } = this;
    for (let i = 0; i < bucket.length; i++) byBucket[bucket[i]!]! += count[i]!;
    this.calls += calls;
    this.errors += errors;
  }

  totals(): EdgeTotals {
    const { edge, calls, errors, byBucket } = this;
    const bucket = Uint32Array.from(byBucket.keys()).filter((b) => byBucket[b] !== 0);
    return { edge, calls, errors, bucket, count: byBucket.filter((count) => count !== 0) };
  }

  dependency(): Dependency {
    const { byBucket } = this;
    const latency: [bucket: number, count: number][] = [];
    for (let bucket = 0; bucket < byBucket.length; bucket++) {
      if (byBucket[bucket]! > 0) latency.push([bucket, byBucket[bucket]!]);
    }
    return { ...this.edge, calls: this.calls, errors: this.errors, latency };
  }
}

/** Sums calls up over any number of tables; what one counts another may take back. */
export class DependencySum {
  readonly #range: MinuteRange;
  /** By caller and callee. */
  readonly #sums = new Map<string, Map<string, EdgeSum[]>>();

  constructor(range: MinuteRange) {
    this.#range = range;
  }

  add({ texts, keys, table }: CountedEdges): void {
    const sums = keys.map(({ caller, callee, kind, isInferred }) =>
      this.#sumOf({
        caller: texts[caller]!,
        callee: texts[callee]!,
        kind: EDGE_KIND_NAMES[kind],
        isInferred,
      }),
    );
    forEachSeries(this.#range, table, (key, _minute, start, end) => {
      sums[key]!.add(table, start, end, keys[key]!.isError);
    });
  }

  /** Adds what another sum came to, whatever its range. */
  addTotals(totals: EdgeTotals): void {
    this.#sumOf(totals.edge).addTotals(totals);
  }

  /** What it came to so far. */
  totals(): EdgeTotals[] {
    return this.#all().map((sum) => sum.totals());
  }

  dependencies(): Dependency[] {
    return this.#all()
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

  #all(): EdgeSum[] {
    return [...this.#sums.values()].flatMap((ofCaller) => [...ofCaller.values()].flat());
  }

  #sumOf(edge: Edge): EdgeSum {
    const { caller, callee } = edge;
    let ofCaller = this.#sums.get(caller);
    if (ofCaller === undefined) this.#sums.set(caller, (ofCaller = new Map()));
    let sums = ofCaller.get(callee);
    if (sums === undefined) ofCaller.set(callee, (sums = []));
    let sum = sums.find((one) => isSameCall(one.edge, edge));
    if (sum === undefined) sums.push((sum = new EdgeSum(edge)));
    return sum;
  }
}

/** Whether two edges between the same services are one. */
function isSameCall(a: Edge, b: Edge): boolean {
  return a.kind === b.kind && a.isInferred === b.isInferred;
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
