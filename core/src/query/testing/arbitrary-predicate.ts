// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { QueryField, QueryLiteral, SpanPredicate } from '#query/trace-query.ts';
import {
  DOUBLES,
  DURATIONS,
  INTS,
  KEYS,
  KINDS,
  NAMES,
  SERVICES,
  STARTS,
  STATUS_CODES,
  TEXTS,
} from './arbitrary-span.ts';

const field: fc.Arbitrary<QueryField> = fc.oneof(
  fc.record({
    kind: fc.constant('intrinsic' as const),
    name: fc.constantFrom('service', 'name', 'kind', 'status', 'duration'),
  }),
  fc.record({
    kind: fc.constant('attribute' as const),
    scope: fc.constantFrom('any', 'span', 'resource', 'instrumentation', 'event', 'link'),
    key: fc.constantFrom(...KEYS, 'service.name', 'missing'),
  }),
);

const text = fc.constantFrom(...TEXTS, ...SERVICES, ...NAMES);

/** Values of every type to compare with. */
export const arbitraryLiteral: fc.Arbitrary<QueryLiteral> = fc.oneof(
  text.map((value) => ({ type: 'string' as const, value })),
  fc
    .oneof(
      text,
      fc.constantFrom('1', '1.0', '2e2', '0200', '-1', '-Infinity', '+1', '.5', 'false', '-0'),
      fc.constantFrom(...INTS).map(String),
    )
    .map((value) => ({ type: 'text' as const, value })),
  fc
    .oneof(
      fc.constantFrom(...INTS, ...DURATIONS, 2n ** 70n),
      fc.constantFrom(...KINDS, ...STATUS_CODES).map(BigInt),
    )
    .map((value) => ({ type: 'int' as const, value })),
  fc.constantFrom(...DOUBLES, 0.5, 2.5, 1e19).map((value) => ({ type: 'double' as const, value })),
  fc.boolean().map((value) => ({ type: 'bool' as const, value })),
);

const PATTERNS = [
  '',
  '.*',
  'GET',
  'G.T|PO.*',
  '[^a-z]+',
  '.',
  '\\d+',
  '(?:é|商).*',
  'c[^x]*',
  '.*E.*',
  '.*😀',
];

const op = fc.constantFrom('eq', 'eq', 'ne', 'lt', 'le', 'gt', 'ge');

function numbersOf(
  name: 'kind' | 'status' | 'duration',
  values: readonly (number | bigint)[],
): fc.Arbitrary<SpanPredicate> {
  const value = fc.oneof(
    fc.constantFrom(...values).map((n) => ({ type: 'int' as const, value: BigInt(n) })),
    fc.constantFrom(...values).map((n) => ({ type: 'text' as const, value: String(n) })),
    fc.constantFrom(...values).map((n) => ({ type: 'double' as const, value: Number(n) + 0.5 })),
  );
  return fc.record({ op, field: fc.constant({ kind: 'intrinsic' as const, name }), value });
}

function textsOf(name: 'service' | 'name', values: readonly string[]): fc.Arbitrary<SpanPredicate> {
  const value = fc.record({
    type: fc.constantFrom('text' as const, 'string' as const),
    value: fc.constantFrom('', ...values),
  });
  return fc.record({ op, field: fc.constant({ kind: 'intrinsic' as const, name }), value });
}

/** A literal of a type that the field has, which any literal seldom is. */
const fitting = fc.oneof(
  numbersOf('kind', KINDS),
  numbersOf('status', STATUS_CODES),
  numbersOf('duration', DURATIONS),
  textsOf('service', SERVICES),
  textsOf('name', NAMES),
);

/** Predicates about what `arbitrarySpan` makes. */
export const arbitraryPredicate: fc.Arbitrary<SpanPredicate> = fc.letrec<{ node: SpanPredicate }>(
  (tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.record({ op, field, value: arbitraryLiteral }),
      fitting,
      fc.record({ op: fc.constant('exists' as const), field }),
      fc.record({
        op: fc.constant('matches' as const),
        field,
        pattern: fc.constantFrom(...PATTERNS),
      }),
      fc.record({ op: fc.constant('not' as const), arg: tie('node') }),
      fc.record({
        op: fc.constantFrom('and' as const, 'or' as const),
        args: fc.array(tie('node'), { maxLength: 3 }),
      }),
    ),
  }),
).node;

/** Windows around the starts of `arbitrarySpan`, also empty and inverted ones. */
export const arbitraryWindow: fc.Arbitrary<{
  startMinUnixNano: bigint;
  startMaxUnixNano: bigint;
}> = fc.oneof(
  fc.constant({ startMinUnixNano: 0n, startMaxUnixNano: 2n ** 64n }),
  fc.record({
    startMinUnixNano: fc.constantFrom(...STARTS, -5n, 1002n),
    startMaxUnixNano: fc.constantFrom(...STARTS, 2n ** 64n, 2n ** 65n, 1002n),
  }),
);
