// SPDX-License-Identifier: Apache-2.0
import type { TokenReader } from './token-reader.ts';
import { named, traceqlError } from './traceql-error.ts';
import type {
  TraceqlExpression,
  TraceqlField,
  TraceqlIntrinsic,
  TraceqlOperator,
  TraceqlValue,
} from './traceql-query.ts';

/** Comparisons of one query; each costs a pass over every span, an unscoped one three. */
const MAX_TRACEQL_TERMS = 100;

/** Parentheses, negations, and changes between `&&` and `||` in one another. */
const MAX_TRACEQL_DEPTH = 30;

const INTRINSICS: ReadonlyMap<string, TraceqlIntrinsic> = new Map([
  ['name', 'name'],
  ['span:name', 'name'],
  ['status', 'status'],
  ['span:status', 'status'],
  ['kind', 'kind'],
  ['span:kind', 'kind'],
  ['duration', 'duration'],
  ['span:duration', 'duration'],
  ['traceDuration', 'traceDuration'],
  ['trace:duration', 'traceDuration'],
  ['rootName', 'rootName'],
  ['trace:rootName', 'rootName'],
  ['rootServiceName', 'rootServiceName'],
  ['trace:rootService', 'rootServiceName'],
]);

/** Intrinsics of the language that a search does not know. */
const OTHER_INTRINSICS: ReadonlySet<string> = new Set([
  'statusMessage',
  'span:statusMessage',
  'span:id',
  'span:parentID',
  'span:childCount',
  'childCount',
  'trace:id',
  'event:name',
  'event:timeSinceStart',
  'link:traceID',
  'link:spanID',
  'instrumentation:name',
  'instrumentation:version',
  'nestedSetLeft',
  'nestedSetRight',
  'nestedSetParent',
  'parent',
]);

/** The comparison that says the same with its sides exchanged. */
const EXCHANGED: Readonly<Record<string, TraceqlOperator>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

interface Parsed {
  readonly expression: TraceqlExpression;
  /** Of the tree; 1 for a comparison. */
  readonly depth: number;
}

type Operand =
  | { readonly kind: 'field'; readonly field: TraceqlField; readonly at: number }
  | { readonly kind: 'value'; readonly value: TraceqlValue; readonly at: number }
  | { readonly kind: 'nil'; readonly at: number };

/**
 * Parses what stands in the braces of a spanset filter, up to what is no part of it. As in TraceQL, `&&` and `||` bind
 * equally strong, the left one first, and `!` stands before parentheses.
 * @throws {SpoorError} invalid_argument
 */
export function parseExpression(tokens: TokenReader): TraceqlExpression {
  return new ExpressionParser(tokens).parse(0).expression;
}

class ExpressionParser {
  readonly #tokens: TokenReader;
  #terms = 0;

  constructor(tokens: TokenReader) {
    this.#tokens = tokens;
  }

  /** @param nesting parentheses around it, which bound the recursion */
  parse(nesting: number): Parsed {
    const tokens = this.#tokens;
    let left = this.#term(nesting);
    for (;;) {
      const { at } = tokens.current;
      const op = tokens.isSign('&&') ? 'and' : tokens.isSign('||') ? 'or' : undefined;
      if (op === undefined) return left;
      tokens.next();
      left = this.#join(op, left, this.#term(nesting), at);
    }
  }

  #join(op: 'and' | 'or', left: Parsed, right: Parsed, at: number): Parsed {
    const { expression } = left;
    // A chain of one operator is one node, however long.
    const isChain = expression.op === op;
    const depth = Math.max(left.depth + (isChain ? 0 : 1), right.depth + 1);
    this.#checkDepth(depth, at);
    if (!isChain) return { expression: { op, args: [expression, right.expression], at }, depth };
    return { expression: { ...expression, args: [...expression.args, right.expression] }, depth };
  }

  #checkDepth(depth: number, at: number): void {
    if (depth <= MAX_TRACEQL_DEPTH) return;
    throw traceqlError(
      this.#tokens.query,
      at,
      `conditions are more than ${MAX_TRACEQL_DEPTH} deep in one another here`,
    );
  }

  #term(nesting: number): Parsed {
    const tokens = this.#tokens;
    const { at } = tokens.current;
    this.#checkDepth(nesting + 1, at);
    if (tokens.isSign('!')) {
      tokens.next();
      // It binds stronger than a comparison, so that without parentheses it would be of the left side alone.
      if (!tokens.isSign('(') && !tokens.isSign('!')) tokens.fail('( after !');
      const { expression, depth } = this.#term(nesting + 1);
      this.#checkDepth(depth + 1, at);
      return { expression: { op: 'not', arg: expression, at }, depth: depth + 1 };
    }
    if (tokens.isSign('(')) {
      tokens.next();
      const inner = this.parse(nesting + 1);
      tokens.take(')', 'an operator or )');
      this.#refuseMore('a comparison of conditions');
      return inner;
    }
    return { expression: this.#comparison(), depth: 1 };
  }

  #comparison(): TraceqlExpression {
    const tokens = this.#tokens;
    if (++this.#terms > MAX_TRACEQL_TERMS) {
      const { at } = tokens.current;
      throw traceqlError(tokens.query, at, `more than ${MAX_TRACEQL_TERMS} comparisons`);
    }
    const left = this.#operand('a condition, such as span.http.status_code >= 500');
    tokens.refuseArithmetic();
    const op = tokens.comparison();
    const { at } = tokens.current;
    if (op === undefined) {
      if (left.kind === 'value' && left.value.type === 'bool') {
        return { op: left.value.value ? 'always' : 'never', at: left.at };
      }
      return tokens.fail('one of = != < <= > >= =~ !~');
    }
    tokens.next();
    const right = this.#operand('a value');
    tokens.refuseArithmetic();
    this.#refuseMore('a chain of comparisons');
    if (left.kind === 'field') return this.#compare(left.field, op, right, at);
    if (right.kind === 'field') {
      const exchanged = EXCHANGED[op];
      if (exchanged !== undefined) return this.#compare(right.field, exchanged, left, at);
      throw traceqlError(tokens.query, right.at, `expected a pattern, found a field`);
    }
    throw traceqlError(
      tokens.query,
      left.at,
      'a comparison needs a field, such as span.key or duration',
    );
  }

  #compare(
    field: TraceqlField,
    op: TraceqlOperator,
    other: Operand,
    at: number,
  ): TraceqlExpression {
    const { query } = this.#tokens;
    if (other.kind === 'value') return { op, field, value: other.value, at };
    if (other.kind === 'field') {
      throw traceqlError(query, other.at, 'a comparison of two fields is not supported');
    }
    if (op === '=') return { op: 'missing', field, at };
    if (op === '!=') return { op: 'exists', field, at };
    throw traceqlError(query, at, 'nil is compared by = and != only');
  }

  #operand(expected: string): Operand {
    const tokens = this.#tokens;
    const { current } = tokens;
    const { at, text } = current;
    if (current.kind === 'attribute') {
      const { scope, key } = current;
      if (scope === 'parent') return tokens.failUnsupported('parent. is');
      tokens.next();
      return { kind: 'field', field: { kind: 'attribute', scope, key }, at };
    }
    const value = tokens.literal();
    if (value !== undefined) return { kind: 'value', value, at };
    if (current.kind !== 'word') return tokens.fail(expected);
    const name = INTRINSICS.get(text);
    if (name === undefined) {
      if (OTHER_INTRINSICS.has(text)) tokens.failUnsupported(`${text} is`);
      if (text !== 'nil') {
        throw traceqlError(
          tokens.query,
          at,
          `unknown name ${named(text)}; texts are in quotes, attributes begin with span., resource. or a dot`,
        );
      }
      tokens.next();
      return { kind: 'nil', at };
    }
    tokens.next();
    return { kind: 'field', field: { kind: 'intrinsic', name }, at };
  }

  #refuseMore(what: string): void {
    if (this.#tokens.comparison() !== undefined) this.#tokens.failUnsupported(`${what} is`);
  }
}
