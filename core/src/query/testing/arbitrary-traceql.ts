// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type {
  TraceqlExpression,
  TraceqlField,
  TraceqlOperator,
  TraceqlQuery,
  TraceqlValue,
} from '#query/traceql/traceql-query.ts';
import { DURATIONS, KEYS, NAMES, SERVICES, TEXTS } from './arbitrary-span.ts';

const comparison = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
const equality = fc.constantFrom('=', '!=');
const pattern = fc.constantFrom('=~', '!~');

const string: fc.Arbitrary<TraceqlValue> = fc
  .constantFrom(...TEXTS, ...SERVICES, ...NAMES, 'a"b\\c', 'two\nlines', '`"')
  .map((value) => ({ type: 'string', value }));

const regex: fc.Arbitrary<TraceqlValue> = fc
  .constantFrom('', '.*', 'G.T|PO.*', '[^a-z]+', '\\d+', '.', 'c[^x]*')
  .map((value) => ({ type: 'string', value }));

const number: fc.Arbitrary<TraceqlValue> = fc.oneof(
  fc
    .constantFrom(0n, 1n, -1n, 200n, 2n ** 53n + 1n, 2n ** 63n - 1n, 1n - 2n ** 63n)
    .map((value) => ({ type: 'int' as const, value })),
  fc.constantFrom(...DURATIONS, 250n).map((value) => ({ type: 'duration' as const, value })),
  fc.constantFrom(0, 1, 1.5, 200, -2.5, 1e300, 0.001).map((value) => ({
    type: 'float' as const,
    value,
  })),
);

const bool: fc.Arbitrary<TraceqlValue> = fc.boolean().map((value) => ({ type: 'bool', value }));

function enumValue(type: 'status' | 'kind', most: bigint): fc.Arbitrary<TraceqlValue> {
  return fc.bigInt(0n, most).map((value) => ({ type, value }));
}

function intrinsic(name: Extract<TraceqlField, { kind: 'intrinsic' }>['name']) {
  return fc.constant<TraceqlField>({ kind: 'intrinsic', name });
}

function attribute(
  ...scopes: Extract<TraceqlField, { kind: 'attribute' }>['scope'][]
): fc.Arbitrary<TraceqlField> {
  return fc.record({
    kind: fc.constant('attribute' as const),
    scope: fc.constantFrom(...scopes),
    key: fc.constantFrom(...KEYS, 'service.name', 'my "own" key', '0x'),
  });
}

function compared(
  field: fc.Arbitrary<TraceqlField>,
  op: fc.Arbitrary<TraceqlOperator>,
  value: fc.Arbitrary<TraceqlValue>,
): fc.Arbitrary<TraceqlExpression> {
  return fc.record({ op, field, value, at: fc.constant(0) });
}

const single = attribute('unscoped', 'span', 'resource', 'instrumentation');
const several = attribute('event', 'link');
const anyAttribute = fc.oneof(single, several);
const positive = fc.constantFrom('=' as const, '<' as const, '<=' as const, '>' as const);

const ofSpan: fc.Arbitrary<TraceqlExpression> = fc.oneof(
  compared(intrinsic('name'), comparison, string),
  compared(intrinsic('name'), pattern, regex),
  compared(intrinsic('status'), equality, enumValue('status', 2n)),
  compared(intrinsic('kind'), equality, enumValue('kind', 5n)),
  compared(intrinsic('duration'), comparison, number),
  compared(single, comparison, fc.oneof(string, number)),
  compared(single, pattern, regex),
  compared(single, equality, bool),
  compared(several, positive, fc.oneof(string, number)),
  compared(several, fc.constant('=~'), regex),
  fc.record({
    op: fc.constantFrom('exists' as const, 'missing' as const),
    field: anyAttribute,
    at: fc.constant(0),
  }),
  fc.record({ op: fc.constantFrom('always' as const, 'never' as const), at: fc.constant(0) }),
);

const ofTrace: fc.Arbitrary<TraceqlExpression> = fc.oneof(
  compared(intrinsic('traceDuration'), comparison, number),
  compared(fc.oneof(intrinsic('rootName'), intrinsic('rootServiceName')), comparison, string),
  compared(fc.oneof(intrinsic('rootName'), intrinsic('rootServiceName')), pattern, regex),
);

/** Conditions of these, in which a chain of one operator is one node. */
function conditions(leaf: fc.Arbitrary<TraceqlExpression>): fc.Arbitrary<TraceqlExpression> {
  return fc.letrec<{ node: TraceqlExpression }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.record({ op: fc.constant('not' as const), arg: tie('node'), at: fc.constant(0) }),
      fc
        .record({
          op: fc.constantFrom('and' as const, 'or' as const),
          args: fc.array(tie('node'), { minLength: 2, maxLength: 3 }),
        })
        .map(({ op, args }) => chain(op, args)),
    ),
  })).node;
}

function chain(op: 'and' | 'or', args: readonly TraceqlExpression[]): TraceqlExpression {
  const [first, ...rest] = args;
  return { op, args: first?.op === op ? [...first.args, ...rest] : args, at: 0 };
}

const filter: fc.Arbitrary<TraceqlExpression | undefined> = fc.oneof(
  fc.constant(undefined),
  { weight: 4, arbitrary: conditions(ofSpan) },
  conditions(ofTrace),
  fc.tuple(conditions(ofSpan), conditions(ofTrace)).map((args) => chain('and', args)),
);

/** Queries about what `arbitrarySpan` makes, all of which a search can answer. */
export const arbitraryTraceql: fc.Arbitrary<TraceqlQuery> = fc.record({
  filter,
  stages: fc.array(
    fc.record({
      aggregate: fc.constantFrom('count', 'avg', 'min', 'max', 'sum'),
      op: comparison,
      value: fc.oneof(
        number,
        fc.bigInt(0n, 4n).map((value) => ({ type: 'int' as const, value })),
      ),
      at: fc.constant(0),
    }),
    { maxLength: 2 },
  ),
});
