// SPDX-License-Identifier: Apache-2.0
import type { QueryField, QueryLiteral, SpanPredicate } from '#query/trace-query.ts';
import type {
  TraceqlComparison,
  TraceqlField,
  TraceqlOperator,
  TraceqlValue,
} from './traceql-query.ts';

const COMPARISONS = {
  '=': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
} as const;

type AttributeField = Extract<TraceqlField, { kind: 'attribute' }>;

/** A test of the query tree, of a span's or a trace's field. */
type FieldTest<Field> =
  | {
      readonly op: (typeof COMPARISONS)[TraceqlComparison];
      readonly field: Field;
      readonly value: QueryLiteral;
    }
  | { readonly op: 'matches'; readonly field: Field; readonly pattern: string };

/** What is asked of a field. */
interface Asked {
  readonly op: TraceqlOperator;
  readonly value: TraceqlValue;
}

/** Before each pattern: as in Prometheus, whose patterns Tempo has taken over, a dot is any character, also a new line. */
export const DOT_IS_ANY = '(?s)';

/** The comparison of a field that always exists and has values of one type. */
export function fieldTest<Field>(
  field: Field,
  { op, value }: Asked,
): FieldTest<Field> | { readonly op: 'not'; readonly arg: FieldTest<Field> } {
  if (op !== '=~' && op !== '!~') return { op: COMPARISONS[op], field, value: literalOf(value) };
  const matches = { op: 'matches' as const, field, pattern: `${DOT_IS_ANY}${value.value}` };
  return op === '=~' ? matches : { op: 'not', arg: matches };
}

/**
 * The comparison of an attribute. Negative ones hold, as in TraceQL, for a value of the same type alone, and for an array
 * when they do for all of its elements.
 */
export function attributeTest(attribute: AttributeField, asked: Asked): SpanPredicate {
  return somewhere(attribute, (field) => {
    const test = fieldTest(field, asked);
    const isNegative = asked.op === '!=' || asked.op === '!~';
    return isNegative ? { op: 'and', args: [test, hasType(field, asked.value)] } : test;
  });
}

/** The attribute is there, whatever its value. */
export function attributeExists(attribute: AttributeField): SpanPredicate {
  return somewhere(attribute, (field) => ({ op: 'exists', field }));
}

/** Asks the attribute where it is: one without scope is the span's, or else the resource's. */
function somewhere(
  { scope, key }: AttributeField,
  test: (field: QueryField) => SpanPredicate,
): SpanPredicate {
  if (scope !== 'unscoped') return test({ kind: 'attribute', scope, key });
  const ofSpan: QueryField = { kind: 'attribute', scope: 'span', key };
  const ofResource: QueryField = { kind: 'attribute', scope: 'resource', key };
  const elsewhere: SpanPredicate = { op: 'not', arg: { op: 'exists', field: ofSpan } };
  return {
    op: 'or',
    args: [test(ofSpan), { op: 'and', args: [elsewhere, test(ofResource)] }],
  };
}

/** One of the values has the type of this one; all numbers are of one type. */
function hasType(field: QueryField, { type }: TraceqlValue): SpanPredicate {
  switch (type) {
    case 'string':
      return { op: 'ge', field, value: { type: 'string', value: '' } };
    case 'bool':
      return {
        op: 'or',
        args: [true, false].map((value) => ({ op: 'eq', field, value: { type: 'bool', value } })),
      };
    default:
      return {
        op: 'or',
        args: [
          { op: 'ge', field, value: { type: 'double', value: -Infinity } },
          { op: 'eq', field, value: { type: 'double', value: NaN } },
        ],
      };
  }
}

/** The literal of the query tree; durations are their ns. */
function literalOf(value: TraceqlValue): QueryLiteral {
  switch (value.type) {
    case 'string':
      return { type: 'string', value: value.value };
    case 'bool':
      return { type: 'bool', value: value.value };
    case 'float':
      return { type: 'double', value: value.value };
    default:
      return { type: 'int', value: value.value };
  }
}
