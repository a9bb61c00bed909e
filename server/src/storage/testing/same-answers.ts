// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CALL_MINUTE } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { formatTraceId, type Tenant, type TraceId } from '@spoor/core/model/ids.ts';
import { SERVICES } from '@spoor/core/query/testing/arbitrary-span.ts';
import { traceId } from '@spoor/core/query/testing/example-span.ts';
import type { TraceQuery } from '@spoor/core/query/trace-query.ts';
import { OtlpProtoEncoder } from '@spoor/core/wire/otlp/encode.ts';
import type { AttributeName, TraceStore } from '#storage/tracestore.ts';
import { FIRST_CROWD_TRACE } from './crowd-spans.ts';
import { readSpans } from './store-harness.ts';
import { bySpan, spanText, type TraceOracle } from './trace-oracle.ts';

/** Of very many traces the first pages are looked at. */
const MAX_PAGES = 12;

/** Compares the pages that queries find with those that an oracle finds. */
export async function assertFound(
  store: TraceStore,
  oracle: TraceOracle,
  tenant: Tenant,
  queries: readonly TraceQuery[],
): Promise<void> {
  for (const one of queries) {
    let { after } = one;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const asked = { ...one, ...(after === undefined ? {} : { after }) };
      const page = await store.findTraces(tenant, asked);
      assert.deepEqual(page, oracle.findTraces(tenant, asked), fc.stringify(asked));
      after = page.next;
      if (after === undefined) break;
    }
  }
}

/**
 * Compares all that a store can be asked of a tenant with what an oracle answers.
 * @returns the encoded traces: spans with the same ids and start must also keep their order
 */
export async function assertSameAnswers(
  store: TraceStore,
  oracle: TraceOracle,
  tenant: Tenant,
  queries: readonly TraceQuery[],
): Promise<string[]> {
  await assertFound(store, oracle, tenant, queries);
  for (const query of queries.slice(0, 1)) {
    const { traces, next } = oracle.findTraces(tenant, query);
    const whole = await store.findWholeTraces(tenant, query);
    const ids: TraceId[] = [];
    for await (const batch of whole.batches) ids.push(formatTraceId(batch.traceId, 0));
    assert.deepEqual([ids, whole.next], [traces.map((found) => found.traceId), next]);
  }
  assert.deepEqual(await store.getServices(tenant), oracle.getServices(tenant));
  for (const service of SERVICES) {
    const operations = [...(await store.getOperations(tenant, service))];
    assert.deepEqual(operations, oracle.getOperations(tenant, service));
  }
  for (const range of [
    { fromMinute: 0, toMinute: 2 ** 32 },
    { fromMinute: CALL_MINUTE, toMinute: CALL_MINUTE + 1 },
  ]) {
    for (const query of [range, { ...range, noInferred: true }]) {
      const dependencies = [...(await store.getDependencies(tenant, query))];
      assert.deepEqual(dependencies, oracle.getDependencies(tenant, query));
    }
    for (const byOperation of [false, true]) {
      const services = ['shop', '', '商店', 'bank'];
      const metricsQuery = { ...range, services, kinds: [0, 2, 3], byOperation };
      const metrics = [...(await store.getSpanMetrics(tenant, metricsQuery))];
      assert.deepEqual(metrics, oracle.getSpanMetrics(tenant, metricsQuery));
    }
  }
  await assertSameAttributes(store, oracle, tenant);
  const ids = [4, FIRST_CROWD_TRACE + 70, 9, 1, 3, 2, FIRST_CROWD_TRACE + 7].map(traceId);
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

async function assertSameAttributes(
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
