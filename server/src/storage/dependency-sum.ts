// SPDX-License-Identifier: Apache-2.0
import { EDGE_KIND_NAMES } from '@spoor/core/analysis/edge-kind.ts';
import { LatencySum } from '@spoor/core/analysis/latency-sum.ts';
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import { type CountedEdges, forEachSeries } from './counted.ts';
import type { Dependency, LatencyCounts, MinuteRange } from './tracestore.ts';

/** What tells an edge from others. */
type Edge = Pick<Dependency, 'caller' | 'callee' | 'kind' | 'isInferred'>;

/** An edge with what was summed up of it, to be added to another sum. */
export interface EdgeTotals {
  readonly edge: Edge;
  readonly errors: number;
  /** Counts may be below zero. */
  readonly latency: LatencyCounts;
}

/** An edge while it is summed up. */
class EdgeSum {
  readonly edge: Edge;
  errors = 0;
  readonly #latency = new LatencySum();

  constructor(edge: Edge) {
    this.edge = edge;
  }

  get calls(): number {
    return this.#latency.total;
  }

  /** Adds what a table counts at `[start, end)`. */
  add(table: MinuteTable, start: number, end: number, isError: boolean): void {
    const before = this.calls;
    this.#latency.addAll(table, start, end);
    if (isError) this.errors += this.calls - before;
  }

  addTotals({ errors, latency }: EdgeTotals): void {
    this.#latency.addAll(latency);
    this.errors += errors;
  }

  totals(): EdgeTotals {
    const { edge, errors } = this;
    return { edge, errors, latency: this.#latency.cells() };
  }

  dependency(): Dependency {
    const { calls, errors } = this;
    return { ...this.edge, calls, errors, latency: this.#latency.cells((count) => count > 0) };
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
    const sums: EdgeSum[] = [];
    // A small table has few of the keys.
    const sumOf = (key: number): EdgeSum => {
      const { caller, callee, kind, isInferred } = keys[key]!;
      return this.#sumOf({
        caller: texts[caller]!,
        callee: texts[callee]!,
        kind: EDGE_KIND_NAMES[kind],
        isInferred,
      });
    };
    forEachSeries(this.#range, table, (key, _minute, start, end) => {
      (sums[key] ??= sumOf(key)).add(table, start, end, keys[key]!.isError);
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
