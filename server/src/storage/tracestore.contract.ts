// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import {
  attributes,
  event,
  resource,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { OtlpProtoEncoder } from '@spoor/core/wire/otlp/encode.ts';
import {
  findIds,
  queryFor,
  readSpans,
  readTraces,
  StoreHarness,
  type StoreUnderTest,
  writeSpans,
} from './testing/store-harness.ts';
import { oddSpans } from './testing/odd-spans.ts';
import { bySpan } from './testing/trace-oracle.ts';
import type { SpanMetricsQuery } from './tracestore.ts';
import { testAttributes } from './tracestore-attributes.contract.ts';
import { testHistories } from './tracestore-history.contract.ts';
import { testRanking } from './tracestore-ranking.contract.ts';
import { testSearch } from './tracestore-search.contract.ts';
import { testTenants } from './tracestore-tenants.contract.ts';

const ALL_MINUTES = { fromMinute: 0, toMinute: 2 ** 32 };

function metricsOf(...services: string[]): SpanMetricsQuery {
  return { ...ALL_MINUTES, services, kinds: [0, 1, 2, 3, 4, 5], byOperation: false };
}

/** What backends may differ in; the least capable by default. */
export interface StoreCapabilities {
  /** The store remembers requests over a restart. */
  readonly keepsRequests?: boolean;
  /** Random histories to try, 50 by default; fewer where settling and reopening cost much. */
  readonly histories?: number;
}

/**
 * Registers the tests that every store passes. Where a store can settle and reopen, each question is asked before and after, and
 * must be answered alike.
 * @param name of the store, before the sentence of each test
 */
export function testTraceStore(
  name: string,
  create: () => Promise<StoreUnderTest>,
  capabilities: StoreCapabilities = {},
): void {
  const withStore = (body: (harness: StoreHarness) => Promise<void>): Promise<void> =>
    StoreHarness.use(create, body);

  test(`${name}: an empty store answers every question with nothing`, () =>
    withStore((harness) =>
      harness.always(async (store) => {
        assert.deepEqual(await readTraces(store, [traceId(1)]), []);
        assert.deepEqual(await store.findTraces(DEFAULT_TENANT, queryFor()), {
          traces: [],
          next: undefined,
        });
        assert.deepEqual(await store.getServices(DEFAULT_TENANT), []);
        assert.deepEqual([...(await store.getOperations(DEFAULT_TENANT, 'shop'))], []);
        assert.deepEqual([...(await store.getDependencies(DEFAULT_TENANT, ALL_MINUTES))], []);
        assert.deepEqual([...(await store.getSpanMetrics(DEFAULT_TENANT, metricsOf('shop')))], []);
        assert.equal(store.unhealthy, undefined);
        await writeSpans(store, []);
      }),
    ));

  test(`${name}: a trace is put together from all batches that brought a part of it, by start and span id`, () =>
    withStore(async (harness) => {
      const [a, b, c, d] = [
        span({ spanId: spanId(9), startTimeUnixNano: 1000n }),
        span({ spanId: spanId(2), parentSpanId: spanId(9), startTimeUnixNano: 2000n }),
        span({ spanId: spanId(3), parentSpanId: spanId(9), startTimeUnixNano: 2000n }),
        span({ spanId: spanId(1), parentSpanId: spanId(2), startTimeUnixNano: 3000n }),
      ] as const;
      const other = span({ traceId: traceId(2) });
      await writeSpans(harness.store, [d, other]);
      await writeSpans(harness.store, [c]);
      await writeSpans(harness.store, [b, a]);
      await harness.always(async (store) => {
        assert.deepEqual(await readTraces(store, [traceId(1)]), [[a, b, c, d]]);
      });
      const late = span({ spanId: spanId(7), startTimeUnixNano: 2500n });
      await writeSpans(harness.store, [late]);
      await harness.always(async (store) => {
        assert.deepEqual(await readTraces(store, [traceId(1)]), [[a, b, c, late, d]]);
      });
    }));

  test(`${name}: traces are found whole as they are found and then read`, () =>
    withStore(async (harness) => {
      const spans = Array.from({ length: 40 }, (_, i) => span({ traceId: traceId(i + 1) }));
      await writeSpans(harness.store, spans);
      await harness.always(async (store) => {
        for (const query of [queryFor(), queryFor(undefined, { limit: 35 })]) {
          const page = await store.findTraces(DEFAULT_TENANT, query);
          const { batches, next } = await store.findWholeTraces(DEFAULT_TENANT, query);
          const read = (await Array.fromAsync(batches)).map(readSpans);
          const ids = page.traces.map((summary) => summary.traceId);
          assert.deepEqual(read, await readTraces(store, ids));
          assert.equal(read.length, page.traces.length);
          assert.deepEqual(next, page.next);
        }
        const none = queryFor({ op: 'or', args: [] });
        const { batches, next } = await store.findWholeTraces(DEFAULT_TENANT, none);
        assert.deepEqual([await Array.fromAsync(batches), next], [[], undefined]);
      });
    }));

  test(`${name}: copies of a span are read and counted once`, () =>
    withStore(async (harness) => {
      const one = span({ status: { code: 2, message: 'no' }, attributes: attributes({ a: 1n }) });
      await writeSpans(harness.store, [one, one]);
      await writeSpans(harness.store, [span({ traceId: traceId(2) }), one]);
      await harness.settle();
      await writeSpans(harness.store, [one]);
      await harness.alwaysAndReopened(async (store) => {
        assert.deepEqual(await readTraces(store, [traceId(1)]), [[one]]);
        const {
          traces: [, summary],
        } = await store.findTraces(DEFAULT_TENANT, queryFor());
        const {
          traces: [alone],
        } = await store.findTraces(DEFAULT_TENANT, queryFor(undefined, { limit: 1 }));
        assert.equal(alone?.traceId, traceId(1));
        assert.equal(alone.spanCount, 1);
        assert.equal(alone.errorCount, 1);
        assert.equal(summary?.spanCount, 1);
      });
    }));

  test(`${name}: spans with the same ids but other content are all kept`, () =>
    withStore(async (harness) => {
      const client = span({ kind: 3, resource: resource('web'), endTimeUnixNano: 9000n });
      const server = span({ kind: 2, resource: resource('shop'), startTimeUnixNano: 2000n });
      const odd = span({
        kind: 2,
        resource: resource('shop', { host: 'b' }),
        startTimeUnixNano: 2000n,
      });
      await writeSpans(harness.store, [server, client]);
      await writeSpans(harness.store, [odd, client]);
      let first: Uint8Array[] | undefined;
      await harness.always(async (store) => {
        const [spans] = await readTraces(store, [traceId(1)]);
        assert.deepEqual(spans!.toSorted(bySpan), [client, server, odd].toSorted(bySpan));
        const batches = await Array.fromAsync(store.getTraces(DEFAULT_TENANT, [traceId(1)]));
        const bytes = batches.map((batch) => new OtlpProtoEncoder(batch).encode());
        assert.deepEqual(bytes, (first ??= bytes), 'their order changed');
        const {
          traces: [summary],
        } = await store.findTraces(DEFAULT_TENANT, queryFor());
        assert.equal(summary?.spanCount, 3);
      });
    }));

  test(`${name}: traces come in the order asked for, unknown ids are left out`, () =>
    withStore(async (harness) => {
      const spans = [1, 2, 3].map((id) => span({ traceId: traceId(id) }));
      await writeSpans(harness.store, spans);
      const ids = [traceId(3), traceId(99), traceId(1), traceId('f'.repeat(32))];
      await harness.always(async (store) => {
        assert.deepEqual(await readTraces(store, ids), [[spans[2]], [spans[0]]]);
        assert.deepEqual(await readTraces(store, []), []);
      });
    }));

  test(`${name}: every bit of a span is kept`, () =>
    withStore(async (harness) => {
      const spans = oddSpans();
      const expected = new OtlpProtoEncoder(batchOf(spans.toSorted(bySpan))).encode();
      await writeSpans(harness.store, spans.slice(2));
      await writeSpans(harness.store, spans.slice(0, 2));
      await harness.alwaysAndReopened(async (store) => {
        const [batch] = await Array.fromAsync(store.getTraces(DEFAULT_TENANT, [traceId(1)]));
        assert.deepEqual(new OtlpProtoEncoder(batch!).encode(), expected);
      });
    }));

  test(`${name}: services and operations are listed once, by code point`, () =>
    withStore(async (harness) => {
      await writeSpans(harness.store, [
        span({ name: 'b', kind: 3 }),
        span({ name: 'b', kind: 2 }),
        span({ name: 'a', kind: 300, spanId: spanId(2) }),
        span({ name: 'x', resource: resource('') }),
        span({
          name: 'y',
          resource: { ...resource('é'), attributes: attributes({ a: 1n, 'service.name': 'é' }) },
        }),
      ]);
      await writeSpans(harness.store, [
        span({ name: '\u{1f600}' }),
        span({ name: '\uff5e', spanId: spanId(3) }),
        span({ name: 'b', kind: 2, spanId: spanId(4) }),
        span({ name: 'cart', resource: resource('cart') }),
      ]);
      await harness.always(async (store) => {
        assert.deepEqual(await store.getServices(DEFAULT_TENANT), ['', 'cart', 'shop', 'é']);
        assert.deepEqual(
          [...(await store.getOperations(DEFAULT_TENANT, 'shop'))],
          [
            { name: 'a', kind: 300 },
            { name: 'b', kind: 2 },
            { name: 'b', kind: 3 },
            { name: '\uff5e', kind: 2 },
            { name: '\u{1f600}', kind: 2 },
          ],
        );
        assert.deepEqual([...(await store.getOperations(DEFAULT_TENANT, 'sho'))], []);
      });
    }));

  test(`${name}: a list of operations is that of its question, whatever is written while it is read`, () =>
    withStore(async (harness) => {
      const names = Array.from({ length: 500 }, (_, i) => `operation ${i}`);
      // Each batch has some of them, and half of those that the next one has.
      for (let i = 0; i < names.length; i += 50) {
        await writeSpans(
          harness.store,
          names.slice(i, i + 100).map((one, k) => span({ name: one, spanId: spanId(i + k + 1) })),
        );
      }
      await harness.always(async (store) => {
        const operations = await store.getOperations(DEFAULT_TENANT, 'shop');
        const late = `written when there were ${names.length}`;
        await writeSpans(store, [span({ name: late })]);
        assert.deepEqual(
          Array.from(operations, (one) => one.name),
          names.toSorted(),
        );
        names.push(late);
      });
    }));

  test(`${name}: rates and calls of more than fits into one answer are refused, and all else is answered`, () =>
    withStore(async (harness) => {
      const names = Array.from({ length: 17 }, (_, i) => `${i} `.padEnd(2 ** 20, 'name '));
      for (const [i, one] of names.entries()) {
        const peer = attributes({ 'peer.service': one });
        const call = span({ name: one, traceId: traceId(i + 1), kind: 3, attributes: peer });
        await writeSpans(harness.store, [call]);
      }
      await harness.always(async (store) => {
        const query = metricsOf('shop', 'bank');
        const [rates, shop, calls, none] = await Promise.allSettled([
          store.getSpanMetrics(DEFAULT_TENANT, { ...query, byOperation: true }),
          store.getSpanMetrics(DEFAULT_TENANT, query),
          store.getDependencies(DEFAULT_TENANT, ALL_MINUTES),
          store.getDependencies(DEFAULT_TENANT, { ...ALL_MINUTES, noInferred: true }),
        ]);
        assertRefused(
          rates,
          /^metrics: more than \d+ characters in .*; ask without 'groupByOperation', or for one service, or with a shorter 'lookback'$/,
        );
        assertRefused(
          calls,
          /^dependencies: more than \d+ characters in .*; ask without 'inferred', or with a shorter 'lookback'$/,
        );
        assert.ok(shop.status === 'fulfilled' && none.status === 'fulfilled');
        const [metrics] = shop.value;
        assert.deepEqual([metrics?.service, ...metrics!.minutes.calls], ['shop', names.length]);
        assert.deepEqual([...none.value], []);
      });
    }));

  test(`${name}: a tenant sees nothing of another, not even of the same trace`, () =>
    withStore(async (harness) => {
      const [one, two] = [parseTenant('one'), parseTenant('two')];
      const mine = span({ name: 'mine' });
      const theirs = span({ name: 'theirs', resource: resource('cart'), startTimeUnixNano: 1n });
      await writeSpans(harness.store, [mine], one);
      await writeSpans(harness.store, [theirs], two);
      await harness.alwaysAndReopened(async (store) => {
        for (const [tenant, own, service] of [
          [one, mine, 'shop'],
          [two, theirs, 'cart'],
        ] as const) {
          assert.deepEqual(await readTraces(store, [traceId(1)], tenant), [[own]]);
          const [summary, ...rest] = (await store.findTraces(tenant, queryFor())).traces;
          assert.equal(summary?.startTimeUnixNano, own.startTimeUnixNano);
          assert.equal(summary.spanCount, 1);
          assert.equal(rest.length, 0);
          assert.deepEqual(await store.getServices(tenant), [service]);
          const operation = { name: own.name, kind: own.kind };
          assert.deepEqual([...(await store.getOperations(tenant, service))], [operation]);
          assert.deepEqual([...(await store.getDependencies(tenant, ALL_MINUTES))], []);
          const [metrics, ...others] = await store.getSpanMetrics(
            tenant,
            metricsOf('shop', 'cart'),
          );
          assert.equal(metrics?.service, service);
          assert.equal(metrics.minutes.calls[0], 1);
          assert.deepEqual(others, []);
        }
        assert.deepEqual([...(await store.getOperations(two, 'shop'))], []);
        assert.deepEqual(await readTraces(store, [traceId(1)]), []);
        assert.deepEqual(await findIds(store, queryFor()), []);
        assert.deepEqual(await store.getServices(DEFAULT_TENANT), []);
      });
    }));

  test(`${name}: a read whose signal fires is rejected as cancelled`, () =>
    withStore(async (harness) => {
      const spans = Array.from({ length: 500 }, (_, i) => span({ traceId: traceId(i + 1) }));
      await writeSpans(harness.store, spans);
      const { store } = harness;
      const before = AbortSignal.abort();
      await assertCancelled(
        Array.fromAsync(store.getTraces(DEFAULT_TENANT, [traceId(1)], { signal: before })),
      );
      await assertCancelled(store.findTraces(DEFAULT_TENANT, queryFor(), { signal: before }));
      await assertCancelled(store.getServices(DEFAULT_TENANT, { signal: before }));
      await assertCancelled(store.getOperations(DEFAULT_TENANT, 'shop', { signal: before }));
      await assertCancelled(store.getDependencies(DEFAULT_TENANT, ALL_MINUTES, { signal: before }));
      const metrics = metricsOf('shop');
      await assertCancelled(store.getSpanMetrics(DEFAULT_TENANT, metrics, { signal: before }));
      const controller = new AbortController();
      const search = store.findTraces(DEFAULT_TENANT, queryFor(), controller);
      controller.abort();
      await assertCancelled(search);
      assert.equal((await findIds(store, queryFor())).length, 100);
    }));

  test(`${name}: writes that overlap are all found by what begins afterwards`, () =>
    withStore(async (harness) => {
      const lists = Array.from({ length: 40 }, (_, i) => [
        span({ spanId: spanId(i + 1), startTimeUnixNano: BigInt(i) }),
        span({ traceId: traceId(i + 2), startTimeUnixNano: BigInt(i) }),
      ]);
      await Promise.all(
        lists.map(async (spans, i) => {
          await writeSpans(harness.store, spans);
          assert.deepEqual(await readTraces(harness.store, [traceId(i + 2)]), [[spans[1]]]);
        }),
      );
      await harness.always(async (store) => {
        const [trace] = await readTraces(store, [traceId(1)]);
        assert.deepEqual(
          trace,
          lists.map(([first]) => first),
        );
        assert.equal((await findIds(store, queryFor())).length, 41);
      });
    }));

  test(`${name}: a trace of 20,000 spans is kept whole`, () =>
    withStore(async (harness) => {
      const spans = Array.from({ length: 20_000 }, (_, i) =>
        span({
          spanId: spanId(i + 1),
          parentSpanId: i === 0 ? '' : spanId((i >> 2) + 1),
          name: `step ${i % 50}`,
          startTimeUnixNano: 1_700_000_000_000_000_000n + BigInt(i) * 1000n,
          endTimeUnixNano: 1_700_000_001_000_000_000n + BigInt(i),
          attributes: attributes({ 'http.method': 'GET', row: BigInt(i) }),
          events: i % 10 === 0 ? [event('hit', { n: BigInt(i) }, 5n)] : [],
        }),
      );
      const expected = new OtlpProtoEncoder(batchOf(spans)).encode();
      // Spans arrive when they end, so children come before their parents.
      for (let end = spans.length; end > 0; end -= 4000) {
        await writeSpans(harness.store, spans.slice(end - 4000, end).reverse());
      }
      await harness.always(async (store) => {
        const [batch] = await Array.fromAsync(store.getTraces(DEFAULT_TENANT, [traceId(1)]));
        assert.equal(batch!.rows, spans.length);
        assert.ok(Buffer.from(new OtlpProtoEncoder(batch!).encode()).equals(expected));
        const {
          traces: [summary],
        } = await store.findTraces(DEFAULT_TENANT, queryFor());
        assert.equal(summary?.spanCount, spans.length);
        assert.equal(summary.rootSpanId, spanId(1));
      });
    }));

  test(`${name}: shutdown may come before start, and twice`, async () => {
    const made = await create();
    const { store } = made;
    try {
      await store.shutdown();
      await store.shutdown();
      assert.equal(typeof store.unhealthy, 'string');
      await assert.rejects(
        writeSpans(store, [span()]),
        (error) => error instanceof SpoorError && error.code === 'unavailable',
      );
    } finally {
      await made.close();
    }
  });

  test(`${name}: figures have a help text and a number each`, () =>
    withStore(async ({ store }) => {
      await writeSpans(store, [span()]);
      const figures = store.figures();
      assert.ok(figures.size > 0);
      for (const [metric, { kind, help, value }] of figures) {
        assert.match(metric, /^[a-z][a-z0-9_]*$/);
        assert.equal(metric.endsWith('_total'), kind === 'counter', metric);
        assert.notEqual(help, '');
        assert.ok(Number.isFinite(value), metric);
      }
    }));

  test(`${name}: requests that were written are ${capabilities.keepsRequests === true ? 'known' : 'not known'} after a restart`, () =>
    withStore(async (harness) => {
      const tenant = parseTenant('acme');
      const request = {
        digest: Uint8Array.from({ length: 16 }, (_, i) => i * 3),
        accepted: 1,
        rejected: 2,
        message: 'two were too long',
      };
      const before = Date.now();
      await harness.store.write(tenant, batchOf([span()]), [request]);
      const after = Date.now();
      await harness.reopen();
      const found = harness.store.recentRequests();
      if (capabilities.keepsRequests !== true) {
        assert.deepEqual(found, []);
        return;
      }
      assert.equal(found.length, 1);
      const { writtenUnixMs, digest, ...rest } = found[0]!;
      const { digest: sent, ...expected } = request;
      assert.deepEqual(rest, { ...expected, tenant });
      assert.deepEqual(Uint8Array.from(digest), sent);
      assert.ok(writtenUnixMs >= before && writtenUnixMs <= after);
    }));

  testSearch(name, withStore);
  testRanking(name, withStore);
  testAttributes(name, withStore);
  testHistories(name, withStore, capabilities.histories ?? 50);
  testTenants(name, withStore, capabilities.histories ?? 50);
}

function assertRefused(result: PromiseSettledResult<unknown>, message: RegExp): void {
  assert.ok(result.status === 'rejected' && result.reason instanceof SpoorError);
  assert.equal(result.reason.code, 'invalid_argument');
  assert.match(result.reason.message, message);
}

async function assertCancelled(read: Promise<unknown>): Promise<void> {
  await assert.rejects(read, (error) => error instanceof SpoorError && error.code === 'cancelled');
}
