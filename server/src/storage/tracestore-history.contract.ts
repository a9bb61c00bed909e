// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  arbitraryCallSpan,
  CALL_MINUTE,
} from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitraryPredicate } from '@spoor/core/query/testing/arbitrary-predicate.ts';
import { arbitraryQuery } from '@spoor/core/query/testing/arbitrary-query.ts';
import { arbitrarySpan, SERVICES } from '@spoor/core/query/testing/arbitrary-span.ts';
import { traceId } from '@spoor/core/query/testing/example-span.ts';
import { OtlpProtoEncoder } from '@spoor/core/wire/otlp/encode.ts';
import type { SpanPredicate, TracePage, TraceQuery } from '@spoor/core/query/trace-query.ts';
import { readSpans, type StoreHarness, writeSpans } from './testing/store-harness.ts';
import { bySpan, spanText, TraceOracle } from './testing/trace-oracle.ts';
import type { AttributeName, TraceStore } from './tracestore.ts';

/** Something that happens to a store. */
type Step =
  | { readonly do: 'write'; readonly spans: readonly Span[] }
  /** Spans written before, by number, come again in this order. */
  | { readonly do: 'resend'; readonly picks: readonly number[] }
  | { readonly do: 'settle' | 'reopen' | 'merge' | 'expire' }
  | { readonly do: 'delete'; readonly where: SpanPredicate };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      spans: fc.array(fc.oneof(arbitrarySpan, arbitraryCallSpan), { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('resend' as const),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'settle' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'reopen' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'merge' }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('delete' as const), where: arbitraryPredicate }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'expire' }) },
);

const EVERY_SPAN: SpanPredicate = { op: 'and', args: [] };

/**
 * Registers the test that matters most; part of `testTraceStore`: whatever is written, sent again, mixed, settled, merged, deleted,
 * left to expire and reopened, the answers are those of a brute-force oracle.
 */
export function testHistories(
  name: string,
  withStore: (body: (harness: StoreHarness) => Promise<void>) => Promise<void>,
  runs: number,
): void {
  test(`${name}: answers to any questions after any history are those of the oracle`, () =>
    withStore(async (harness) => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 8 }),
          fc.array(arbitraryQuery, { minLength: 1, maxLength: 10 }),
          async (steps, queries) => {
            // Tenants see nothing of each other, so one store serves all runs.
            const tenant = parseTenant(`run-${run++}`);
            const oracle = new TraceOracle();
            const written: Span[] = [];
            const write = async (spans: readonly Span[]): Promise<void> => {
              await writeSpans(harness.store, spans, tenant);
              oracle.write(tenant, spans);
              written.push(...spans);
            };
            for (const one of steps) {
              switch (one.do) {
                case 'write':
                  await write(one.spans);
                  break;
                case 'resend':
                  if (written.length > 0) {
                    await write(one.picks.map((n) => written[n % written.length]!));
                  }
                  break;
                case 'settle':
                  await harness.settle();
                  break;
                case 'reopen':
                  await harness.reopen();
                  break;
                case 'merge':
                  await harness.merge();
                  break;
                case 'delete':
                  if (await harness.delete(tenant, one.where)) oracle.delete(tenant, one.where);
                  break;
                case 'expire':
                  if (await harness.expire()) oracle.delete(tenant, EVERY_SPAN);
              }
            }
            const traces = await compareAll(harness.store, oracle, tenant, queries);
            await harness.settle();
            const settled = await compareAll(harness.store, oracle, tenant, queries);
            assert.deepEqual(settled, traces, 'settling changed a trace');
            await harness.merge();
            const merged = await compareAll(harness.store, oracle, tenant, queries);
            assert.deepEqual(merged, traces, 'merging changed a trace');
          },
        ),
        { numRuns: runs },
      );
    }));
}

/** @returns the encoded traces: spans with the same ids and start must also keep their order */
async function compareAll(
  store: TraceStore,
  oracle: TraceOracle,
  tenant: Tenant,
  queries: readonly TraceQuery[],
): Promise<string[]> {
  for (const one of queries) {
    let page: TracePage | undefined;
    for (let after = one.after; page === undefined || page.next !== undefined; after = page.next) {
      const asked = { ...one, ...(after === undefined ? {} : { after }) };
      page = await store.findTraces(tenant, asked);
      assert.deepEqual(page, oracle.findTraces(tenant, asked), fc.stringify(asked));
    }
  }
  assert.deepEqual(await store.getServices(tenant), oracle.getServices(tenant));
  for (const service of SERVICES) {
    const operations = await store.getOperations(tenant, service);
    assert.deepEqual(operations, oracle.getOperations(tenant, service));
  }
  for (const range of [
    { fromMinute: 0, toMinute: 2 ** 32 },
    { fromMinute: CALL_MINUTE, toMinute: CALL_MINUTE + 1 },
  ]) {
    const dependencies = await store.getDependencies(tenant, range);
    assert.deepEqual(dependencies, oracle.getDependencies(tenant, range));
    for (const byOperation of [false, true]) {
      const services = ['shop', '', '商店', 'bank'];
      const metricsQuery = { ...range, services, kinds: [0, 2, 3], byOperation };
      const metrics = await store.getSpanMetrics(tenant, metricsQuery);
      assert.deepEqual(metrics, oracle.getSpanMetrics(tenant, metricsQuery));
    }
  }
  await compareAttributes(store, oracle, tenant);
  const ids = [4, 9, 1, 3, 2].map(traceId);
  const batches = await Array.fromAsync(store.getTraces(tenant, ids));
  const traces = batches.map(readSpans);
  for (const spans of traces) {
    const keys = spans.map(({ startTimeUnixNano, spanId }) => ({ startTimeUnixNano, spanId }));
    const sorted = spans.toSorted(bySpan);
    assert.deepEqual(
      keys,
      sorted.map(({ startTimeUnixNano, spanId }) => ({ startTimeUnixNano, spanId })),
    );
  }
  assert.deepEqual(
    traces.map((spans) => spans.toSorted(bySpan).map(spanText)),
    ids.map((id) => oracle.getTrace(tenant, id).map(spanText)).filter((spans) => spans.length > 0),
  );
  return batches.map((batch) => new OtlpProtoEncoder(batch).encode().toHex());
}

async function compareAttributes(
  store: TraceStore,
  oracle: TraceOracle,
  tenant: Tenant,
): Promise<void> {
  const always = { startMinUnixNano: 0n, startMaxUnixNano: 2n ** 64n };
  for (const [prefix, limit] of [
    ['', 1000],
    ['', 3],
    ['c', 10],
  ] as const) {
    const query = { ...always, prefix, limit };
    const names = await store.getAttributeNames(tenant, query);
    assert.deepEqual(names.entries, oracle.getAttributeNames(tenant, query));
    const all = oracle.getAttributeNames(tenant, { ...query, limit: Infinity });
    assert.equal(names.isComplete, all.length <= limit);
    for (const scope of ['span', 'resource'] as const) {
      for (const name of ['code', 'service.name', 'db.system', '']) {
        const values = await store.getAttributeValues(tenant, { ...query, scope, name });
        const expected = oracle.getAttributeValues(tenant, { ...query, scope, name });
        assert.deepEqual(values.entries, expected);
      }
    }
  }
  // A window is rounded outwards: nothing of it is missing, and what else is counted lies in what the answer says.
  const query = { startMinUnixNano: 999n, startMaxUnixNano: 1001n, prefix: '', limit: 1000 };
  const names = await store.getAttributeNames(tenant, query);
  const { startMinUnixNano, startMaxUnixNano } = names;
  const wide = {
    startMinUnixNano: startMinUnixNano - 1024n,
    startMaxUnixNano: startMaxUnixNano + 1024n,
  };
  const least = oracle.getAttributeNames(tenant, query);
  const most = oracle.getAttributeNames(tenant, { ...query, ...wide });
  const countIn = (list: readonly AttributeName[], { scope, name }: AttributeName): number =>
    list.find((one) => one.scope === scope && one.name === name)?.count ?? 0;
  for (const entry of least) assert.ok(countIn(names.entries, entry) >= entry.count);
  for (const entry of names.entries) assert.ok(countIn(most, entry) >= entry.count);
}
