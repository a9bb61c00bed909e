// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import {
  attributes,
  event,
  link,
  resource,
  scope,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import type { QueryField, QueryLiteral, SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { findIds, queryFor, type StoreHarness, writeSpans } from './testing/store-harness.ts';

type WithStore = (body: (harness: StoreHarness) => Promise<void>) => Promise<void>;

function intrinsic(name: 'service' | 'name' | 'kind' | 'status' | 'duration'): QueryField {
  return { kind: 'intrinsic', name };
}

function attribute(
  key: string,
  place: 'any' | 'span' | 'resource' | 'instrumentation' | 'event' | 'link' = 'any',
): QueryField {
  return { kind: 'attribute', scope: place, key };
}

function is(
  op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge',
  field: QueryField,
  value: string | bigint | number | boolean,
): SpanPredicate {
  let literal: QueryLiteral;
  if (typeof value === 'string') literal = { type: 'string', value };
  else if (typeof value === 'bigint') literal = { type: 'int', value };
  else if (typeof value === 'number') literal = { type: 'double', value };
  else literal = { type: 'bool', value };
  return { op, field, value: literal };
}

/** `text` as someone typed it. */
function typed(field: QueryField, value: string): SpanPredicate {
  return { op: 'eq', field, value: { type: 'text', value } };
}

/** Six small traces; the number of each is its id, and the newest is the first. */
const CAST = [
  span({
    traceId: traceId(1),
    startTimeUnixNano: 6000n,
    endTimeUnixNano: 6500n,
    name: 'GET /cart',
    attributes: attributes({ 'http.status_code': 200n, ok: true, load: 0.5 }),
  }),
  span({
    traceId: traceId(2),
    startTimeUnixNano: 5000n,
    endTimeUnixNano: 15_000n,
    name: 'charge',
    kind: 3,
    status: { code: 2, message: 'declined' },
    resource: resource('pay', { zone: 'eu' }),
    attributes: attributes({ 'http.status_code': '200', tags: ['vip', 'new'] }),
    events: [event('exception', { 'exception.type': 'Declined' })],
  }),
  span({
    traceId: traceId(3),
    startTimeUnixNano: 4000n,
    endTimeUnixNano: 3000n,
    name: 'send 😀',
    kind: 4,
    status: { code: 1, message: '' },
    scope: scope('kafka', { zone: 'us' }),
    links: [link({ traceId: traceId(1), spanId: spanId(1) }, { cause: 'order' })],
  }),
  span({
    traceId: traceId(4),
    startTimeUnixNano: 3000n,
    endTimeUnixNano: 3000n,
    kind: 1000,
    status: { code: 700, message: '' },
    resource: resource('pay', { zone: 'us' }),
    attributes: attributes({ 'http.status_code': 404, big: 2n ** 53n + 1n }),
  }),
  span({
    traceId: traceId(5),
    startTimeUnixNano: 2000n,
    endTimeUnixNano: 2001n,
    kind: 0,
    resource: resource(''),
    attributes: attributes({ tags: [], note: null }),
  }),
  span({ traceId: traceId(6), startTimeUnixNano: 1000n, endTimeUnixNano: 1001n, kind: 1 }),
];

/** Each predicate with the traces that it finds. */
const QUESTIONS: readonly (readonly [SpanPredicate, readonly number[]])[] = [
  [is('eq', intrinsic('service'), 'pay'), [2, 4]],
  [is('ne', intrinsic('service'), 'pay'), [1, 3, 5, 6]],
  [is('eq', intrinsic('service'), ''), [5]],
  [is('eq', intrinsic('service'), 'nobody'), []],
  [{ op: 'matches', field: intrinsic('service'), pattern: 's.*p|p.y' }, [1, 2, 3, 4, 6]],
  [is('eq', intrinsic('name'), 'send 😀'), [3]],
  [{ op: 'matches', field: intrinsic('name'), pattern: '.* .' }, [3, 4, 5, 6]],
  [is('gt', intrinsic('name'), 'charge'), [3]],
  [is('eq', intrinsic('kind'), 2n), [1]],
  [is('eq', intrinsic('kind'), 1000n), [4]],
  [is('ge', intrinsic('kind'), 3.5), [3, 4]],
  [is('eq', intrinsic('status'), 0n), [1, 5, 6]],
  [is('eq', intrinsic('status'), 2n), [2]],
  [is('gt', intrinsic('status'), 2n), [4]],
  [is('ge', intrinsic('duration'), 500n), [1, 2]],
  [is('lt', intrinsic('duration'), 0n), [3]],
  [is('eq', intrinsic('duration'), 0n), [4]],
  [typed(intrinsic('duration'), '1'), [5, 6]],
  [typed(attribute('http.status_code'), '200'), [1, 2]],
  [is('eq', attribute('http.status_code'), 200n), [1]],
  [is('eq', attribute('http.status_code'), '200'), [2]],
  [is('gt', attribute('http.status_code'), 200n), [4]],
  [is('le', attribute('http.status_code'), 404.5), [1, 4]],
  [is('ne', attribute('http.status_code'), 200n), [2, 4]],
  [{ op: 'not', arg: is('eq', attribute('http.status_code'), 200n) }, [2, 3, 4, 5, 6]],
  [{ op: 'exists', field: attribute('http.status_code') }, [1, 2, 4]],
  [is('gt', attribute('big'), 2 ** 53), [4]],
  [is('eq', attribute('big'), 2 ** 53), []],
  [is('eq', attribute('ok'), true), [1]],
  [typed(attribute('ok'), 'true'), [1]],
  [is('lt', attribute('load'), 1n), [1]],
  [is('eq', attribute('tags'), 'new'), [2]],
  [is('ne', attribute('tags'), 'new'), [5]],
  [{ op: 'exists', field: attribute('note') }, [5]],
  [is('eq', attribute('zone'), 'us'), [3, 4]],
  [is('eq', attribute('zone', 'resource'), 'us'), [4]],
  [is('eq', attribute('zone', 'instrumentation'), 'us'), [3]],
  [is('eq', attribute('zone', 'span'), 'us'), []],
  [is('eq', attribute('exception.type'), 'Declined'), [2]],
  [is('eq', attribute('exception.type', 'event'), 'Declined'), [2]],
  [is('eq', attribute('exception.type', 'span'), 'Declined'), []],
  [is('eq', attribute('cause', 'link'), 'order'), [3]],
  [is('eq', attribute('cause'), 'order'), []],
  [typed(attribute('service.name'), 'pay'), [2, 4]],
  [{ op: 'and', args: [] }, [1, 2, 3, 4, 5, 6]],
  [{ op: 'or', args: [] }, []],
  [
    {
      op: 'and',
      args: [
        is('eq', intrinsic('service'), 'pay'),
        { op: 'not', arg: is('eq', intrinsic('status'), 2n) },
      ],
    },
    [4],
  ],
  [
    { op: 'or', args: [is('eq', intrinsic('name'), 'charge'), is('eq', intrinsic('kind'), 0n)] },
    [2, 5],
  ],
];

/** Registers the tests of searching; part of `testTraceStore`. */
export function testSearch(name: string, withStore: WithStore): void {
  test(`${name}: every field and operator finds the traces that it should, newest first`, () =>
    withStore(async (harness) => {
      await writeSpans(harness.store, CAST.slice(0, 3));
      await writeSpans(harness.store, CAST.slice(3));
      await harness.alwaysAndReopened(async (store) => {
        for (const [where, expected] of QUESTIONS) {
          const found = await findIds(store, queryFor(where));
          assert.deepEqual(found, expected.map(traceId), JSON.stringify(where, bigintText));
        }
      });
    }));

  test(`${name}: a trace is found by one span that meets all, not by two that meet half each`, () =>
    withStore(async (harness) => {
      const rest = { parentSpanId: spanId(1), startTimeUnixNano: 2000n };
      await writeSpans(harness.store, [
        span({ name: 'a' }),
        span({ ...rest, spanId: spanId(2), name: 'b', resource: resource('pay') }),
        span({ traceId: traceId(2), name: 'a', resource: resource('pay') }),
      ]);
      const both: SpanPredicate = {
        op: 'and',
        args: [is('eq', intrinsic('name'), 'a'), is('eq', intrinsic('service'), 'pay')],
      };
      await harness.always(async (store) => {
        assert.deepEqual(await findIds(store, queryFor(both)), [traceId(2)]);
      });
    }));

  test(`${name}: the window takes its first nanosecond and not its last, and looks at matching spans`, () =>
    withStore(async (harness) => {
      const child = span({
        spanId: spanId(2),
        parentSpanId: spanId(1),
        startTimeUnixNano: 9000n,
        name: 'late',
      });
      await writeSpans(harness.store, [span(), child]);
      await writeSpans(harness.store, [span({ traceId: traceId(2), startTimeUnixNano: 1001n })]);
      const found = (startMinUnixNano: bigint, startMaxUnixNano: bigint, where?: SpanPredicate) =>
        findIds(harness.store, queryFor(where, { startMinUnixNano, startMaxUnixNano }));
      const late = is('eq', intrinsic('name'), 'late');
      await harness.always(async () => {
        assert.deepEqual(await found(1000n, 1001n), [traceId(1)]);
        assert.deepEqual(await found(1000n, 1002n), [traceId(2), traceId(1)]);
        assert.deepEqual(await found(1001n, 1002n), [traceId(2)]);
        assert.deepEqual(await found(1002n, 9000n), []);
        assert.deepEqual(await found(9000n, 9001n), [traceId(1)]);
        assert.deepEqual(await found(0n, 9000n, late), []);
        assert.deepEqual(await found(0n, 9001n, late), [traceId(1)]);
        assert.deepEqual(await found(5000n, 1000n), []);
        assert.deepEqual(await found(-(10n ** 30n), 10n ** 30n), [traceId(2), traceId(1)]);
      });
    }));

  test(`${name}: the newest traces are those whose earliest span of all starts last; ties go by trace id`, () =>
    withStore(async (harness) => {
      const at = (id: number, start: bigint, more = {}) =>
        span({ traceId: traceId(id), startTimeUnixNano: start, ...more });
      await writeSpans(harness.store, [at(5, 3000n), at(3, 3000n), at(4, 3000n), at(1, 8000n)]);
      await writeSpans(harness.store, [at(2, 4000n), at(6, 2999n)]);
      await harness.settle();
      // A part that comes late makes trace 1 the oldest.
      await writeSpans(harness.store, [at(1, 10n, { name: 'first', spanId: spanId(7) })]);
      const order = [2, 3, 4, 5, 6, 1].map(traceId);
      await harness.always(async (store) => {
        for (let limit = 1; limit <= 7; limit++) {
          const found = await findIds(store, queryFor(undefined, { limit }));
          assert.deepEqual(found, order.slice(0, limit));
        }
        const recent = queryFor(undefined, { startMinUnixNano: 3000n, limit: 6 });
        assert.deepEqual(await findIds(store, recent), [2, 3, 4, 5, 1].map(traceId));
      });
    }));

  test(`${name}: a summary is of the whole trace, also of what the window and the predicate leave out`, () =>
    withStore(async (harness) => {
      const error = { code: 2, message: '' };
      const child = { parentSpanId: spanId(1), resource: resource('pay') };
      await writeSpans(harness.store, [
        span({
          ...child,
          spanId: spanId(3),
          startTimeUnixNano: 1500n,
          endTimeUnixNano: 9000n,
          status: error,
        }),
        span({ ...child, spanId: spanId(2), startTimeUnixNano: 900n, endTimeUnixNano: 800n }),
      ]);
      await harness.settle();
      await writeSpans(harness.store, [
        span({ startTimeUnixNano: 1000n, endTimeUnixNano: 8000n, name: 'root' }),
        span({ spanId: spanId(9), startTimeUnixNano: 1000n, name: 'second root' }),
        span({
          ...child,
          spanId: spanId(3),
          startTimeUnixNano: 1500n,
          endTimeUnixNano: 9000n,
          status: error,
        }),
      ]);
      const query = queryFor(is('eq', intrinsic('status'), 2n), { startMinUnixNano: 1500n });
      await harness.always(async (store) => {
        assert.deepEqual((await store.findTraces(DEFAULT_TENANT, query)).traces, [
          {
            traceId: traceId(1),
            startTimeUnixNano: 900n,
            endTimeUnixNano: 9000n,
            spanCount: 4,
            errorCount: 1,
            rootServiceName: 'shop',
            rootSpanName: 'root',
            rootSpanId: spanId(1),
            services: [
              { name: 'pay', spanCount: 2, errorCount: 1 },
              { name: 'shop', spanCount: 2, errorCount: 0 },
            ],
          },
        ]);
      });
    }));

  test(`${name}: spans of 1970, 2262 and 2554 are found beside those of today`, () =>
    withStore(async (harness) => {
      const today = 1_763_800_000_123_456_789n;
      const starts = [0n, today, 2n ** 63n - 1n, 2n ** 64n - 1n];
      const spans = starts.map((startTimeUnixNano, i) =>
        span({ traceId: traceId(i + 1), startTimeUnixNano, endTimeUnixNano: 2n ** 64n - 1n }),
      );
      await writeSpans(harness.store, spans);
      await writeSpans(harness.store, [
        span({ traceId: traceId(9), startTimeUnixNano: today + 1n }),
      ]);
      await harness.always(async (store) => {
        assert.deepEqual(await findIds(store, queryFor()), [4, 3, 9, 2, 1].map(traceId));
        for (const [i, start] of starts.entries()) {
          const window = { startMinUnixNano: start, startMaxUnixNano: start + 1n };
          assert.deepEqual(await findIds(store, queryFor(undefined, window)), [traceId(i + 1)]);
        }
      });
    }));

  test(`${name}: a pattern that is not understood is refused`, () =>
    withStore(async ({ store }) => {
      await writeSpans(store, [span()]);
      const query = queryFor({ op: 'matches', field: intrinsic('name'), pattern: '(a' });
      await assert.rejects(
        store.findTraces(DEFAULT_TENANT, query),
        (error) => error instanceof SpoorError && error.code === 'invalid_argument',
      );
    }));
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
