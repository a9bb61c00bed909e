// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import { arbitraryTraceql } from '#query/testing/arbitrary-traceql.ts';
import { formatTraceql } from '#query/testing/traceql-text.ts';
import { compileTraceql } from './compile-traceql.ts';
import { parseTraceql } from './parse-traceql.ts';
import type { TraceqlField, TraceqlQuery, TraceqlValue } from './traceql-query.ts';

/** A query without places in its text. */
function withoutPlaces(query: TraceqlQuery): unknown {
  return JSON.parse(
    JSON.stringify(query, (name, value: unknown) =>
      name === 'at' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
    ),
  );
}

function refusal(query: string): string {
  try {
    compileTraceql(query);
  } catch (error) {
    assert.ok(error instanceof SpoorError, String(error));
    assert.equal(error.code, 'invalid_argument');
    return error.message;
  }
  return assert.fail(`${query} was taken`);
}

/** The left side of a comparison, and its right one. */
function comparison(query: string): [TraceqlField, string, TraceqlValue] {
  const { filter } = parseTraceql(`{${query}}`);
  assert.ok(filter !== undefined && 'value' in filter);
  return [filter.field, filter.op, filter.value];
}

test('a query that is written down is read as it was', () => {
  fc.assert(
    fc.property(arbitraryTraceql, (query) => {
      const text = formatTraceql(query);
      assert.deepEqual(withoutPlaces(parseTraceql(text)), withoutPlaces(query), text);
    }),
    { numRuns: 200 },
  );
});

test('white space and comments mean nothing', () => {
  const text = '{span.a="x"&&duration>=1s||(.b!=nil)}|count()>3';
  const spread = `  { // the filter
    span.a = "x" && duration >= 1s /* or || */ || ( .b != nil ) }
    | count ( ) > 3 `;
  assert.deepEqual(withoutPlaces(parseTraceql(text)), withoutPlaces(parseTraceql(spread)));
});

test('whatever is asked, the answer is a query or says at which character it is none', () => {
  const pieces = fc.constantFrom(
    ...['{', '}', '(', ')', '|', '||', '&&', '!', '!=', '=~', '=', '<', '>>', '-', '/', '/*', '//'],
    ...['span.', '.a', 'event."b', 'name', 'nil', 'error', 'duration', 'traceDuration', 'count'],
    ...['1', '.5', '2e', '3ms', '9'.repeat(30), '1h30m', '"x"', '"\\', '`(`', '"', '`', ' ', '\n'],
  );
  const garbage = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.array(pieces, { maxLength: 25 }).map((list) => list.join('')),
    fc.array(pieces, { maxLength: 25 }).map((list) => `{ ${list.join(' ')} } | count() > 1`),
    fc
      .tuple(arbitraryTraceql.map(formatTraceql), fc.nat(200), fc.nat(3), pieces)
      .map(([text, at, cut, piece]) => text.slice(0, at) + piece + text.slice(at + cut)),
  );
  fc.assert(
    fc.property(garbage, (query) => {
      try {
        compileTraceql(query);
      } catch (error) {
        assert.ok(error instanceof SpoorError, String(error));
        assert.equal(error.code, 'invalid_argument');
        assert.match(error.message, /^TraceQL, character \d+: /);
      }
    }),
    { numRuns: 300 },
  );
});

test('what is large is refused, and quickly', () => {
  const most = `{ ${Array.from({ length: 100 }, (_, i) => `.a = ${i}`).join(' || ')} }`;
  assert.ok(compileTraceql(most));
  assert.match(refusal(most.replace('}', '|| .b = 1 }')), /more than 100 comparisons$/);
  assert.match(refusal(`{ ${' '.repeat(8192)} }`), /^TraceQL, character 8193: .*8196/);
  assert.ok(compileTraceql(`{}${' | count() > 1'.repeat(10)}`));
  assert.match(refusal(`{}${' | count() > 1'.repeat(11)}`), /character 144: more than 10 stages$/);
  for (const deep of ['(', '!', '!(']) {
    assert.match(refusal(`{ ${deep.repeat(4000)}`), /more than 30 deep/);
  }
  const changes = Array.from({ length: 40 }, (_, i) => `.a = 1 ${i % 2 === 0 ? '&&' : '||'} `);
  assert.match(refusal(`{ ${changes.join('')} .a = 1 }`), /more than 30 deep/);
  assert.match(refusal('/* '.repeat(2730)), /character 1: the comment does not end/);
});

test('true and false are conditions, and nothing else that is no comparison is', () => {
  assert.deepEqual(parseTraceql('{ true && !(false) }').filter, {
    op: 'and',
    args: [
      { op: 'always', at: 2 },
      { op: 'not', arg: { op: 'never', at: 12 }, at: 10 },
    ],
    at: 7,
  });
  assert.match(refusal('{ true = true }'), /character 3: a comparison needs a field/);
  assert.match(refusal('{ error }'), /character 9: expected one of/);
  assert.match(
    refusal('{ true || rootName = "a" }'),
    /character 8: \|\| over a condition on spans/,
  );
});

test('keys stand as they are, in quotes, or partly so', () => {
  const key = (text: string) => comparison(`${text} = 1`)[0];
  assert.deepEqual(key('span.http.status_code'), {
    kind: 'attribute',
    scope: 'span',
    key: 'http.status_code',
  });
  assert.deepEqual(key('.a-b/c[0]'), { kind: 'attribute', scope: 'unscoped', key: 'a-b/c[0]' });
  assert.deepEqual(key('resource."my {own} \\"key\\""'), {
    kind: 'attribute',
    scope: 'resource',
    key: 'my {own} "key"',
  });
  assert.deepEqual(key('event.a." b".c'), { kind: 'attribute', scope: 'event', key: 'a. b.c' });
});

test('values are those of Go, with the durations of Prometheus', () => {
  const value = (text: string) => comparison(`.a = ${text}`)[2];
  assert.deepEqual(value('"a\\tb\\"\\u00e9\\x41\\101"'), { type: 'string', value: 'a\tb"éAA' });
  assert.deepEqual(value('`a\\d"`'), { type: 'string', value: 'a\\d"' });
  assert.deepEqual(value('007'), { type: 'int', value: 7n });
  assert.deepEqual(value('- 5'), { type: 'int', value: -5n });
  assert.deepEqual(value('.5'), { type: 'float', value: 0.5 });
  assert.deepEqual(value('1e3'), { type: 'float', value: 1000 });
  assert.deepEqual(value('1h1.5s'), { type: 'duration', value: 3_601_500_000_000n });
  assert.deepEqual(value('1d12h'), { type: 'duration', value: 129_600_000_000_000n });
  assert.deepEqual(value('-2w'), { type: 'duration', value: -1_209_600_000_000_000n });
  assert.deepEqual(comparison('kind = consumer')[2], { type: 'kind', value: 5n });
  assert.deepEqual(comparison('500 <= span.a').slice(1), ['>=', { type: 'int', value: 500n }]);
});

test('&& and || bind equally strong, from the left', () => {
  const { filter } = parseTraceql('{ .a = 1 || .b = 2 && .c = 3 }');
  assert.ok(filter?.op === 'and');
  assert.equal(filter.args[0]?.op, 'or');
});

test('what is wrong is told with its place and with what was expected', () => {
  for (const [query, message] of [
    ['', '1: expected a spanset filter in braces, such as { name = "GET /" }, found the end'],
    [
      'name = "x"',
      '1: expected a spanset filter in braces, such as { name = "GET /" }, found "name"',
    ],
    ['{ span.a }', '10: expected one of = != < <= > >= =~ !~, found "}"'],
    ['{ span.a = }', '12: expected a value, found "}"'],
    ['{ "😀" = span.a', '15: expected an operator or }, found the end'],
    [
      '{ span.a = GET }',
      '12: unknown name "GET"; texts are in quotes, attributes begin with span., resource. or a dot',
    ],
    [
      '{ http.method = "GET" }',
      '3: "http" is no scope; attributes begin with span., resource., event., link., instrumentation. or a dot',
    ],
    ['{ span. = 1 }', '3: the attribute has no key'],
    ['{ .a = "x }', '8: the text that begins here has no closing "'],
    ['{ .a = "\\q" }', '9: "\\\\q" stands for no character'],
    ['{ .a = 10kb }', '8: "10kb" is no number and no duration such as 1.5s'],
    ['{ .a = 9223372036854775808 }', '8: "9223372036854775808" is more than 64 bits hold'],
    ["{ .a = 'x' }", '8: "\'" is no part of TraceQL'],
    ['{ !span.a = 1 }', '4: expected ( after !, found "span.a"'],
    ['{ 1 = 1 }', '3: a comparison needs a field, such as span.key or duration'],
    ['{ "x" =~ .a }', '10: expected a pattern, found a field'],
    ['{ duration > "x" }', '12: duration is not compared with a string'],
    ['{ status > ok }', '10: a status is compared by = and != only'],
    ['{ .a < true }', '6: a bool is compared by = and != only'],
    ['{ .a = error }', '6: an attribute is not compared with a status'],
    ['{ .a =~ 5 }', '6: =~ is followed by a pattern in quotes'],
    ['{ .a > nil }', '6: nil is compared by = and != only'],
    ['{ name = nil }', '8: name is never nil'],
    ['{ name =~ "(" }', `8: pattern "(": '(' without ')' before character 2`],
    ['{} | count() > "x"', '16: count() compares with a number or a duration'],
    ['{} | count() =~ 1', '14: expected one of = != < <= > >=, found "=~"'],
    ['{} | count(', '12: expected ), found the end'],
  ] as const) {
    assert.equal(refusal(query), `TraceQL, character ${message}`);
  }
});

test('what TraceQL has and a search has not is refused as such', () => {
  for (const [query, message] of [
    ['{} >> {}', '4: the operator >> between spansets is'],
    ['{} && {}', '4: the operator && between spansets is'],
    ['{} !~ {}', '4: the operator !~ between spansets is'],
    ['({} | count() > 1)', '1: a pipeline in parentheses is'],
    ['{} | by(span.a)', '6: by() is'],
    ['{} | select(span.a)', '6: select() is'],
    ['{} | rate()', '6: rate() is'],
    ['{} | quantile_over_time(duration, .9)', '6: quantile_over_time() is'],
    ['{} | {}', '6: a second spanset filter is'],
    ['{} with (most_recent=true)', '4: hints are'],
    ['{} | avg(span.a) > 1', '10: avg of anything but duration is'],
    ['{} | count() > 1 + 1', '18: arithmetic is'],
    ['{} | count() + 1 > 1', '14: arithmetic is'],
    ['{} | max(duration) > min(duration)', '22: a comparison of two aggregates is'],
    ['{ .a + 1 > 2 }', '6: arithmetic is'],
    ['{ .a > 1 + 2 }', '10: arithmetic is'],
    ['{ .a = span.b }', '8: a comparison of two fields is'],
    ['{ .a = 1 = true }', '10: a chain of comparisons is'],
    ['{ (.a = 1) = true }', '12: a comparison of conditions is'],
    ['{ span:childCount > 1 }', '3: span:childCount is'],
    ['{ parent.a = 1 }', '3: parent. is'],
    ['{ event:name = "x" }', '3: event:name is'],
    [
      '{ event.a != 1 }',
      '11: != on attributes of events, of which a span may have several (!(event.key = …) says that none is equal), is',
    ],
    [
      '{ rootName = "x" || name = "x" }',
      '18: || over a condition on spans and one on the trace (traceDuration, rootName, rootServiceName), which go together by && only, is',
    ],
    [
      '{ !(rootName = "x" && name = "x") }',
      '3: ! over a condition on spans and one on the trace (traceDuration, rootName, rootServiceName), which go together by && only, is',
    ],
  ] as const) {
    assert.equal(refusal(query), `TraceQL, character ${message} not supported`);
  }
});
