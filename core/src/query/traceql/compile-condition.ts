// SPDX-License-Identifier: Apache-2.0
import { messageOf, type SpoorError } from '#model/errors.ts';
import { parseRegex } from '#query/regex/regex-syntax.ts';
import type { QueryField, SpanPredicate, TraceField, TracePredicate } from '#query/trace-query.ts';
import { attributeExists, attributeTest, DOT_IS_ANY, fieldTest } from './field-test.ts';
import { traceqlError, unsupported } from './traceql-error.ts';
import type {
  TraceqlExpression,
  TraceqlField,
  TraceqlIntrinsic,
  TraceqlValue,
} from './traceql-query.ts';

/** A condition on one span, one on its trace, or both, of which both hold. Of neither, every span meets it. */
export interface CompiledCondition {
  readonly span?: SpanPredicate;
  readonly trace?: TracePredicate;
}

type Comparison = Extract<TraceqlExpression, { value: TraceqlValue }>;
type ValueType = TraceqlValue['type'];

const TEXTS: readonly ValueType[] = ['string'];
const NUMBERS: readonly ValueType[] = ['duration', 'int', 'float'];
const ORDERED: readonly ValueType[] = [...TEXTS, ...NUMBERS];

/** What compares with attributes. */
const ATTRIBUTE_TYPES: readonly ValueType[] = ['string', 'bool', ...NUMBERS];

/** What compares with intrinsics of spans, and of traces. */
const SPAN_INTRINSICS: Readonly<
  Record<Extract<TraceqlIntrinsic, 'name' | 'status' | 'kind' | 'duration'>, readonly ValueType[]>
> = { name: TEXTS, status: ['status'], kind: ['kind'], duration: NUMBERS };
const TRACE_INTRINSICS = {
  traceDuration: { field: 'duration', types: NUMBERS },
  rootName: { field: 'root_name', types: TEXTS },
  rootServiceName: { field: 'root_service', types: TEXTS },
} as const;

/** Compiles the condition of a spanset filter. */
export class ConditionCompiler {
  readonly #query: string;

  /** @param query its text, for messages */
  constructor(query: string) {
    this.#query = query;
  }

  /** @throws {SpoorError} invalid_argument: types do not fit, a pattern is none, or a search cannot ask for this */
  compile(expression: TraceqlExpression): CompiledCondition {
    switch (expression.op) {
      case 'and':
        return allOf(expression.args.map((arg) => this.compile(arg)));
      case 'or':
        return this.#anyOf(
          expression.args.map((arg) => this.compile(arg)),
          expression.at,
        );
      case 'not':
        return this.#not(this.compile(expression.arg), expression.at);
      case 'exists':
        return { span: this.#exists(expression.field) };
      case 'missing':
        if (expression.field.kind === 'intrinsic') {
          throw traceqlError(this.#query, expression.at, `${expression.field.name} is never nil`);
        }
        return { span: { op: 'not', arg: this.#exists(expression.field) } };
      case 'always':
        return { span: { op: 'and', args: [] } };
      case 'never':
        return { span: { op: 'or', args: [] } };
      default:
        return this.#compare(expression);
    }
  }

  #anyOf(args: readonly CompiledCondition[], at: number): CompiledCondition {
    const spans = args.flatMap(({ span }) => (span === undefined ? [] : [span]));
    const traces = args.flatMap(({ trace }) => (trace === undefined ? [] : [trace]));
    if (spans.length > 0 && traces.length > 0) throw this.#mixed('||', at);
    return spans.length > 0
      ? { span: { op: 'or', args: spans } }
      : { trace: { op: 'or', args: traces } };
  }

  #not({ span, trace }: CompiledCondition, at: number): CompiledCondition {
    if (span !== undefined && trace !== undefined) throw this.#mixed('!', at);
    return trace === undefined
      ? { span: { op: 'not', arg: span! } }
      : { trace: { op: 'not', arg: trace } };
  }

  #mixed(op: string, at: number): SpoorError {
    return unsupported(
      this.#query,
      at,
      `${op} over a condition on spans and one on the trace (traceDuration, rootName, rootServiceName), which go together by && only, is`,
    );
  }

  #exists(field: TraceqlField): SpanPredicate {
    // Intrinsics always are.
    return field.kind === 'intrinsic' ? { op: 'and', args: [] } : attributeExists(field);
  }

  #compare(comparison: Comparison): CompiledCondition {
    const { field, op, at } = comparison;
    if (field.kind === 'attribute') {
      this.#checkType(comparison, ATTRIBUTE_TYPES, 'an attribute');
      const { scope } = field;
      if ((op === '!=' || op === '!~') && (scope === 'event' || scope === 'link')) {
        throw unsupported(
          this.#query,
          at,
          `${op} on attributes of ${scope}s, of which a span may have several (!(${scope}.key = …) says that none is equal), is`,
        );
      }
      return { span: attributeTest(field, comparison) };
    }
    const { name } = field;
    if (name === 'traceDuration' || name === 'rootName' || name === 'rootServiceName') {
      const { field: traceName, types } = TRACE_INTRINSICS[name];
      this.#checkType(comparison, types, name);
      const target: TraceField = { kind: 'trace', name: traceName };
      return { trace: fieldTest(target, comparison) };
    }
    this.#checkType(comparison, SPAN_INTRINSICS[name], name);
    const target: QueryField = { kind: 'intrinsic', name };
    return { span: fieldTest(target, comparison) };
  }

  #checkType({ op, value, at }: Comparison, types: readonly ValueType[], what: string): void {
    if (!types.includes(value.type)) {
      throw traceqlError(this.#query, at, `${what} is not compared with a ${value.type}`);
    }
    if (op === '=~' || op === '!~') {
      if (value.type !== 'string') {
        throw traceqlError(this.#query, at, `${op} is followed by a pattern in quotes`);
      }
      this.#checkPattern(value.value, at);
    } else if (op !== '=' && op !== '!=' && !ORDERED.includes(value.type)) {
      throw traceqlError(this.#query, at, `a ${value.type} is compared by = and != only`);
    }
  }

  #checkPattern(pattern: string, at: number): void {
    try {
      parseRegex(pattern);
      // A little longer, it may be too long.
      parseRegex(`${DOT_IS_ANY}${pattern}`);
    } catch (error) {
      throw traceqlError(this.#query, at, messageOf(error));
    }
  }
}

function allOf(args: readonly CompiledCondition[]): CompiledCondition {
  const spans = args.flatMap(({ span }) => (span === undefined ? [] : [span]));
  const traces = args.flatMap(({ trace }) => (trace === undefined ? [] : [trace]));
  return {
    ...(spans.length === 0 ? {} : { span: { op: 'and', args: spans } }),
    ...(traces.length === 0 ? {} : { trace: { op: 'and', args: traces } }),
  };
}
