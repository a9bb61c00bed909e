// SPDX-License-Identifier: Apache-2.0
import type { SpanColumns } from '#model/span-columns.ts';
import type { TraceRows } from './join-trace.ts';
import { type PredicateBudget, selectRows } from './predicate.ts';
import type { RowSet } from './row-set.ts';
import { SpanAggregate } from './span-aggregate.ts';
import { CompiledTracePredicate, type CountedSpans, type TraceFacts } from './trace-predicate.ts';
import type { TracePredicate } from './trace-query.ts';

/** The rows of a source that meet each of the span predicates of a predicate on traces; undefined where none does. */
export type SpanSelections = readonly (RowSet | undefined)[];

/** The rows `[start, end)` of a source that are of one trace. */
export interface SelectedRows {
  readonly start: number;
  readonly end: number;
  /** Of the source. */
  readonly selections: SpanSelections;
  /** Low and high words of the rows' durations, that of `start` first; looked at only where some of them are asked for. */
  readonly durations: { readonly lo: Uint32Array; readonly hi: Uint32Array };
}

/** Tests traces, wherever their spans lie. Keep one for each query, not longer. */
export class TraceEvaluator {
  readonly #predicate: CompiledTracePredicate;
  readonly #selections = new WeakMap<SpanColumns, SpanSelections>();

  /** @throws {SpoorError} invalid_argument: a pattern is not understood, or the predicate is too large */
  constructor(predicate: TracePredicate, budget?: PredicateBudget) {
    this.#predicate = new CompiledTracePredicate(predicate, budget);
  }

  /** The span predicates of the predicate, each once. */
  get spanPredicates(): readonly Readonly<CountedSpans>[] {
    return this.#predicate.spanPredicates;
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
   * As {@link holds}, of a trace whose spans are the rows of some sources, each once.
   * @param facts about the same trace
   */
  holdsRows(parts: readonly SelectedRows[], facts: TraceFacts): boolean {
    const spans = this.#predicate.spanPredicates.map(({ needsDurations }, p) => {
      const aggregate = new SpanAggregate();
      for (const part of parts) {
        const selected = part.selections[p];
        if (selected === undefined) continue;
        if (needsDurations) addDurations(aggregate, part, selected);
        else aggregate.count += selected.count(part.start, part.end);
      }
      return aggregate;
    });
    return this.#predicate.holds(facts, spans);
  }

  /** Remembered for as long as the source lives. */
  #selectOnce(columns: SpanColumns): SpanSelections {
    let selections = this.#selections.get(columns);
    if (selections === undefined) {
      selections = this.spanPredicates.map(({ predicate }) =>
        selectRows(predicate, columns, undefined),
      );
      this.#selections.set(columns, selections);
    }
    return selections;
  }
}

function addDurations(aggregate: SpanAggregate, part: SelectedRows, selected: RowSet): void {
  const { start, end } = part;
  if (!selected.hasSome(start, end)) return;
  const { lo, hi } = part.durations;
  for (let row = start; row < end; row++) {
    if (selected.has(row)) aggregate.add(lo[row - start]!, hi[row - start]!);
  }
}
