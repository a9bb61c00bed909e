// SPDX-License-Identifier: Apache-2.0
import type { SpanPredicate, TraceField, TracePredicate } from '#query/trace-query.ts';
import { type CompiledCondition, ConditionCompiler } from './compile-condition.ts';
import { fieldTest } from './field-test.ts';
import { parseTraceql } from './parse-traceql.ts';
import type { TraceqlScalarFilter } from './traceql-query.ts';

const EVERY_SPAN: SpanPredicate = { op: 'and', args: [] };

/** What a TraceQL query asks of one span, and of the whole trace. */
export interface TraceqlPredicates {
  readonly where: SpanPredicate;
  /** All of them hold. */
  readonly having: readonly TracePredicate[];
}

/**
 * Compiles a TraceQL query to the predicates of a search. A trace meets them exactly when the query, run on all of its spans,
 * selects one that starts in the window of the search.
 * @throws {SpoorError} invalid_argument: it says at which character what is wrong, or what is not supported
 */
export function compileTraceql(query: string): TraceqlPredicates {
  const { filter, stages } = parseTraceql(query);
  const compiled: CompiledCondition =
    filter === undefined ? {} : new ConditionCompiler(query).compile(filter);
  const where = compiled.span ?? EVERY_SPAN;
  const having = stages.map((stage) => stagePredicate(stage, where));
  return { where, having: compiled.trace === undefined ? having : [compiled.trace, ...having] };
}

function stagePredicate(stage: TraceqlScalarFilter, where: SpanPredicate): TracePredicate {
  const { aggregate } = stage;
  const field: TraceField =
    aggregate === 'count' ? { kind: 'count', where } : { kind: 'duration', aggregate, where };
  return fieldTest(field, stage);
}
