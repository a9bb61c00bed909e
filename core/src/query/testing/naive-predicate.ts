// SPDX-License-Identifier: Apache-2.0
import type { AttributeValue } from '#model/attributes.ts';
import type { Span } from '#model/span.ts';
import type { QueryField, QueryLiteral, SpanPredicate } from '#query/trace-query.ts';

/**
 * Whether a plain span meets a predicate: the rules of `SpanPredicate` written down as simply as they can be, to compare the
 * evaluator and every store with. It shares no code with them. Patterns are JavaScript's.
 */
export function meets(span: Span, predicate: SpanPredicate): boolean {
  switch (predicate.op) {
    case 'and':
      return predicate.args.every((arg) => meets(span, arg));
    case 'or':
      return predicate.args.some((arg) => meets(span, arg));
    case 'not':
      return !meets(span, predicate.arg);
    case 'exists':
      return valuesOf(span, predicate.field) !== undefined;
    case 'matches': {
      const pattern = new RegExp(`^(?:${predicate.pattern})$`, 'u');
      const values = valuesOf(span, predicate.field) ?? [];
      return values.some((value) => typeof value === 'string' && pattern.test(value));
    }
    default: {
      const { op, field, value: literal } = predicate;
      const values = valuesOf(span, field);
      if (values === undefined) return false;
      const some = (sign: number) =>
        values.some((value) => compareValue(value, literal, op) === sign);
      if (op === 'ne') return !some(0);
      if (op === 'lt' || op === 'gt') return some(op === 'lt' ? -1 : 1);
      return some(0) || (op !== 'eq' && some(op === 'le' ? -1 : 1));
    }
  }
}

/** A value that something can be compared with. */
type Plain = string | bigint | number | boolean;

/** The values of a field, with those of arrays among them; undefined where it does not exist. */
function valuesOf(span: Span, field: QueryField): Plain[] | undefined {
  if (field.kind === 'intrinsic') {
    switch (field.name) {
      case 'service':
        return [span.resource.serviceName];
      case 'name':
        return [span.name];
      case 'kind':
        return [BigInt(span.kind)];
      case 'status':
        return [BigInt(span.status?.code ?? 0)];
      case 'duration':
        return [BigInt.asIntN(64, span.endTimeUnixNano - span.startTimeUnixNano)];
    }
  }
  const lists = {
    span: [span.attributes],
    resource: [span.resource.attributes],
    instrumentation: [span.scope.attributes],
    event: span.events.map((event) => event.attributes),
    link: span.links.map((link) => link.attributes),
  };
  const { key, scope } = field;
  const all =
    scope === 'any'
      ? [...lists.span, ...lists.resource, ...lists.instrumentation, ...lists.event]
      : lists[scope];
  const found = all.flat().filter((attribute) => attribute.key === key);
  if (found.length === 0) return undefined;
  return found
    .flatMap(({ value }) => (value.type === 'array' ? value.value : [value]))
    .flatMap(plain);
}

function plain(value: AttributeValue): Plain[] {
  switch (value.type) {
    case 'string':
    case 'bool':
    case 'int':
    case 'double':
      return [value.value];
    default:
      return [];
  }
}

/** -1, 0 or 1 where the two have an order, otherwise undefined. */
export function compareValue(value: Plain, literal: QueryLiteral, op: string): number | undefined {
  const equality = op === 'eq' || op === 'ne';
  const bound = literal.value;
  if (typeof bound === 'boolean') return equality && value === bound ? 0 : undefined;
  if (typeof bound !== 'string') {
    return typeof value === 'string' || typeof value === 'boolean'
      ? undefined
      : compareNumbers(value, bound);
  }
  const number = literal.type === 'text' ? numberOf(bound) : undefined;
  if (typeof value === 'string') {
    if (!equality && number !== undefined) return undefined;
    return order(codePoints(value), codePoints(bound));
  }
  if (literal.type === 'string') return undefined;
  if (typeof value === 'boolean') return equality && String(value) === bound ? 0 : undefined;
  return number === undefined ? undefined : compareNumbers(value, number);
}

function compareNumbers(a: bigint | number, b: bigint | number): number | undefined {
  if (Number.isNaN(a) || Number.isNaN(b)) {
    return Number.isNaN(a) && Number.isNaN(b) ? 0 : undefined;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The number that a text is written like. */
export function numberOf(text: string): bigint | number | undefined {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text);
  try {
    const parsed: unknown = JSON.parse(text.replace(/^(-?)0+(?=\d)/, '$1'));
    if (typeof parsed !== 'number') return undefined;
    return /^-?\d+$/.test(text) ? BigInt(text) : parsed;
  } catch {
    return undefined;
  }
}

function codePoints(text: string): number[] {
  return Array.from(text, (char) => char.codePointAt(0)!);
}

function order(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}
