// SPDX-License-Identifier: Apache-2.0
import type { Attribute, AttributeValue } from '#model/attributes.ts';
import type { Span } from '#model/span.ts';
import type {
  TraceqlExpression,
  TraceqlField,
  TraceqlOperator,
  TraceqlQuery,
  TraceqlValue,
} from '#query/traceql/traceql-query.ts';
import { rootOf } from './naive-trace-predicate.ts';

/**
 * Whether a TraceQL query selects spans of a trace: the meaning of the language written down as simply as it can be, without
 * the query tree in between.
 * @param spans all spans of the trace, each once
 */
export function traceqlSelects(spans: readonly Span[], { filter, stages }: TraceqlQuery): boolean {
  const set = spans.filter((span) => filter === undefined || holds(span, spans, filter));
  if (set.length === 0) return false;
  const durations = set.map(durationOf);
  const sum = durations.reduce((a, b) => a + b, 0n);
  const sorted = durations.toSorted((a, b) => (a < b ? -1 : 1));
  return stages.every(({ aggregate, op, value }) => {
    const scalars = { count: BigInt(set.length), sum, min: sorted[0]!, max: sorted.at(-1)! };
    // An average is a fraction: both sides are multiplied by its denominator, a float to 30 digits.
    if (aggregate !== 'avg') return compare(scalars[aggregate], op, numberOf(value));
    const scale = 10n ** 30n;
    const bound = BigInt(Math.trunc(Number(value.value) * 1000));
    const exact = value.type === 'float' ? (bound * scale) / 1000n : BigInt(value.value) * scale;
    return compare(sum * scale, op, exact * BigInt(set.length));
  });
}

function holds(span: Span, spans: readonly Span[], condition: TraceqlExpression): boolean {
  switch (condition.op) {
    case 'and':
      return condition.args.every((arg) => holds(span, spans, arg));
    case 'or':
      return condition.args.some((arg) => holds(span, spans, arg));
    case 'not':
      return !holds(span, spans, condition.arg);
    case 'always':
      return true;
    case 'never':
      return false;
    case 'exists':
      return valuesOf(span, spans, condition.field) !== undefined;
    case 'missing':
      return valuesOf(span, spans, condition.field) === undefined;
    default: {
      const { op, field, value } = condition;
      const values = (valuesOf(span, spans, field) ?? []).filter((one) => sameType(one, value));
      const isMet = (one: Plain) => compare(one, op, value.value);
      // None of several values may be equal, and without a value of the type nothing is compared.
      return op === '!=' || op === '!~'
        ? values.length > 0 && values.every(isMet)
        : values.some(isMet);
    }
  }
}

type Plain = string | bigint | number | boolean;

function sameType(one: Plain, value: TraceqlValue): boolean {
  if (typeof one === 'string') return value.type === 'string';
  if (typeof one === 'boolean') return value.type === 'bool';
  return value.type !== 'string' && value.type !== 'bool';
}

function compare(a: Plain, op: TraceqlOperator, b: Plain): boolean {
  if (op === '=~' || op === '!~') {
    return new RegExp(`^(?:${String(b)})$`, 'su').test(String(a)) === (op === '=~');
  }
  const [left, right] =
    typeof a === 'string' && typeof b === 'string' ? [utf8(a), utf8(b)] : [a, b];
  switch (op) {
    case '=':
      // Exact, also between integers and floats; nothing is equal to NaN.
      return left <= right && !(left < right);
    case '!=':
      return !compare(a, '=', b);
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

function utf8(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

function numberOf(value: TraceqlValue): bigint | number {
  if (typeof value.value === 'bigint' || typeof value.value === 'number') return value.value;
  throw new Error(`${value.type} is no number`);
}

function durationOf(span: Span): bigint {
  return BigInt.asIntN(64, span.endTimeUnixNano - span.startTimeUnixNano);
}

/** The values of a field; undefined where it does not exist. */
function valuesOf(span: Span, spans: readonly Span[], field: TraceqlField): Plain[] | undefined {
  if (field.kind === 'intrinsic') return [intrinsicOf(span, spans, field.name)];
  const { scope, key } = field;
  switch (scope) {
    case 'unscoped':
      return valuesIn(span.attributes, key) ?? valuesIn(span.resource.attributes, key);
    case 'span':
      return valuesIn(span.attributes, key);
    case 'resource':
      return valuesIn(span.resource.attributes, key);
    case 'instrumentation':
      return valuesIn(span.scope.attributes, key);
    case 'event':
      return valuesIn(
        span.events.flatMap(({ attributes }) => attributes),
        key,
      );
    case 'link':
      return valuesIn(
        span.links.flatMap(({ attributes }) => attributes),
        key,
      );
  }
}

function valuesIn(attributes: readonly Attribute[], key: string): Plain[] | undefined {
  const found = attributes.filter((one) => one.key === key);
  if (found.length === 0) return undefined;
  return found
    .flatMap(({ value }) => (value.type === 'array' ? value.value : [value]))
    .flatMap(plain);
}

function plain(value: AttributeValue): Plain[] {
  const { type } = value;
  return type === 'string' || type === 'bool' || type === 'int' || type === 'double'
    ? [value.value]
    : [];
}

function intrinsicOf(
  span: Span,
  spans: readonly Span[],
  name: Extract<TraceqlField, { kind: 'intrinsic' }>['name'],
): Plain {
  switch (name) {
    case 'name':
      return span.name;
    case 'status':
      return BigInt(span.status?.code ?? 0);
    case 'kind':
      return BigInt(span.kind);
    case 'duration':
      return durationOf(span);
    case 'traceDuration': {
      const starts = spans.map((one) => one.startTimeUnixNano).sort((a, b) => (a < b ? -1 : 1));
      const ends = spans.map((one) => one.endTimeUnixNano).sort((a, b) => (a < b ? -1 : 1));
      return ends.at(-1)! - starts[0]!;
    }
    case 'rootName':
      return rootOf(spans)?.name ?? '';
    case 'rootServiceName':
      return rootOf(spans)?.resource.serviceName ?? '';
  }
}
