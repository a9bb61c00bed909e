// SPDX-License-Identifier: Apache-2.0
import type { SpanColumns, SpanDictionaries } from '#model/span-columns.ts';
import { RowSet } from './row-set.ts';

/** Forecasts of a node; any other is above {@link ALWAYS} and says roughly what selecting costs. */
export const NEVER = -1;
export const ALWAYS = 0;

/** Costs of reading: a column with one number a row, two of them, and attribute columns. */
export const COST = { numbers: 1, wideNumbers: 2, attributes: 4, events: 8 } as const;

/** A part of a compiled predicate. */
export interface PredicateNode {
  /** A guess at the cost, known without looking at spans: cheap nodes are asked first. */
  readonly rank: number;
  /**
   * What is known of spans from their dictionaries alone:
   * {@link NEVER} when no row can meet the node, {@link ALWAYS} when all do, otherwise the cost of `select`.
   */
  forecast(columns: SpanDictionaries): number;
  /**
   * The rows that meet the node, as a set that the caller may change.
   * @param rows number of rows to look at: a source may grow meanwhile
   */
  select(columns: SpanColumns, rows: number): RowSet;
}

/** All rows or none. */
export class ConstantNode implements PredicateNode {
  readonly rank = 0;
  readonly #value: boolean;

  constructor(value: boolean) {
    this.#value = value;
  }

  forecast(): number {
    return this.#value ? ALWAYS : NEVER;
  }

  select(_columns: SpanColumns, rows: number): RowSet {
    return this.#value ? RowSet.all(rows) : new RowSet(rows);
  }
}

/** The rows that all of the nodes select. */
export class AndNode implements PredicateNode {
  readonly rank: number;
  readonly #args: readonly PredicateNode[];

  constructor(args: readonly PredicateNode[]) {
    this.#args = args.toSorted((a, b) => a.rank - b.rank);
    this.rank = this.#args.at(-1)?.rank ?? 0;
  }

  forecast(columns: SpanDictionaries): number {
    let cost = ALWAYS;
    for (const arg of this.#args) {
      const one = arg.forecast(columns);
      if (one === NEVER) return NEVER;
      cost += one;
    }
    return cost;
  }

  select(columns: SpanColumns, rows: number): RowSet {
    const open: { arg: PredicateNode; cost: number }[] = [];
    for (const arg of this.#args) {
      const cost = arg.forecast(columns);
      if (cost === NEVER) return new RowSet(rows);
      if (cost !== ALWAYS) open.push({ arg, cost });
    }
    open.sort((a, b) => a.cost - b.cost);
    let selected: RowSet | undefined;
    for (const { arg } of open) {
      const set = arg.select(columns, rows);
      selected = selected === undefined ? set : selected.intersect(set);
      if (selected.isEmpty) break;
    }
    return selected ?? RowSet.all(rows);
  }
}

/** The rows that one of the nodes selects. */
export class OrNode implements PredicateNode {
  readonly rank: number;
  readonly #args: readonly PredicateNode[];

  constructor(args: readonly PredicateNode[]) {
    this.#args = args.toSorted((a, b) => a.rank - b.rank);
    this.rank = this.#args.at(-1)?.rank ?? 0;
  }

  forecast(columns: SpanDictionaries): number {
    let cost = NEVER;
    for (const arg of this.#args) {
      const one = arg.forecast(columns);
      if (one === ALWAYS) return ALWAYS;
      if (one !== NEVER) cost = Math.max(cost, 0) + one;
    }
    return cost;
  }

  select(columns: SpanColumns, rows: number): RowSet {
    const selected = new RowSet(rows);
    for (const arg of this.#args) {
      const cost = arg.forecast(columns);
      if (cost === ALWAYS) return RowSet.all(rows);
      if (cost !== NEVER) selected.unite(arg.select(columns, rows));
    }
    return selected;
  }
}

/** The rows that a node does not select. */
export class NotNode implements PredicateNode {
  readonly rank: number;
  readonly #arg: PredicateNode;

  constructor(arg: PredicateNode) {
    this.#arg = arg;
    this.rank = arg.rank;
  }

  forecast(columns: SpanDictionaries): number {
    const cost = this.#arg.forecast(columns);
    if (cost === NEVER) return ALWAYS;
    return cost === ALWAYS ? NEVER : cost;
  }

  select(columns: SpanColumns, rows: number): RowSet {
    return this.#arg.select(columns, rows).complement();
  }
}
