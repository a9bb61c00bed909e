// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import type { Span } from '#model/span.ts';
import type { SpanColumns } from '#model/span-columns.ts';
import { SpanReader } from '#model/span-reader.ts';
import { compilePredicate, evaluate } from './predicate.ts';
import { arbitraryPredicate, arbitraryWindow } from './testing/arbitrary-predicate.ts';
import { arbitrarySpan } from './testing/arbitrary-span.ts';
import { attributes, event, link, resource, scope, span, traceId } from './testing/example-span.ts';
import { meets } from './testing/naive-predicate.ts';
import { batchOf } from './testing/span-body.ts';
import type { QueryField, QueryLiteral, SpanPredicate } from './trace-query.ts';

const EVERYTHING: SpanPredicate = { op: 'and', args: [] };

function rowsOf(
  spans: readonly Span[],
  where: SpanPredicate,
  window?: { startMinUnixNano: bigint; startMaxUnixNano: bigint },
): number[] {
  return [...evaluate(compilePredicate(where), batchOf(spans), window)];
}

function attribute(key: string, place: 'any' | 'span' | 'link' | 'event' = 'any'): QueryField {
  return { kind: 'attribute', scope: place, key };
}

function eq(field: QueryField, value: QueryLiteral): SpanPredicate {
  return { op: 'eq', field, value };
}

test('any predicate selects the rows whose spans meet it one by one', () => {
  fc.assert(
    fc.property(
      fc.array(arbitrarySpan, { maxLength: 40, size: 'max' }),
      fc.array(arbitraryPredicate, { minLength: 1, maxLength: 40 }),
      arbitraryWindow,
      (spans, predicates, window) => {
        const batch = batchOf(spans);
        const reader = new SpanReader(batch);
        const read = spans.map((_, row) => reader.read(row));
        for (const where of predicates) {
          const expected = read.flatMap((one, row) => {
            const start = one.startTimeUnixNano;
            const inside = start >= window.startMinUnixNano && start < window.startMaxUnixNano;
            return inside && meets(one, where) ? [row] : [];
          });
          const rows = evaluate(compilePredicate(where), batch, window);
          assert.deepEqual([...rows], expected, fc.stringify(where));
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('one compiled predicate serves many batches', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(arbitrarySpan, { maxLength: 6 }), { maxLength: 4 }),
      arbitraryPredicate,
      (lists, where) => {
        const compiled = compilePredicate(where);
        for (const spans of lists) {
          const expected = spans.flatMap((one, row) => (meets(one, where) ? [row] : []));
          assert.deepEqual([...evaluate(compiled, batchOf(spans), undefined)], expected);
        }
      },
    ),
  );
});

test('a text finds strings, integers, doubles and booleans that are written so', () => {
  const spans = ['200', 200n, 200, '2e2', 'true', true, 1.5, [1n, 200n]].map((code) =>
    span({ attributes: attributes({ code }) }),
  );
  const text = (value: string) => rowsOf(spans, eq(attribute('code'), { type: 'text', value }));
  assert.deepEqual(text('200'), [0, 1, 2, 7]);
  assert.deepEqual(text('2e2'), [1, 2, 3, 7]);
  assert.deepEqual(text('true'), [4, 5]);
  assert.deepEqual(text('1.50'), [6]);
});

test('integers compare exactly with doubles beyond 2^53', () => {
  const big = 2n ** 53n;
  const spans = [big - 1n, big, big + 1n].map((n) => span({ attributes: attributes({ n }) }));
  const than = (op: 'lt' | 'le' | 'gt' | 'ge' | 'eq') =>
    rowsOf(spans, { op, field: attribute('n'), value: { type: 'double', value: 2 ** 53 } });
  assert.deepEqual(than('eq'), [1]);
  assert.deepEqual(than('gt'), [2]);
  assert.deepEqual(than('ge'), [1, 2]);
  assert.deepEqual(than('lt'), [0]);
  assert.deepEqual(than('le'), [0, 1]);
});

test('NaN is equal to itself, so also at least and at most, and is neither less nor greater', () => {
  const spans = [NaN, 1].map((value) => span({ attributes: attributes({ ratio: value }) }));
  const than = (op: 'eq' | 'lt' | 'le' | 'gt' | 'ge') =>
    rowsOf(spans, { op, field: attribute('ratio'), value: { type: 'double', value: NaN } });
  assert.deepEqual(than('eq'), [0]);
  assert.deepEqual(than('le'), [0]);
  assert.deepEqual(than('ge'), [0]);
  assert.deepEqual(than('lt'), []);
  assert.deepEqual(than('gt'), []);
});

test('ne asks that the key is there and no value, of an array or of a doubled key, is equal', () => {
  const spans = [
    span(),
    span({ attributes: attributes({ tag: 'a' }) }),
    span({ attributes: attributes({ tag: 'b' }) }),
    span({ attributes: attributes({ tag: ['b', 'a'] }) }),
    span({ attributes: attributes({ tag: [] }) }),
    span({ attributes: [...attributes({ tag: 'b' }), ...attributes({ tag: 'a' })] }),
  ];
  const a: QueryLiteral = { type: 'string', value: 'a' };
  assert.deepEqual(rowsOf(spans, { op: 'ne', field: attribute('tag'), value: a }), [2, 4]);
  assert.deepEqual(rowsOf(spans, eq(attribute('tag'), a)), [1, 3, 5]);
  assert.deepEqual(rowsOf(spans, { op: 'not', arg: eq(attribute('tag'), a) }), [0, 2, 4]);
});

test('any looks at span, resource, scope and events, and not at links', () => {
  const values = { where: 'here' };
  const to = { traceId: traceId(2), spanId: '' };
  const spans = [
    span({ attributes: attributes(values) }),
    span({ resource: resource('shop', values) }),
    span({ scope: scope('http', values) }),
    span({ events: [event('none'), event('some', values)] }),
    span({ links: [link(to, values)] }),
    span(),
  ];
  const here: QueryLiteral = { type: 'string', value: 'here' };
  const found = (place: 'any' | 'span' | 'resource' | 'instrumentation' | 'event' | 'link') =>
    rowsOf(spans, eq({ kind: 'attribute', scope: place, key: 'where' }, here));
  assert.deepEqual(found('any'), [0, 1, 2, 3]);
  assert.deepEqual(found('span'), [0]);
  assert.deepEqual(found('resource'), [1]);
  assert.deepEqual(found('instrumentation'), [2]);
  assert.deepEqual(found('event'), [3]);
  assert.deepEqual(found('link'), [4]);
});

test('a column of values that are all different is searched like a dictionary', () => {
  const spans = Array.from({ length: 1500 }, (_, i) =>
    span({ attributes: i % 7 === 0 ? [] : attributes({ id: `order-${i}`, n: BigInt(i) }) }),
  );
  const batch = batchOf(spans);
  assert.ok(batch.columns.some(({ codes }) => codes === undefined));
  const rows = (where: SpanPredicate) => [...evaluate(compilePredicate(where), batch, undefined)];
  assert.deepEqual(rows(eq(attribute('id'), { type: 'text', value: 'order-1234' })), [1234]);
  assert.deepEqual(
    rows({ op: 'matches', field: attribute('id'), pattern: '.*-12[35]' }),
    [123, 125],
  );
  assert.deepEqual(rows(eq(attribute('n'), { type: 'int', value: 1499n })), [1499]);
});

/** The columns of a batch that remember which of them were read. */
function watched(spans: readonly Span[]): { columns: SpanColumns; read: Set<string> } {
  const batch = batchOf(spans);
  const read = new Set<string>();
  const columns = new Proxy(batch, {
    get(target, name: keyof SpanColumns) {
      read.add(name);
      return target[name];
    },
  });
  return { columns, read };
}

test('where no distinct value meets a comparison, no column of rows is read', () => {
  const spans = [span({ attributes: attributes({ a: 'x' }) }), span({ name: 'other' })];
  const { columns, read } = watched(spans);
  const nobody: SpanPredicate = {
    op: 'and',
    args: [
      eq(attribute('a', 'event'), { type: 'text', value: 'x' }),
      {
        op: 'gt',
        field: { kind: 'intrinsic', name: 'duration' },
        value: { type: 'int', value: 0n },
      },
      eq({ kind: 'intrinsic', name: 'service' }, { type: 'string', value: 'shop' }),
    ],
  };
  const window = { startMinUnixNano: 0n, startMaxUnixNano: 10_000n };
  assert.deepEqual([...evaluate(compilePredicate(nobody), columns, window)], []);
  assert.deepEqual([...read].sort(), ['columns', 'keys', 'resources', 'rows']);
});

test('an and ends at its first part that selects nothing, the cheap ones first', () => {
  const spans = [
    span({ name: 'a', attributes: attributes({ key: 'x' }), events: [event('e', { key: 'x' })] }),
    span({ name: 'b', kind: 1, attributes: attributes({ key: 'y' }) }),
  ];
  const { columns, read } = watched(spans);
  const where: SpanPredicate = {
    op: 'and',
    args: [
      { op: 'matches', field: attribute('key'), pattern: 'x' },
      eq({ kind: 'intrinsic', name: 'kind' }, { type: 'int', value: 1n }),
      eq({ kind: 'intrinsic', name: 'name' }, { type: 'string', value: 'a' }),
    ],
  };
  const window = { startMinUnixNano: 0n, startMaxUnixNano: 10_000n };
  assert.deepEqual([...evaluate(compilePredicate(where), columns, window)], []);
  for (const name of ['shape', 'events', 'startLo', 'durationLo', 'resource', 'traceId']) {
    assert.ok(!read.has(name), `${name} was read`);
  }
});

test('the window takes its first nanosecond and not its last', () => {
  const spans = [999n, 1000n, 1999n, 2000n].map((startTimeUnixNano) => span({ startTimeUnixNano }));
  const window = { startMinUnixNano: 1000n, startMaxUnixNano: 2000n };
  assert.deepEqual(rowsOf(spans, EVERYTHING, window), [1, 2]);
  const none = { startMinUnixNano: 2000n, startMaxUnixNano: 1000n };
  assert.deepEqual(rowsOf(spans, EVERYTHING, none), []);
});

test('predicates that are too large or have a bad pattern are refused', () => {
  let deep: SpanPredicate = EVERYTHING;
  for (let i = 0; i < 101; i++) deep = { op: 'not', arg: deep };
  const wide: SpanPredicate = { op: 'or', args: Array.from({ length: 1000 }, () => EVERYTHING) };
  const pattern: SpanPredicate = { op: 'matches', field: attribute('a'), pattern: '(' };
  for (const where of [deep, wide, pattern]) {
    assert.throws(
      () => compilePredicate(where),
      (error) => error instanceof SpoorError && error.code === 'invalid_argument',
    );
  }
});
