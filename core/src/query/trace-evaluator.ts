// SPDX-License-Identifier: Apache-2.0
import type { SpanColumns } from '#model/span-columns.ts';
import type { TraceRows } from './join-trace.ts';
import { type PredicateBudget, selectRows } from './predicate.ts';
import type { RowSet } from './row-set.ts';
import { SpanAggregate } from './span-aggregate.ts';
import { CompiledTracePredicate } from './trace-predicate.ts';
import type { TracePredicate, TraceSummary } from './trace-query.ts';

/**
 * Tests traces, wherever their spans lie. It remembers which rows of its sources meet the span predicates: keep one for each
 * query.
 */
export class TraceEvaluator {
  readonly #predicate: CompiledTracePredicate;
  readonly #selections = new WeakMap<SpanColumns, readonly (RowSet | undefined)[]>();

  /** @throws {SpoorError} invalid_argument: a pattern is not understood, or the predicate is too large */
  constructor(predicate: TracePredicate, budget?: PredicateBudget) {
    this.#predicate = new CompiledTracePredicate(predicate, budget);
  }

  /** @param summary that of the same trace */
  holds(trace: TraceRows, summary: TraceSummary): boolean {
    const selections = trace.parts.map(({ columns }) => this.#select(columns));
    const spans = this.#predicate.spanPredicates.map((_, p) => {
      const aggregate = new SpanAggregate();
      for (let i = 0; i < trace.count; i++) {
        const part = trace.part[i]!;
        const row = trace.row[i]!;
        if (selections[part]![p]?.has(row) !== true) continue;
        const { durationLo, durationHi } = trace.parts[part]!.columns;
        aggregate.add(durationLo[row]!, durationHi[row]!);
      }
      return aggregate;
    });
    return this.#predicate.holds(summary, spans);
  }

  #select(columns: SpanColumns): readonly (RowSet | undefined)[] {
    let sets = this.#selections.get(columns);
    if (sets === undefined) {
      sets = this.#predicate.spanPredicates.map((one) => selectRows(one, columns, undefined));
      this.#selections.set(columns, sets);
    }
    return sets;
  }
}
