// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, type TraceId } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { resource, span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import {
  TRACE_ORDERS,
  type SpanPredicate,
  type TracePredicate,
  type TracePosition,
  type TraceQuery,
} from '@spoor/core/query/trace-query.ts';
import { findIds, queryFor, type StoreHarness, writeSpans } from './testing/store-harness.ts';
import type { TraceStore } from './tracestore.ts';

type WithStore = (body: (harness: StoreHarness) => Promise<void>) => Promise<void>;

/** A trace of one span each given: start, duration and whether it failed. */
function trace(
  id: number,
  ...spans: readonly (readonly [start: bigint, duration: bigint, failed?: boolean])[]
): Span[] {
  return spans.map(([start, duration, failed = false], i) =>
    span({
      traceId: traceId(id),
      spanId: spanId(i + 1),
      parentSpanId: i === 0 ? '' : spanId(1),
      startTimeUnixNano: start,
      endTimeUnixNano: start + duration,
      resource: resource(i === 0 ? 'web' : 'shop'),
      name: i === 0 ? `root ${id}` : 'step',
      status: failed ? { code: 2, message: '' } : undefined,
    }),
  );
}

/** Traces whose parts come apart, so that no part of them shows their place. */
const TRACES = [
  // Longest by far, but each of its spans is short.
  trace(1, [1000n, 10n], [90_000n, 10n]),
  // The longest span of all.
  trace(2, [2000n, 50_000n]),
  // Three errors in three places.
  trace(3, [3000n, 1n, true], [3000n, 1n, true], [3001n, 7n, true], [3002n, 1n]),
  // Most spans, and its earliest is the latest of all.
  trace(4, ...Array.from({ length: 6 }, (_, i) => [4000n + BigInt(i), 5n] as const)),
  trace(5, [2000n, 50_000n]),
  // Ends before it starts.
  trace(6, [3500n, -100n, true]),
];

const BEST_FIRST: Readonly<Record<(typeof TRACE_ORDERS)[number], readonly number[]>> = {
  newest: [4, 6, 3, 2, 5, 1],
  oldest: [1, 2, 5, 3, 6, 4],
  longest: [1, 2, 5, 4, 3, 6],
  shortest: [6, 3, 4, 2, 5, 1],
  most_spans: [4, 3, 1, 2, 5, 6],
  most_errors: [3, 6, 1, 2, 4, 5],
};

const EVERY: SpanPredicate = { op: 'and', args: [] };
const FAILED: SpanPredicate = {
  op: 'eq',
  field: { kind: 'intrinsic', name: 'status' },
  value: { type: 'int', value: 2n },
};
const STEP: SpanPredicate = {
  op: 'eq',
  field: { kind: 'intrinsic', name: 'name' },
  value: { type: 'string', value: 'step' },
};

const int = (value: bigint) => ({ type: 'int' as const, value });

/** Predicates on traces, with those of `TRACES` that meet them, newest first. */
const HAVING: readonly (readonly [TracePredicate, readonly number[]])[] = [
  [{ op: 'gt', field: { kind: 'trace', name: 'duration' }, value: int(50_000n) }, [1]],
  [{ op: 'ge', field: { kind: 'trace', name: 'duration' }, value: int(50_000n) }, [2, 5, 1]],
  [{ op: 'lt', field: { kind: 'trace', name: 'duration' }, value: int(0n) }, [6]],
  [{ op: 'eq', field: { kind: 'trace', name: 'span_count' }, value: int(4n) }, [3]],
  [{ op: 'ge', field: { kind: 'trace', name: 'error_count' }, value: int(1n) }, [6, 3]],
  [
    {
      op: 'eq',
      field: { kind: 'trace', name: 'root_name' },
      value: { type: 'string', value: 'root 3' },
    },
    [3],
  ],
  [
    { op: 'matches', field: { kind: 'trace', name: 'root_service' }, pattern: 'w.b' },
    [4, 6, 3, 2, 5, 1],
  ],
  [{ op: 'some', where: STEP }, [4, 3, 1]],
  [{ op: 'not', arg: { op: 'some', where: STEP } }, [6, 2, 5]],
  [{ op: 'gt', field: { kind: 'count', where: STEP }, value: int(2n) }, [4, 3]],
  [{ op: 'eq', field: { kind: 'count', where: FAILED }, value: int(3n) }, [3]],
  [
    {
      op: 'eq',
      field: { kind: 'duration', aggregate: 'avg', where: EVERY },
      value: { type: 'double', value: 2.5 },
    },
    [3],
  ],
  [
    {
      op: 'lt',
      field: { kind: 'duration', aggregate: 'min', where: FAILED },
      value: int(0n),
    },
    [6],
  ],
  [{ op: 'eq', field: { kind: 'duration', aggregate: 'sum', where: STEP }, value: int(25n) }, [4]],
  [
    {
      op: 'and',
      args: [
        { op: 'some', where: FAILED },
        { op: 'some', where: STEP },
        { op: 'gt', field: { kind: 'duration', aggregate: 'max', where: STEP }, value: int(6n) },
      ],
    },
    [3],
  ],
  [{ op: 'or', args: [] }, []],
];

/** Registers the tests of orders, of predicates on traces, and of pages; part of `testTraceStore`. */
export function testRanking(name: string, withStore: WithStore): void {
  /** Writes each trace's spans in two batches, of which one may have settled. */
  async function writeApart(harness: StoreHarness, settle: boolean): Promise<void> {
    const spans = TRACES.flat();
    await writeSpans(
      harness.store,
      spans.filter((_, i) => i % 2 === 0),
    );
    if (settle) await harness.settle();
    await writeSpans(
      harness.store,
      spans.filter((_, i) => i % 2 === 1 || i % 3 === 0),
    );
  }

  test(`${name}: traces come in every order by all of their spans, whole and page by page`, () =>
    withStore(async (harness) => {
      await writeApart(harness, true);
      await harness.alwaysAndReopened(async (store) => {
        for (const order of TRACE_ORDERS) {
          const expected = BEST_FIRST[order].map(traceId);
          for (const limit of [1, 2, 3, 5, 6, 100]) {
            const query = queryFor(undefined, { order, limit });
            const pages = await Array.fromAsync(pagesOf(store, query));
            assert.deepEqual(pages.flat(), expected, `${order} ${limit}`);
            assert.equal(pages.length, Math.ceil(expected.length / limit), `${order} ${limit}`);
          }
        }
      });
    }));

  test(`${name}: what whole traces must have is tested on all of their spans`, () =>
    withStore(async (harness) => {
      await writeApart(harness, true);
      await harness.always(async (store) => {
        for (const [having, expected] of HAVING) {
          const found = await findIds(store, queryFor(undefined, { having }));
          assert.deepEqual(found, expected.map(traceId), JSON.stringify(having, bigintText));
        }
        // The window is about the span that `where` finds, not about the others.
        const query = queryFor(FAILED, {
          having: { op: 'eq', field: { kind: 'count', where: EVERY }, value: int(4n) },
          startMinUnixNano: 3001n,
          startMaxUnixNano: 3002n,
        });
        assert.deepEqual(await findIds(store, query), [traceId(3)]);
      });
    }));

  test(`${name}: while traces come and change, those that keep their key are on exactly one page`, () =>
    withStore(async (harness) => {
      for (const order of TRACE_ORDERS) {
        const base = TRACE_ORDERS.indexOf(order) * 1000;
        const kept = Array.from({ length: 12 }, (_, i) =>
          trace(base + i * 10 + 1, [BigInt(i * 100), BigInt(i % 4), i % 3 === 0]),
        );
        const moving = Array.from({ length: 6 }, (_, i) =>
          trace(base + i * 20 + 5, [BigInt(i * 200 + 7), BigInt(i % 3), i % 2 === 0]),
        );
        await writeSpans(harness.store, [...kept, ...moving].flat());
        const seen: TraceId[] = [];
        let round = 0;
        const own = { op: 'some' as const, where: EVERY };
        for await (const ids of pagesOf(
          () => harness.store,
          queryFor(undefined, { order, limit: 4, having: own }),
        )) {
          seen.push(...ids);
          const change = moving[round % moving.length]!;
          const start = change[0]!.startTimeUnixNano;
          await writeSpans(harness.store, [
            ...trace(base + 700 + round, [BigInt(round * 300), BigInt(round % 5)]),
            { ...change[0]!, spanId: spanId(50 + round), startTimeUnixNano: start / 2n },
          ]);
          if (round === 1) await harness.settle();
          if (round === 2 && order === 'longest') await harness.reopen();
          round++;
        }
        for (const [one] of kept) {
          const times = seen.filter((id) => id === one!.traceId).length;
          assert.equal(times, 1, `${order}: ${one!.traceId} was on ${times} pages`);
        }
      }
    }));

  test(`${name}: a pattern for traces that is not understood is refused`, () =>
    withStore(async ({ store }) => {
      const having: TracePredicate = {
        op: 'matches',
        field: { kind: 'trace', name: 'root_name' },
        pattern: '(a',
      };
      await assert.rejects(
        store.findTraces(DEFAULT_TENANT, queryFor(undefined, { having })),
        (error) => error instanceof SpoorError && error.code === 'invalid_argument',
      );
    }));
}

/** Ids of the traces of each page. */
async function* pagesOf(
  store: TraceStore | (() => TraceStore),
  query: TraceQuery,
): AsyncGenerator<TraceId[], void> {
  let after: TracePosition | undefined;
  do {
    const now = typeof store === 'function' ? store() : store;
    const asked = after === undefined ? query : { ...query, after };
    const { traces, next } = await now.findTraces(DEFAULT_TENANT, asked);
    yield traces.map((found) => found.traceId);
    after = next;
  } while (after !== undefined);
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
