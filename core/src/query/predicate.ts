// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '#model/errors.ts';
import type { SpanColumns, SpanDictionaries } from '#model/span-columns.ts';
import { AttributeNode } from './attribute-node.ts';
import { DurationNode, EnumNode, NameNode } from './intrinsic-node.ts';
import {
  AndNode,
  ConstantNode,
  NEVER,
  NotNode,
  OrNode,
  type PredicateNode,
} from './predicate-node.ts';
import { RegexBudget } from './regex/regex-budget.ts';
import type { RowSet } from './row-set.ts';
import { selectStarts, type TimeWindow } from './time-window.ts';
import type { QueryField, SpanPredicate } from './trace-query.ts';
import { ValueTest } from './value-test.ts';

/** Comparisons and operators in the predicates of one query; each costs a pass over every span. */
export const MAX_PREDICATE_NODES = 1000;

/** Nesting of operators; it bounds the recursion over a tree that came from outside. */
export const MAX_PREDICATE_DEPTH = 100;

/** What the predicates of one query may cost: counts their parts, and asks whether to go on. */
export class PredicateBudget {
  /** Called now and then while many values are tested; it throws when nobody waits for the answer any more. */
  readonly checkpoint: () => void;
  /** Of all patterns together. */
  readonly patterns: RegexBudget;
  #nodes = 0;

  constructor(checkpoint: () => void = () => undefined) {
    this.checkpoint = checkpoint;
    this.patterns = new RegexBudget(checkpoint);
  }

  /**
   * Counts one part.
   * @param depth how many others it is in
   * @throws {SpoorError} invalid_argument: there are too many, or it is too deep
   */
  take(depth: number): void {
    if (++this.#nodes <= MAX_PREDICATE_NODES && depth <= MAX_PREDICATE_DEPTH) return;
    throw new SpoorError(
      'invalid_argument',
      `the predicate has more than ${MAX_PREDICATE_NODES} parts, or more than ${MAX_PREDICATE_DEPTH} in one another`,
    );
  }
}

/**
 * A predicate made ready to be evaluated on any number of sources. It remembers what it found out about their symbol
 * tables, so keep one for each query, not longer. One evaluation at a time.
 */
export interface CompiledPredicate {
  readonly root: PredicateNode;
}

/**
 * Compiles a predicate.
 * @param budget that of the query, where it has several predicates
 * @throws {SpoorError} invalid_argument: a pattern is not understood, or the predicate is too large
 */
export function compilePredicate(
  predicate: SpanPredicate,
  budget: PredicateBudget = new PredicateBudget(),
): CompiledPredicate {
  const someValue = (field: QueryField, test: ValueTest): PredicateNode =>
    valueNode(field, test, budget.checkpoint);
  const compile = (node: SpanPredicate, depth: number): PredicateNode => {
    budget.take(depth);
    switch (node.op) {
      case 'and':
        return new AndNode(node.args.map((arg) => compile(arg, depth + 1)));
      case 'or':
        return new OrNode(node.args.map((arg) => compile(arg, depth + 1)));
      case 'not':
        return new NotNode(compile(node.arg, depth + 1));
      case 'exists':
        return someValue(node.field, ValueTest.exists());
      case 'matches':
        return someValue(node.field, ValueTest.matching(node.pattern, budget.patterns));
      case 'ne': {
        const equal = new NotNode(someValue(node.field, ValueTest.comparing('eq', node.value)));
        return new AndNode([someValue(node.field, ValueTest.exists()), equal]);
      }
      default:
        return someValue(node.field, ValueTest.comparing(node.op, node.value));
    }
  };
  return { root: compile(predicate, 0) };
}

/**
 * The rows that meet a predicate and start inside of a window, ascending.
 *
 * Dictionaries are looked at first, and columns only as far as the predicate needs them: where no distinct value meets it,
 * no column with an entry for each row is touched, and an `and` ends at its first part that selects nothing.
 * @param window undefined when every row is known to be inside
 */
export function evaluate(
  compiled: CompiledPredicate,
  columns: SpanColumns,
  window: TimeWindow | undefined,
): Uint32Array<ArrayBuffer> {
  return selectRows(compiled, columns, window)?.toRows() ?? new Uint32Array(0);
}

/** Whether a row of spans with these dictionaries may meet a predicate. */
export function mayMatch({ root }: CompiledPredicate, dictionaries: SpanDictionaries): boolean {
  return root.forecast(dictionaries) !== NEVER;
}

/** As {@link evaluate}, as a set; undefined when a glance at the dictionaries was enough to see that it is empty. */
export function selectRows(
  { root }: CompiledPredicate,
  columns: SpanColumns,
  window: TimeWindow | undefined,
): RowSet | undefined {
  // Read first: what a growing source gets meanwhile, symbols included, only comes after these rows.
  const { rows } = columns;
  if (rows === 0 || root.forecast(columns) === NEVER) return undefined;
  const selected = root.select(columns, rows);
  if (window !== undefined && !selected.isEmpty) selectStarts(selected, columns, window);
  return selected;
}

/** Rows where one of the field's values passes. */
function valueNode(field: QueryField, test: ValueTest, checkpoint: () => void): PredicateNode {
  if (field.kind === 'attribute')
    return new AttributeNode(field.scope, field.key, test, checkpoint);
  // Every span has every intrinsic.
  if (test.passesAll) return new ConstantNode(true);
  if (field.name === 'service' || field.name === 'name') return new NameNode(field.name, test);
  if (test.range === undefined) return new ConstantNode(false);
  return field.name === 'duration' ? new DurationNode(test.range) : new EnumNode(field.name, test);
}
