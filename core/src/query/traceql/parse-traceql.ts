// SPDX-License-Identifier: Apache-2.0
import { parseExpression } from './parse-expression.ts';
import { TokenReader } from './token-reader.ts';
import { traceqlError } from './traceql-error.ts';
import type { TraceqlQuery, TraceqlScalarFilter } from './traceql-query.ts';

/** Characters of a query; nobody types more, and a URL of twice that is refused anyway. */
const MAX_TRACEQL_LENGTH = 8192;

/** Comparisons of aggregates; each of them holds the whole filter. */
const MAX_STAGES = 10;

const AGGREGATES = ['count', 'avg', 'min', 'max', 'sum'] as const;

/** Stages and functions of the language that a search has not. */
const OTHER_STAGES =
  /^(?:by|coalesce|select|compare|topk|bottomk|rate|(?:count|min|max|avg|sum|quantile|histogram)_over_time)$/;

/** Operators between spansets. */
const SPANSET_OPERATORS = /^(?:&&|\|\||>|<|>>|<<|~|!>|!<|!>>|!<<|!~|&>|&<|&>>|&<<|&~)$/;

/**
 * Parses the part of TraceQL that a search can answer: `{ … }`, and after it `| count() > 3` and the like.
 * @throws {SpoorError} invalid_argument: it says at which character what was expected, or what is not supported
 */
export function parseTraceql(query: string): TraceqlQuery {
  if (query.length > MAX_TRACEQL_LENGTH) {
    throw traceqlError(
      query,
      MAX_TRACEQL_LENGTH,
      `the query goes on, but ${MAX_TRACEQL_LENGTH} characters are the most (it has ${query.length})`,
    );
  }
  const tokens = new TokenReader(query);
  if (tokens.isSign('(')) tokens.failUnsupported('a pipeline in parentheses is');
  tokens.take('{', 'a spanset filter in braces, such as { name = "GET /" }');
  const filter = tokens.isSign('}') ? undefined : parseExpression(tokens);
  tokens.take('}', 'an operator or }');
  const stages: TraceqlScalarFilter[] = [];
  while (tokens.current.kind !== 'end') {
    const { text } = tokens.current;
    if (SPANSET_OPERATORS.test(text))
      tokens.failUnsupported(`the operator ${text} between spansets is`);
    if (text === 'with') tokens.failUnsupported('hints are');
    if (stages.length === MAX_STAGES) {
      throw traceqlError(query, tokens.current.at, `more than ${MAX_STAGES} stages`);
    }
    tokens.take('|', '| or the end');
    stages.push(parseStage(tokens));
  }
  return { filter, stages };
}

function parseStage(tokens: TokenReader): TraceqlScalarFilter {
  const { current } = tokens;
  const { at, text } = current;
  const aggregate = AGGREGATES.find((one) => current.kind === 'word' && one === text);
  if (aggregate === undefined) {
    if (OTHER_STAGES.test(text)) tokens.failUnsupported(`${text}() is`);
    if (text === '{') tokens.failUnsupported('a second spanset filter is');
    if (text === '(') tokens.failUnsupported('arithmetic with aggregates is');
    return tokens.fail('count(), avg(duration), min(duration), max(duration) or sum(duration)');
  }
  tokens.next();
  tokens.take('(', '(');
  if (aggregate !== 'count') {
    const field = tokens.current.text;
    if (field !== 'duration' && field !== 'span:duration') {
      if (tokens.current.kind === 'sign' || tokens.current.kind === 'end') tokens.fail('duration');
      tokens.failUnsupported(`${aggregate} of anything but duration is`);
    }
    tokens.next();
  }
  tokens.refuseArithmetic();
  tokens.take(')', ')');
  tokens.refuseArithmetic();
  const op = tokens.comparison();
  if (op === undefined || op === '=~' || op === '!~') {
    return tokens.fail('one of = != < <= > >=');
  }
  tokens.next();
  if (AGGREGATES.some((one) => one === tokens.current.text)) {
    tokens.failUnsupported('a comparison of two aggregates is');
  }
  if (tokens.isSign('(')) tokens.failUnsupported('arithmetic is');
  const valueAt = tokens.current.at;
  const value = tokens.literal();
  if (value === undefined) return tokens.fail('a number or a duration');
  if (value.type !== 'int' && value.type !== 'float' && value.type !== 'duration') {
    throw traceqlError(tokens.query, valueAt, `${text}() compares with a number or a duration`);
  }
  tokens.refuseArithmetic();
  return { aggregate, op, value, at };
}
