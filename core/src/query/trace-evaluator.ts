// SPDX-License-Identifier: Apache-2.0
import type { SpanColumns } from '#model/span-columns.ts';
import type { TraceRows } from './join-trace.ts';
import { type PredicateBudget, selectRows } from './predicate.ts';
import type { RowSet } from './row-set.ts';
import { SpanAggregate } from './span-aggregate.ts';
import { CompiledTracePredicate, type TraceFacts } from './trace-predicate.ts';
import type { TracePredicate } from './trace-query.ts';

/** The rows of a source that meet each of the span predicates of a predicate on traces; undefined where none does. */
export type SpanSelections = readonly (RowSet | undefined)[];

/** Tests traces, wherever their spans lie. Keep one for each query, not longer. */
export class TraceEvaluator {
  readonly #predicate: CompiledTracePredicate;
  readonly #selections = new WeakMap<SpanColumns, SpanSelections>();

  /** @throws {SpoorError} invalid_argument: a pattern is not understood, or the predicate is too large */
  constructor(predicate: TracePredicate, budget?: PredicateBudget) {
    this.#predicate = new CompiledTracePredicate(predicate, budget);
  }

  /** Selects the rows of a source that count. */
  select(columns: SpanColumns): SpanSelections {
    return this.#predicate.spanPredicates.map(({ predicate }) =>
      selectRows(predicate, columns, undefined),
    );
  }

  /**
   * @param trace each of its spans once
   * @param facts about the same trace
   */
  holds(trace: TraceRows, facts: TraceFacts): boolean {
    const selections = trace.parts.map(({ columns }) => this.#selectOnce(columns));
    const spans = this.#predicate.spanPredicates.map(({ needsDurations }, p) => {
      const aggregate = new SpanAggregate();
      for (let i = 0; i < trace.count; i++) {
        const part = trace.part[i]!;
        const row = trace.row[i]!;
        if (selections[part]![p]?.has(row) !== true) continue;
        if (!needsDurations) {
          aggregate.count++;
          continue;
        }
        const { durationLo, durationHi } = trace.parts[part]!.columns;
        aggregate.add(durationLo[row]!, durationHi[row]!);
      }
      return aggregate;
    });
    return this.#predicate.holds(facts, spans);
  }

  /**
   * As {@link holds}, of a trace whose spans are the rows `[start, end)` of one source, each once.
   * @param selections of the source
   */
  holdsRows(
    columns: SpanColumns,
    [start, end]: readonly [start: number, end: number],
    facts: TraceFacts,
    selections: SpanSelections,
  ): boolean {
    const spans = this.#predicate.spanPredicates.map(({ needsDurations }, p) => {
      const aggregate = new SpanAggregate();
      const selected = selections[p];
      if (selected === undefined) return aggregate;
      if (!needsDurations) {
        aggregate.count = selected.count(start, end);
        return aggregate;
      }
      const { durationLo, durationHi } = columns;
      for (let row = start; row < end; row++) {
        if (selected.has(row)) aggregate.add(durationLo[row]!, durationHi[row]!);
      }
      return aggregate;
    });
    return this.#predicate.holds(facts, spans);
  }

  /** As {@link select}, remembered for as long as the source lives. */
  #selectOnce(columns: SpanColumns): SpanSelections {
    let selections = this.#selections.get(columns);
    if (selections === undefined) {
      this.#selections.set(columns, (selections = this.select(columns)));
    }
    return selections;
  }
}
