// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { parseTraceId } from '@spoor/core/model/ids.ts';
import { formatPageToken } from '@spoor/core/query/page-token.ts';
import type { SpanPredicate, TraceQuery } from '@spoor/core/query/trace-query.ts';
import { parseTraceQuery, parseTraceSearch } from './search-params.ts';

const NOW_MS = 1_700_000_000_000;

function parseQuery(search: string): TraceQuery {
  const parsed = parseTraceSearch(new URLSearchParams(search), NOW_MS);
  assert.ok(parsed.kind === 'query');
  return parsed.query;
}

function refusal(search: string): string {
  try {
    parseTraceSearch(new URLSearchParams(search), NOW_MS);
  } catch (error) {
    assert.ok(error instanceof SpoorError);
    assert.equal(error.code, 'invalid_argument');
    return error.message;
  }
  return assert.fail(`${search} was accepted`);
}

const attribute = (key: string, value: string): SpanPredicate => ({
  op: 'eq',
  field: { kind: 'attribute', scope: 'any', key },
  value: { type: 'text', value },
});
const status = (value: bigint): SpanPredicate => ({
  op: 'eq',
  field: { kind: 'intrinsic', name: 'status' },
  value: { type: 'int', value },
});
const failed: SpanPredicate = { op: 'or', args: [status(2n), attribute('error', 'true')] };

test('without parameters the 100 newest traces of the last two days are asked for', () => {
  assert.deepEqual(parseQuery('lookback=1h&service=&operation=&minDuration='), {
    where: { op: 'and', args: [] },
    startMinUnixNano: 1_699_827_200_000_000_000n,
    startMaxUnixNano: 1_700_000_000_000_001_000n,
    limit: 100,
  });
});

test('a duration of 0 is no bound, and spans without a service are found by the name that Jaeger gives them', () => {
  const eq = (value: string): SpanPredicate => ({
    op: 'eq',
    field: { kind: 'intrinsic', name: 'service' },
    value: { type: 'string', value },
  });
  assert.deepEqual(
    parseQuery('minDuration=0s&maxDuration=0us&service=missing-service-name').where,
    { op: 'or', args: [eq(''), eq('missing-service-name')] },
  );
});

test('all conditions are on one span, and the end is inclusive to the µs', () => {
  const query = parseQuery(
    'service=a%2Fb&operation=GET+%2F&minDuration=1.5ms&maxDuration=2s&start=5&end=7&limit=1500' +
      '&tag=http.url:http://x:80/&tag=error:false&tags=%7B%22span.kind%22:%22server%22,%22n%22:500%7D',
  );
  assert.equal(query.startMinUnixNano, 5000n);
  assert.equal(query.startMaxUnixNano, 8000n);
  assert.equal(query.limit, 1500);
  assert.deepEqual(query.where, {
    op: 'and',
    args: [
      {
        op: 'eq',
        field: { kind: 'intrinsic', name: 'service' },
        value: { type: 'string', value: 'a/b' },
      },
      {
        op: 'eq',
        field: { kind: 'intrinsic', name: 'name' },
        value: { type: 'string', value: 'GET /' },
      },
      attribute('http.url', 'http://x:80/'),
      { op: 'not', arg: failed },
      { op: 'eq', field: { kind: 'intrinsic', name: 'kind' }, value: { type: 'int', value: 2n } },
      attribute('n', '500'),
      {
        op: 'ge',
        field: { kind: 'intrinsic', name: 'duration' },
        value: { type: 'int', value: 1_500_000n },
      },
      {
        op: 'le',
        field: { kind: 'intrinsic', name: 'duration' },
        value: { type: 'int', value: 2_000_000_000n },
      },
    ],
  });
});

test('the tags that Jaeger makes of span fields ask for those fields', () => {
  assert.deepEqual(parseQuery('tag=error:true').where, failed);
  assert.deepEqual(parseQuery('tag=otel.status_code:OK').where, status(1n));
  assert.deepEqual(parseQuery('tag=otel.status_code:ERROR').where, status(2n));
  assert.deepEqual(parseQuery('tag=error:timeout').where, attribute('error', 'timeout'));
  assert.deepEqual(parseQuery('tag=span.kind:robot').where, attribute('span.kind', 'robot'));
  assert.deepEqual(parseQuery('tag=empty:').where, attribute('empty', ''));
});

test('trace ids are asked for by id, once each, short ones padded', () => {
  assert.deepEqual(
    parseTraceSearch(new URLSearchParams('traceID=AB&traceID=ab&traceID=1'), NOW_MS),
    {
      kind: 'ids',
      ids: ['000000000000000000000000000000ab', '00000000000000000000000000000001'],
    },
  );
  assert.match(refusal('traceID=xyz'), /trace id "xyz" is not 1 to 32 hex digits/);
  assert.match(refusal('traceID=1&'.repeat(1001)), /1001 'traceID' parameters are more than 1000/);
});

test('order and conditions on whole traces stand beside those on a span', () => {
  const query = parseQuery(
    'service=a&order=most_errors&minTraceDuration=1s&maxTraceDuration=1s&minSpans=2&maxSpans=10' +
      '&minErrors=0&maxErrors=5&rootService=web&rootOperation=GET+/',
  );
  assert.equal(query.order, 'most_errors');
  const number = (op: string, name: string, value: bigint): object => ({
    op,
    field: { kind: 'trace', name },
    value: { type: 'int', value },
  });
  const text = (name: string, value: string): object => ({
    op: 'eq',
    field: { kind: 'trace', name },
    value: { type: 'string', value },
  });
  assert.deepEqual(query.having, {
    op: 'and',
    args: [
      number('ge', 'duration', 1_000_000_000n),
      number('le', 'duration', 1_000_000_000n),
      number('ge', 'span_count', 2n),
      number('le', 'span_count', 10n),
      number('ge', 'error_count', 0n),
      number('le', 'error_count', 5n),
      text('root_service', 'web'),
      text('root_name', 'GET /'),
    ],
  });
});

test('a root without a service is found by the name that stands for none, and a trace without a root is not', () => {
  const compare = (op: 'eq' | 'ne', name: string, value: string): object => ({
    op,
    field: { kind: 'trace', name },
    value: { type: 'string', value },
  });
  assert.deepEqual(parseQuery('rootService=missing-service-name').having, {
    op: 'and',
    args: [
      {
        op: 'or',
        args: [
          {
            op: 'and',
            args: [compare('eq', 'root_service', ''), compare('ne', 'root_name', '')],
          },
          compare('eq', 'root_service', 'missing-service-name'),
        ],
      },
    ],
  });
});

test('TraceQL joins the other conditions, and its aggregates are of its own spans', () => {
  const q = encodeURIComponent('{ kind = server && rootName != "x" } | count() > 3');
  const query = parseQuery(`service=a&minSpans=2&q=${q}`);
  const kind: SpanPredicate = {
    op: 'eq',
    field: { kind: 'intrinsic', name: 'kind' },
    value: { type: 'int', value: 2n },
  };
  assert.deepEqual(query.where, {
    op: 'and',
    args: [
      {
        op: 'eq',
        field: { kind: 'intrinsic', name: 'service' },
        value: { type: 'string', value: 'a' },
      },
      { op: 'and', args: [kind] },
    ],
  });
  assert.deepEqual(query.having, {
    op: 'and',
    args: [
      {
        op: 'ge',
        field: { kind: 'trace', name: 'span_count' },
        value: { type: 'int', value: 2n },
      },
      {
        op: 'and',
        args: [
          {
            op: 'ne',
            field: { kind: 'trace', name: 'root_name' },
            value: { type: 'string', value: 'x' },
          },
        ],
      },
      {
        op: 'gt',
        field: { kind: 'count', where: { op: 'and', args: [kind] } },
        value: { type: 'int', value: 3n },
      },
    ],
  });
  assert.deepEqual(parseQuery('q='), parseQuery(''));
  assert.deepEqual(parseQuery(`q=${encodeURIComponent('{}')}`).where, {
    op: 'and',
    args: [],
  });
  assert.equal(
    refusal(`q=${encodeURIComponent('{ span.a } | rate()')}`),
    'TraceQL, character 10: expected one of = != < <= > >= =~ !~, found "}"',
  );
});

test('a page is of the same search, and its window ends when the first page was asked for', () => {
  const search = 'service=a&order=longest&limit=5';
  const first = parseQuery(search);
  const position = { key: 12n, traceId: parseTraceId('ab') };
  const page = formatPageToken(first, position);
  const later = NOW_MS + 60_000;
  const params = new URLSearchParams(`${search}&page=${page}`);
  assert.deepEqual(parseTraceQuery(params, later), { ...first, after: position });
  params.set('limit', '7');
  assert.deepEqual(parseTraceQuery(params, later), { ...first, limit: 7, after: position });
  for (const [name, value] of [
    ['order', 'newest'],
    ['service', 'b'],
    ['end', '1700000000000001'],
    ['start', '5'],
    ['minSpans', '1'],
    ['q', '{}'],
    ['q', '{ name = "x" }'],
  ] as const) {
    const other = new URLSearchParams(`${search}&page=${page}`);
    other.set(name, value);
    assert.throws(
      () => parseTraceQuery(other, later),
      /page token is that of another search/,
      name,
    );
  }
  assert.match(refusal('page=x'), /page token "x"/);
});

test('a misspelled parameter is refused, and what other clients send is let pass', () => {
  assert.equal(refusal('oder=longest'), 'unknown parameter "oder"; did you mean order?');
  assert.equal(refusal('minSpan=3'), 'unknown parameter "minSpan"; did you mean minSpans?');
  assert.equal(
    refusal('min_trace_duration=1s'),
    'unknown parameter "min_trace_duration"; did you mean minTraceDuration?',
  );
  assert.equal(refusal('traceId=ab'), 'unknown parameter "traceId"; did you mean traceID?');
  assert.equal(refusal('operatoin=x'), 'unknown parameter "operatoin"; did you mean operation?');
  // What means nothing is not proposed.
  assert.equal(parseQuery('lookBack=1h').limit, 100);
  const others = 'raw=true&lookback=1h&prettyPrint=1&limit=5&view=list&span=x&_=17000000&offset=3';
  assert.equal(parseQuery(others).limit, 5);
});

test('wrong parameters are told by name', () => {
  assert.equal(
    refusal('tag=nocolon'),
    `malformed 'tag' parameter, expecting key:value, received: "nocolon"`,
  );
  assert.match(refusal('tags=x'), /^malformed 'tags' parameter, cannot unmarshal JSON: "x"/);
  assert.match(refusal('tags=[1]'), /^malformed 'tags' parameter, expecting a JSON object/);
  assert.match(refusal('tags={"a":{}}'), /^malformed 'tags' parameter, the value of "a"/);
  assert.match(refusal('start=yesterday'), /^unable to parse param 'start': "yesterday"/);
  assert.equal(
    refusal('end=18446744073709550'),
    `unable to parse param 'end': "18446744073709550" is not a Unix time in microseconds of at most 16 digits`,
  );
  assert.match(refusal('end=-1'), /^unable to parse param 'end'/);
  assert.match(refusal('start=2&end=1'), /'end' 1 should not be before 'start' 2/);
  assert.match(refusal('minDuration=5'), /^unable to parse param 'minDuration': "5"/);
  assert.equal(
    refusal('minDuration=2s&maxDuration=1s'),
    `'maxDuration' should be greater than 'minDuration'`,
  );
  assert.equal(
    refusal('order=slowest'),
    `unable to parse param 'order': "slowest" is not one of newest, oldest, longest, shortest, most_spans, most_errors`,
  );
  assert.match(refusal('minTraceDuration=5'), /^unable to parse param 'minTraceDuration': "5"/);
  assert.match(
    refusal('minSpans=-1'),
    /^unable to parse param 'minSpans': "-1" is not a number from 0/,
  );
  assert.equal(
    refusal('minErrors=2&maxErrors=1'),
    `'maxErrors' should be greater than 'minErrors'`,
  );
  for (const limit of ['0', '10001', '-1', '1.5', 'many']) {
    assert.match(refusal(`limit=${limit}`), /^unable to parse param 'limit'/);
  }
});
