// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  firstPage,
  formatSearchState,
  nextPage,
  parseSearchState,
  toTracesQuery,
  traceqlFault,
  validateSearch,
} from './search-params.ts';

const DEFAULTS = parseSearchState({});

test('an empty query string is a search over everything of the last hour', () => {
  assert.deepEqual(DEFAULTS, {
    service: '',
    operation: '',
    attributes: '',
    traceql: '',
    minDuration: '',
    maxDuration: '',
    lookback: '1h',
    start: undefined,
    end: undefined,
    limit: 20,
    order: 'newest',
    page: '',
  });
  assert.deepEqual(formatSearchState(DEFAULTS), {});
});

test('a state survives the way through the URL', () => {
  const state = {
    ...DEFAULTS,
    service: '支付 service',
    operation: 'GET /a?b=c&d',
    attributes: 'error=true msg="a b"',
    traceql: '{ name =~ "a|b" } | count() > 3',
    minDuration: '1.2s',
    lookback: 'custom',
    start: 1_700_000_000_000_000,
    end: 1_700_000_060_000_000,
    limit: 1500,
    order: 'longest',
    page: '1.2.3',
  };
  const url = new URLSearchParams(formatSearchState(state)).toString();
  assert.deepEqual(parseSearchState(Object.fromEntries(new URLSearchParams(url))), state);
});

test("links of Jaeger's own search page are understood", () => {
  const query =
    'end=1700000060000000&limit=20&lookback=2d&maxDuration&minDuration&operation=all' +
    '&service=api&start=1700000000000000&tags=%7B%22error%22%3A%22true%22%2C%22a%22%3A%22b%20c%22%7D';
  const state = parseSearchState(Object.fromEntries(new URLSearchParams(query)));
  assert.equal(state.lookback, '2d');
  assert.equal(state.start, undefined);
  assert.equal(state.operation, '');
  assert.equal(state.attributes, 'error=true a="b c"');
});

test('a start and an end without look-back are a custom range', () => {
  const state = parseSearchState({ start: '1700000000000000', end: '1700000060000000' });
  assert.equal(state.lookback, 'custom');
  assert.equal(state.end, 1_700_000_060_000_000);
});

test('later pages keep the window of the first, and asking anew looks at now', () => {
  const first = { ...DEFAULTS, lookback: '15m', order: 'most_errors' };
  const second = nextPage(first, '1.7.ab', 1_700_000_900_000_000);
  const url = formatSearchState(second);
  assert.deepEqual(url, {
    lookback: '15m',
    end: '1700000900000000',
    order: 'most_errors',
    page: '1.7.ab',
  });
  assert.deepEqual(parseSearchState(url), second);
  assert.deepEqual(Object.fromEntries(toTracesQuery(second, 1_800_000_000_000_000)), {
    start: '1700000000000000',
    end: '1700000900000000',
    limit: '20',
    order: 'most_errors',
    page: '1.7.ab',
  });
  assert.deepEqual(nextPage(second, '1.8.cd', 1_800_000_000_000_000), {
    ...second,
    page: '1.8.cd',
  });
  assert.deepEqual(firstPage(second), first);
  assert.equal(parseSearchState({ page: '1.7.ab' }).page, '');
});

test('parameters that make no sense become defaults, and too large a limit the largest', () => {
  const state = parseSearchState({
    lookback: '0h',
    limit: '-5',
    start: 'x',
    service: 7,
    order: 'best',
  });
  assert.deepEqual(state, DEFAULTS);
  assert.equal(parseSearchState({ limit: '99999' }).limit, 1500);
  assert.equal(parseSearchState({ tags: '{oops' }).attributes, '{oops');
});

test('each field that cannot be sent is named with the reason', () => {
  const errors = validateSearch({
    ...DEFAULTS,
    attributes: 'error',
    minDuration: '5 parsecs',
    lookback: 'custom',
    start: 10,
    end: 5,
  });
  assert.match(errors.attributes ?? '', /has no value/);
  assert.match(errors.minDuration ?? '', /no unit “parsecs”/);
  assert.match(errors.time ?? '', /not after/);
  assert.match(
    validateSearch({ ...DEFAULTS, minDuration: '2s', maxDuration: '1s' }).maxDuration ?? '',
    /below/,
  );
  assert.deepEqual(validateSearch(DEFAULTS), {});
});

test('what the server says of TraceQL is known from its other messages', () => {
  assert.equal(
    traceqlFault('TraceQL, character 3: the attribute has no key'),
    'character 3: the attribute has no key',
  );
  assert.equal(traceqlFault("unable to parse param 'order'"), undefined);
});

test('the request carries the attributes as JSON and the time range in microseconds', () => {
  const state = {
    ...DEFAULTS,
    service: 'api',
    operation: 'GET /',
    attributes: 'error=true',
    traceql: '{ kind = server }',
    minDuration: '500 µs',
    lookback: '15m',
  };
  assert.deepEqual(Object.fromEntries(toTracesQuery(state, 1_700_000_900_000_000)), {
    service: 'api',
    operation: 'GET /',
    tags: '{"error":"true"}',
    q: '{ kind = server }',
    minDuration: '500us',
    start: '1700000000000000',
    end: '1700000900000000',
    limit: '20',
  });
});
