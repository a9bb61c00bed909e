// SPDX-License-Identifier: Apache-2.0
import { EDGE_KIND_NAMES } from '@spoor/core/analysis/edge-kind.ts';
import { LatencySum } from '@spoor/core/analysis/latency-sum.ts';
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import { type CountedEdges, forEachSeries } from './counted.ts';
import type { Dependency, DependencyQuery, LatencyCounts } from './tracestore.ts';

/** What is summed up for one answer at most, whatever spans say. */
export interface DependencyLimits {
  /** Callers with what they call, by kind. */
  readonly edges: number;
  /** UTF-16 units of the names of callers and callees of all edges. */
  readonly nameLength: number;
  /** Latency buckets that there is memory for. */
  readonly room: number;
}

/** An edge takes half a kilobyte and more of the heap, and is there twice while the answer is made. */
export const DEPENDENCY_LIMITS: DependencyLimits = {
  edges: 2 ** 16,
  nameLength: 2 ** 24,
  room: 2 ** 23,
};

/** What to call each of the limits. */
const LIMIT_NAMES: { readonly [Name in keyof DependencyLimits]: string } = {
  edges: 'pairs of services',
  nameLength: 'characters in the names of pairs of services',
  room: 'latencies of all pairs of services',
};

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

  /** Buckets that there is memory for. */
  get room(): number {
    return this.#latency.room;
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
  readonly #query: DependencyQuery;
  readonly #limits: DependencyLimits;
  #edges = 0;
  #nameLength = 0;
  #room = 0;
  /** By caller and callee. */
  readonly #sums = new Map<string, Map<string, EdgeSum[]>>();

  constructor(query: DependencyQuery, limits = DEPENDENCY_LIMITS) {
    this.#query = query;
    this.#limits = limits;
  }

  /** How many edges there are. */
  get edges(): number {
    return this.#edges;
  }

  /** Nothing of the table is kept. @throws {SpoorError} invalid_argument: over a limit */
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
    const { noInferred = false } = this.#query;
    forEachSeries(this.#query, table, (key, _minute, start, end) => {
      const { isError, isInferred } = keys[key]!;
      if (noInferred && isInferred) return;
      const sum = (sums[key] ??= sumOf(key));
      const before = sum.room;
      sum.add(table, start, end, isError);
      this.#check('room', (this.#room += sum.room - before));
    });
  }

  /** Adds what another sum came to, whatever its range. */
  addTotals(totals: EdgeTotals): void {
    const sum = this.#sumOf(totals.edge);
    const before = sum.room;
    sum.addTotals(totals);
    this.#check('room', (this.#room += sum.room - before));
  }

  /** What it came to so far. */
  totals(): EdgeTotals[] {
    return this.#all().map((sum) => sum.totals());
  }

  /** All that was added, in order. */
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
    if (sum === undefined) {
      this.#check('edges', ++this.#edges);
      this.#check('nameLength', (this.#nameLength += caller.length + callee.length));
      sums.push((sum = new EdgeSum(edge)));
    }
    return sum;
  }

  #check(limit: keyof DependencyLimits, count: number): void {
    const max = this.#limits[limit];
    if (count <= max) return;
    const instead = this.#query.noInferred === true ? '' : `without 'inferred', or `;
    throw new SpoorError(
      'invalid_argument',
      `dependencies: more than ${max} ${LIMIT_NAMES[limit]} are not summed up for one answer; ask ${instead}with a shorter 'lookback'`,
    );
  }
}

/** Whether two edges between the same services are one. */
function isSameCall(a: Edge, b: Edge): boolean {
  return a.kind === b.kind && a.isInferred === b.isInferred;
}
