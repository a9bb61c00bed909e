// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '#model/span.ts';
import { orderTrace, type TracePart } from './join-trace.ts';
import { MAX_PREDICATE_NODES } from './predicate.ts';
import { TraceSummarizer } from './summarize-trace.ts';
import { arbitrarySpan } from './testing/arbitrary-span.ts';
import { arbitraryTracePredicate } from './testing/arbitrary-trace-predicate.ts';
import { resource, span, spanId, traceId } from './testing/example-span.ts';
import { traceMeets } from './testing/naive-trace-predicate.ts';
import { batchOf } from './testing/span-body.ts';
import { TraceEvaluator } from './trace-evaluator.ts';
import { CompiledTracePredicate } from './trace-predicate.ts';
import type { SpanPredicate, TraceField, TracePredicate } from './trace-query.ts';

const EVERY: SpanPredicate = { op: 'and', args: [] };

function named(value: string): SpanPredicate {
  return { op: 'eq', field: { kind: 'intrinsic', name: 'name' }, value: { type: 'string', value } };
}

function part(spans: readonly Span[]): TracePart {
  return { columns: batchOf(spans), rows: spans.map((_, row) => row) };
}

function holds(parts: readonly TracePart[], predicate: TracePredicate): boolean {
  const trace = orderTrace(parts);
  const summary = new TraceSummarizer().summarizeRows(trace);
  return new TraceEvaluator(predicate).holds(trace, summary);
}

function is(
  op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge',
  field: TraceField,
  value: bigint | number | string,
): TracePredicate {
  if (typeof value === 'bigint') return { op, field, value: { type: 'int', value } };
  if (typeof value === 'number') return { op, field, value: { type: 'double', value } };
  return { op, field, value: { type: 'string', value } };
}

function durationOf(aggregate: 'sum' | 'avg' | 'min' | 'max', where = EVERY): TraceField {
  return { kind: 'duration', aggregate, where };
}

test('a predicate on traces holds for any spans, spread over any parts, as its plain rules say', () => {
  fc.assert(
    fc.property(
      fc.array(arbitrarySpan, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(2), { minLength: 8, maxLength: 8 }),
      fc.array(arbitraryTracePredicate, { minLength: 1, maxLength: 5 }),
      (list, places, predicates) => {
        const spans = list.map((one) => ({ ...one, traceId: traceId(1) }));
        const parts = [0, 1, 2]
          .map((p) => spans.filter((_, i) => places[i] === p))
          .filter((some) => some.length > 0)
          .map((some) => part([...some, spans[0]!]));
        const unique = [...new Map(spans.map((one) => [fc.stringify(one), one])).values()];
        for (const predicate of predicates) {
          const expected = traceMeets(unique, predicate);
          assert.equal(holds(parts, predicate), expected, fc.stringify(predicate));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('aggregates are exact where doubles are not', () => {
  const long = 2n ** 62n;
  const spans = [1n, 0n, 0n].map((more, i) =>
    span({ spanId: spanId(i + 1), startTimeUnixNano: 0n, endTimeUnixNano: long + more, name: 'a' }),
  );
  const parts = [part(spans)];
  const sum = 3n * long + 1n;
  assert.ok(holds(parts, is('eq', durationOf('sum'), sum)));
  assert.ok(!holds(parts, is('eq', durationOf('sum'), Number(sum))));
  // The average is a third of a nanosecond above the greatest duration that two of them have.
  assert.ok(holds(parts, is('gt', durationOf('avg'), long)));
  assert.ok(holds(parts, is('lt', durationOf('avg'), long + 1n)));
  assert.ok(holds(parts, is('ne', durationOf('avg'), long)));
  assert.ok(holds(parts, is('gt', durationOf('max'), 2 ** 62)));
  assert.ok(holds(parts, is('eq', durationOf('min'), 2 ** 62)));
});

test('count and sum of no spans are 0, and their average, least and greatest compare to nothing', () => {
  const parts = [part([span()])];
  const none = named('nobody');
  assert.ok(holds(parts, is('eq', { kind: 'count', where: none }, 0n)));
  assert.ok(holds(parts, is('eq', durationOf('sum', none), 0)));
  for (const aggregate of ['avg', 'min', 'max'] as const) {
    for (const op of ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const) {
      assert.ok(!holds(parts, is(op, durationOf(aggregate, none), 0n)));
    }
  }
});

test('two spans may meet one part of a predicate each, and the root is that of the summary', () => {
  const parts = [
    part([span({ name: 'a' })]),
    part([
      span({ spanId: spanId(2), parentSpanId: spanId(1), name: 'b', resource: resource('pay') }),
    ]),
  ];
  const both = (a: string, b: string): TracePredicate => ({
    op: 'and',
    args: [a, b].map((name) => ({ op: 'some', where: named(name) })),
  });
  assert.ok(holds(parts, both('a', 'b')));
  assert.ok(!holds(parts, both('a', 'c')));
  assert.ok(holds(parts, is('eq', { kind: 'trace', name: 'root_name' }, 'a')));
  assert.ok(holds(parts, is('ne', { kind: 'trace', name: 'root_service' }, 'pay')));
});

test('a span predicate that is asked for several times is evaluated once', () => {
  const one = new CompiledTracePredicate({
    op: 'and',
    args: [
      { op: 'some', where: named('a') },
      is('gt', { kind: 'count', where: named('a') }, 3n),
      is('gt', durationOf('avg', named('a')), 3n),
      { op: 'some', where: named('b') },
    ],
  });
  assert.equal(one.spanPredicates.length, 2);
});

test('a predicate that is too large with all that is in it, or too deep, is refused', () => {
  const many: SpanPredicate = { op: 'or', args: Array(MAX_PREDICATE_NODES / 2).fill(named('a')) };
  const wide: TracePredicate = {
    op: 'or',
    args: [
      { op: 'some', where: many },
      { op: 'not', arg: { op: 'some', where: { op: 'not', arg: many } } },
    ],
  };
  assert.throws(() => new CompiledTracePredicate(wide), /more than 1000 parts/);
  let deep: TracePredicate = { op: 'some', where: EVERY };
  for (let i = 0; i < 101; i++) deep = { op: 'not', arg: deep };
  assert.throws(() => new CompiledTracePredicate(deep), /more than 100 in one another/);
});
