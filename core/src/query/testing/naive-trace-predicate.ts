// SPDX-License-Identifier: Apache-2.0
import type { Span } from '#model/span.ts';
import type { QueryLiteral, TraceField, TracePredicate } from '#query/trace-query.ts';
import { compareValue, meets, numberOf } from './naive-predicate.ts';

/**
 * Whether a trace meets a predicate: the rules of `TracePredicate` written down as simply as they can be, without any code of
 * what is tested with it.
 * @param spans all spans of the trace, each once
 */
export function traceMeets(spans: readonly Span[], predicate: TracePredicate): boolean {
  switch (predicate.op) {
    case 'and':
      return predicate.args.every((arg) => traceMeets(spans, arg));
    case 'or':
      return predicate.args.some((arg) => traceMeets(spans, arg));
    case 'not':
      return !traceMeets(spans, predicate.arg);
    case 'some':
      return spans.some((span) => meets(span, predicate.where));
    case 'matches': {
      const value = valueOf(spans, predicate.field);
      const pattern = new RegExp(`^(?:${predicate.pattern})$`, 'u');
      return typeof value === 'string' && pattern.test(value);
    }
    default: {
      const { op, field, value: literal } = predicate;
      const value = valueOf(spans, field);
      if (value === undefined) return false;
      const sign =
        typeof value === 'object'
          ? compareAverage(value, literal)
          : compareValue(value, literal, op);
      switch (op) {
        case 'eq':
          return sign === 0;
        case 'ne':
          return sign !== 0;
        case 'lt':
          return sign === -1;
        case 'le':
          return sign === -1 || sign === 0;
        case 'gt':
          return sign === 1;
        case 'ge':
          return sign === 1 || sign === 0;
      }
    }
  }
}

interface Average {
  readonly sum: bigint;
  readonly count: number;
}

function valueOf(spans: readonly Span[], field: TraceField): string | bigint | Average | undefined {
  if (field.kind === 'trace') {
    switch (field.name) {
      case 'duration':
        return (
          greatest(spans.map((span) => span.endTimeUnixNano)) -
          least(spans.map((span) => span.startTimeUnixNano))
        );
      case 'span_count':
        return BigInt(spans.length);
      case 'error_count':
        return BigInt(spans.filter((span) => span.status?.code === 2).length);
      case 'root_service':
        return rootOf(spans)?.resource.serviceName ?? '';
      case 'root_name':
        return rootOf(spans)?.name ?? '';
    }
  }
  const durations = spans
    .filter((span) => meets(span, field.where))
    .map((span) => BigInt.asIntN(64, span.endTimeUnixNano - span.startTimeUnixNano));
  if (field.kind === 'count') return BigInt(durations.length);
  const sum = durations.reduce((a, b) => a + b, 0n);
  if (field.aggregate === 'sum') return sum;
  if (durations.length === 0) return undefined;
  if (field.aggregate === 'avg') return { sum, count: durations.length };
  return field.aggregate === 'min' ? least(durations) : greatest(durations);
}

/** The earliest span without parent; ties by span id, then service, then name. */
export function rootOf(spans: readonly Span[]): Span | undefined {
  const bytes = (text: string): string => new TextEncoder().encode(text).toHex();
  return spans
    .filter((span) => /^0*$/.test(span.parentSpanId))
    .map((span) => ({
      span,
      rank: [
        span.startTimeUnixNano.toString().padStart(20, '0'),
        span.spanId,
        bytes(span.resource.serviceName),
        bytes(span.name),
      ],
    }))
    .sort((a, b) => (a.rank.join('!') < b.rank.join('!') ? -1 : 1))[0]?.span;
}

/** -1, 0 or 1 where the two have an order, otherwise undefined. Doubles are taken to have few digits. */
function compareAverage({ sum, count }: Average, literal: QueryLiteral): number | undefined {
  const bound = literal.type === 'text' ? numberOf(literal.value) : literal.value;
  if (typeof bound !== 'number' && typeof bound !== 'bigint') return undefined;
  if (Number.isNaN(bound)) return undefined;
  if (typeof bound === 'number' && !Number.isFinite(bound)) return bound > 0 ? -1 : 1;
  const digits =
    typeof bound === 'bigint' || Number.isInteger(bound)
      ? BigInt(bound) * 10n ** 20n
      : BigInt(bound.toFixed(20).replace('.', ''));
  const difference = sum * 10n ** 20n - digits * BigInt(count);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function least(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a < b ? a : b));
}

function greatest(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b));
}
