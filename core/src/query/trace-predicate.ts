// SPDX-License-Identifier: Apache-2.0
import { encodeText } from '#model/utf8.ts';
import { canonicalText } from './canonical-text.ts';
import { type CompiledPredicate, compilePredicate, PredicateBudget } from './predicate.ts';
import type { SpanAggregate } from './span-aggregate.ts';
import type {
  QueryLiteral,
  SpanPredicate,
  TraceField,
  TracePredicate,
  TraceSummary,
} from './trace-query.ts';
import { literalNumber, ValueTest } from './value-test.ts';

/** What a predicate asks of a trace beside its spans. */
export type TraceFacts = Pick<
  TraceSummary,
  | 'startTimeUnixNano'
  | 'endTimeUnixNano'
  | 'spanCount'
  | 'errorCount'
  | 'rootServiceName'
  | 'rootSpanName'
>;

/** A span predicate in a predicate on traces. */
export interface CountedSpans {
  readonly where: SpanPredicate;
  readonly predicate: CompiledPredicate;
  /** Whether more than their number is asked for. */
  needsDurations: boolean;
}

interface TestedTrace {
  readonly summary: TraceFacts;
  /** For each of `spanPredicates` the spans that meet it. */
  readonly spans: readonly SpanAggregate[];
}

type TraceTest = (trace: TestedTrace) => boolean;

type Comparison = Extract<TracePredicate, { field: TraceField }>;

/** A predicate on traces made ready to be evaluated. Keep it for one query, not longer. */
export class CompiledTracePredicate {
  /** The span predicates in it, each once: what it wants to know of the spans of a trace. */
  readonly spanPredicates: readonly Readonly<CountedSpans>[];
  readonly #holds: TraceTest;

  /** @throws {SpoorError} invalid_argument: a pattern is not understood, or the predicate is too large */
  constructor(predicate: TracePredicate, budget: PredicateBudget = new PredicateBudget()) {
    const compiler = new TraceCompiler(budget);
    this.#holds = compiler.compile(predicate, 0);
    this.spanPredicates = compiler.spanPredicates;
  }

  /** @param spans for each of `spanPredicates` the spans of the trace that meet it */
  holds(summary: TraceFacts, spans: readonly SpanAggregate[]): boolean {
    return this.#holds({ summary, spans });
  }
}

class TraceCompiler {
  readonly spanPredicates: CountedSpans[] = [];
  /** Numbers of the span predicates by their text. */
  readonly #numbers = new Map<string, number>();
  readonly #budget: PredicateBudget;

  constructor(budget: PredicateBudget) {
    this.#budget = budget;
  }

  compile(node: TracePredicate, depth: number): TraceTest {
    this.#budget.take(depth);
    switch (node.op) {
      case 'and': {
        const args = node.args.map((arg) => this.compile(arg, depth + 1));
        return (trace) => args.every((arg) => arg(trace));
      }
      case 'or': {
        const args = node.args.map((arg) => this.compile(arg, depth + 1));
        return (trace) => args.some((arg) => arg(trace));
      }
      case 'not': {
        const arg = this.compile(node.arg, depth + 1);
        return (trace) => !arg(trace);
      }
      case 'some': {
        const number = this.#spans(node.where);
        return ({ spans }) => spans[number]!.count > 0;
      }
      default:
        return this.#compare(node);
    }
  }

  #compare(node: Comparison): TraceTest {
    const { field } = node;
    if (field.kind === 'trace') {
      switch (field.name) {
        case 'root_service':
          return this.#textTest(node, ({ summary }) => summary.rootServiceName);
        case 'root_name':
          return this.#textTest(node, ({ summary }) => summary.rootSpanName);
        case 'duration':
          return numberTest(
            node,
            ({ summary }) => summary.endTimeUnixNano - summary.startTimeUnixNano,
          );
        case 'span_count':
          return numberTest(node, ({ summary }) => BigInt(summary.spanCount));
        case 'error_count':
          return numberTest(node, ({ summary }) => BigInt(summary.errorCount));
      }
    }
    const number = this.#spans(field.where);
    if (field.kind === 'count') {
      return numberTest(node, ({ spans }) => BigInt(spans[number]!.count));
    }
    this.spanPredicates[number]!.needsDurations = true;
    const { aggregate } = field;
    if (aggregate === 'sum') return numberTest(node, ({ spans }) => spans[number]!.sum);
    // The others do not exist for no spans, so nothing holds of them.
    const test =
      aggregate === 'avg'
        ? fractionTest(node, ({ spans }) => spans[number]!)
        : numberTest(node, ({ spans }) => spans[number]![aggregate]);
    return (trace) => trace.spans[number]!.count > 0 && test(trace);
  }

  #textTest(node: Comparison, textOf: (trace: TestedTrace) => string): TraceTest {
    let test: ValueTest;
    if (node.op === 'matches') test = ValueTest.matching(node.pattern, this.#budget.patterns);
    else test = ValueTest.comparing(node.op === 'ne' ? 'eq' : node.op, node.value);
    const wanted = node.op !== 'ne';
    return (trace) => {
      const text = encodeText(textOf(trace));
      return test.passesText(text, 0, text.length) === wanted;
    };
  }

  /** Number of a span predicate. */
  #spans(where: SpanPredicate): number {
    const text = canonicalText(where);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      const predicate = compilePredicate(where, this.#budget);
      number = this.spanPredicates.push({ where, predicate, needsDurations: false }) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}

function numberTest(node: Comparison, numberOf: (trace: TestedTrace) => bigint): TraceTest {
  if (node.op === 'matches') return () => false;
  const { op } = node;
  const bound = literalNumber(node.value);
  if (bound === undefined || Number.isNaN(bound)) return () => op === 'ne';
  return (trace) => {
    const number = numberOf(trace);
    // JavaScript compares bigints with numbers exactly.
    return holds(op, number < bound ? -1 : number > bound ? 1 : 0);
  };
}

/** Compares the average of some spans, at least one. */
function fractionTest(node: Comparison, spansOf: (trace: TestedTrace) => SpanAggregate): TraceTest {
  if (node.op === 'matches') return () => false;
  const { op } = node;
  const bound = fractionOf(node.value);
  if (typeof bound !== 'object') {
    return () => (bound !== undefined && !Number.isNaN(bound) ? holds(op, -bound) : op === 'ne');
  }
  return (trace) => {
    const { sum, count } = spansOf(trace);
    const left = sum * bound.denominator;
    const right = bound.numerator * BigInt(count);
    return holds(op, left < right ? -1 : left > right ? 1 : 0);
  };
}

/** A literal as a fraction; NaN and the infinities as they are; undefined when it is no number. */
function fractionOf(
  literal: QueryLiteral,
): { numerator: bigint; denominator: bigint } | number | undefined {
  let value = literalNumber(literal);
  if (value === undefined) return undefined;
  if (typeof value === 'bigint') return { numerator: value, denominator: 1n };
  if (!Number.isFinite(value)) return value;
  let denominator = 1n;
  // Doubling is exact: what is no integer is far below the greatest double.
  for (; !Number.isInteger(value); denominator *= 2n) value *= 2;
  return { numerator: BigInt(value), denominator };
}

/** @param order negative, 0 or positive as the value is less than, equal to or greater than the bound */
function holds(op: Exclude<Comparison['op'], 'matches'>, order: number): boolean {
  switch (op) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'lt':
      return order < 0;
    case 'le':
      return order <= 0;
    case 'gt':
      return order > 0;
    case 'ge':
      return order >= 0;
  }
}
