// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type {
  QueryLiteral,
  SpanPredicate,
  TraceField,
  TracePredicate,
} from '#query/trace-query.ts';
import { arbitraryLiteral, arbitraryPredicate } from './arbitrary-predicate.ts';
import { DURATIONS, NAMES, SERVICES, STARTS } from './arbitrary-span.ts';

const where: fc.Arbitrary<SpanPredicate> = fc.oneof(
  fc.constant<SpanPredicate>({ op: 'and', args: [] }),
  arbitraryPredicate,
);

const texts: fc.Arbitrary<TraceField> = fc.record({
  kind: fc.constant('trace' as const),
  name: fc.constantFrom('root_service' as const, 'root_name' as const),
});

const counts: fc.Arbitrary<TraceField> = fc.oneof(
  fc.record({
    kind: fc.constant('trace' as const),
    name: fc.constantFrom('span_count' as const, 'error_count' as const),
  }),
  fc.record({ kind: fc.constant('count' as const), where }),
);

const durations: fc.Arbitrary<TraceField> = fc.oneof(
  fc.constant<TraceField>({ kind: 'trace', name: 'duration' }),
  fc.record({
    kind: fc.constant('duration' as const),
    aggregate: fc.constantFrom('sum', 'avg', 'min', 'max'),
    where,
  }),
);

function numbers(values: fc.Arbitrary<bigint>): fc.Arbitrary<QueryLiteral> {
  return fc.oneof(
    values.map((value) => ({ type: 'int' as const, value })),
    values.map((value) => ({ type: 'text' as const, value: `${value}` })),
    values.map((value) => ({ type: 'double' as const, value: Number(value) / 2 })),
  );
}

const op = fc.constantFrom('eq', 'ne', 'lt', 'le', 'gt', 'ge');

/** Predicates about traces of what `arbitrarySpan` makes. */
export const arbitraryTracePredicate: fc.Arbitrary<TracePredicate> = fc.letrec<{
  node: TracePredicate;
}>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.record({ op: fc.constant('some' as const), where }),
    fc.record({ op, field: counts, value: numbers(fc.bigInt(0n, 6n)) }),
    fc.record({
      op,
      field: durations,
      value: numbers(fc.constantFrom(...DURATIONS, ...STARTS, 250n, -500n, 1000n)),
    }),
    fc.record({
      op,
      field: texts,
      value: fc.constantFrom('', ...SERVICES, ...NAMES).map((value) => ({
        type: 'string' as const,
        value,
      })),
    }),
    fc.record({
      op: fc.constant('matches' as const),
      field: fc.oneof(texts, counts),
      pattern: fc.constantFrom('', '.*', 'G.T|c.*', '[^a-z]+'),
    }),
    fc.record({ op, field: fc.oneof(texts, counts, durations), value: arbitraryLiteral }),
    fc.record({ op: fc.constant('not' as const), arg: tie('node') }),
    fc.record({
      op: fc.constantFrom('and' as const, 'or' as const),
      args: fc.array(tie('node'), { maxLength: 3 }),
    }),
  ),
})).node;
