// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '#model/span.ts';
import { orderTrace } from '#query/join-trace.ts';
import { TraceSummarizer } from '#query/summarize-trace.ts';
import { arbitrarySpan } from '#query/testing/arbitrary-span.ts';
import { arbitraryTraceql } from '#query/testing/arbitrary-traceql.ts';
import {
  attributes,
  event,
  link,
  resource,
  span,
  spanId,
  traceId,
} from '#query/testing/example-span.ts';
import { traceqlSelects } from '#query/testing/naive-traceql.ts';
import { batchOf } from '#query/testing/span-body.ts';
import { formatTraceql } from '#query/testing/traceql-text.ts';
import { TraceEvaluator } from '#query/trace-evaluator.ts';
import type { SpanPredicate, TracePredicate } from '#query/trace-query.ts';
import { compileTraceql } from './compile-traceql.ts';

/** Whether the search that a query becomes finds a trace of these spans. */
function finds(query: string, ...spans: Span[]): boolean {
  const { where, having } = compileTraceql(query);
  const predicate: TracePredicate = { op: 'and', args: [{ op: 'some', where }, ...having] };
  const trace = orderTrace([{ columns: batchOf(spans), rows: spans.map((_, row) => row) }]);
  return new TraceEvaluator(predicate).holds(trace, new TraceSummarizer().summarizeRows(trace));
}

test('a search finds a trace exactly when the query selects some of its spans', () => {
  const trace = fc
    .uniqueArray(arbitrarySpan, {
      minLength: 1,
      maxLength: 5,
      selector: (one) => fc.stringify(one),
    })
    .map((spans) =>
      spans.map((one, i) => ({ ...one, traceId: traceId(1), spanId: spanId(i + 1) })),
    );
  fc.assert(
    fc.property(
      trace,
      fc.array(arbitraryTraceql, { minLength: 1, maxLength: 5 }),
      (spans, queries) => {
        for (const query of queries) {
          const text = formatTraceql(query);
          assert.equal(finds(text, ...spans), traceqlSelects(spans, query), text);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a condition becomes a predicate of the query tree', () => {
  const status: SpanPredicate = {
    op: 'eq',
    field: { kind: 'intrinsic', name: 'status' },
    value: { type: 'int', value: 2n },
  };
  assert.deepEqual(compileTraceql('{ status = error } | count() > 3'), {
    where: status,
    having: [
      { op: 'gt', field: { kind: 'count', where: status }, value: { type: 'int', value: 3n } },
    ],
  });
  assert.deepEqual(compileTraceql('{}'), { where: { op: 'and', args: [] }, having: [] });
  assert.deepEqual(compileTraceql('{ trace:duration >= 1.5s }').having, [
    {
      op: 'ge',
      field: { kind: 'trace', name: 'duration' },
      value: { type: 'int', value: 1_500_000_000n },
    },
  ]);
});

test('an attribute without scope is that of the span, and only where it has none that of the resource', () => {
  const both = span({
    attributes: attributes({ region: 'eu' }),
    resource: resource('shop', { region: 'us' }),
  });
  const one = span({ resource: resource('shop', { region: 'us' }) });
  assert.ok(finds('{ .region = "eu" }', both));
  assert.ok(!finds('{ .region = "us" }', both));
  assert.ok(finds('{ .region = "us" }', one));
  assert.ok(finds('{ .region != "eu" }', one));
  assert.ok(!finds('{ .region != nil }', span()));
});

test('unequal and not matching hold for values of the same type alone', () => {
  const holds = (value: string | bigint | number | boolean | string[], query: string) =>
    finds(`{ ${query} }`, span({ attributes: attributes({ key: value }) }));
  assert.ok(holds('b', 'span.key != "a"'));
  assert.ok(!holds(5n, 'span.key != "a"'));
  assert.ok(!holds('a', 'span.key != 5'));
  assert.ok(holds(6n, 'span.key != 5.5'));
  assert.ok(holds(NaN, 'span.key != 5'));
  assert.ok(holds(false, 'span.key != true'));
  assert.ok(!holds('true', 'span.key != true'));
  assert.ok(holds(['b', 'c'], 'span.key != "a"'));
  assert.ok(!holds(['b', 'a'], 'span.key != "a"'));
  assert.ok(!holds(5n, 'span.key !~ "a"'));
  assert.ok(!finds('{ span.key != "a" }', span()));
  assert.ok(!finds('{ span.key !~ "a" }', span()));
  assert.ok(finds('{ !(span.key = "a") }', span()));
});

test('a pattern is for the whole text, and its dot for any character', () => {
  assert.ok(!finds('{ name =~ "GET" }', span({ name: 'GET /' })));
  assert.ok(finds('{ name =~ "GET.*" }', span({ name: 'GET /\nx' })));
  assert.ok(finds('{ name =~ "a|GET./" }', span({ name: 'GET\n/' })));
  assert.ok(!finds('{ name !~ "GET.*" }', span({ name: 'GET /' })));
});

test('a pattern that is too long with what is put before it is refused where it is', () => {
  assert.ok(!finds(`{ name =~ "${'x'.repeat(996)}" }`, span()));
  for (const length of [997, 1001]) {
    assert.throws(
      () => finds(`{ name =~ "${'x'.repeat(length)}" }`, span()),
      /^SpoorError: TraceQL, character 8: pattern .* more than 1000$/,
    );
  }
});

test('one of the events, or links, is enough', () => {
  const two = span({ events: [event('a', { type: 'x' }), event('b', { type: 'y' })] });
  assert.ok(finds('{ event.type = "y" }', two));
  assert.ok(!finds('{ event.type = "z" }', two));
  const linked = span({ links: [link({ traceId: traceId(2), spanId: '' }, { n: 7n })] });
  assert.ok(finds('{ link.n > 6 }', linked));
});

test('aggregates are of the spans that the filter selects', () => {
  const spans = [100n, 200n, 900n].map((nanos, i) =>
    span({
      spanId: spanId(i + 1),
      endTimeUnixNano: 1000n + nanos,
      status: { code: i === 2 ? 0 : 2, message: '' },
    }),
  );
  assert.ok(finds('{ status = error } | count() = 2', ...spans));
  assert.ok(!finds('{ status = error } | count() > 2', ...spans));
  assert.ok(finds('{ status = error } | avg(duration) = 150ns', ...spans));
  assert.ok(finds('{} | max(duration) = 900 | sum(span:duration) >= 1.2us', ...spans));
  assert.ok(finds('{ traceDuration > 500ns && status = error } | min(duration) < 101', ...spans));
  // A query that selects no spans finds nothing, whatever it says of their number.
  assert.ok(!finds('{ status = ok } | count() = 0', ...spans));
});
