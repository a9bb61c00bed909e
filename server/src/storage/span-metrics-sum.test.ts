// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { CountedSpans } from './counted.ts';
import { SPAN_METRICS_LIMITS, type SpanMetricsLimits, SpanMetricsSum } from './span-metrics-sum.ts';
import type { SpanMetricsQuery } from './tracestore.ts';

const SERVICES = 2;

const QUERY: SpanMetricsQuery = {
  services: ['service 0', 'service 1'],
  kinds: [2],
  byOperation: true,
  fromMinute: 0,
  toMinute: 100,
};

/** Counts of operations `0`, `1`, … of each service in some minutes, `weight` for each of buckets 5, 6, …. */
function counted(operations: number, minutes: number[], cells: number, weight = 1): CountedSpans {
  const keys = Array.from({ length: SERVICES * operations }, (_, key) => ({
    service: Math.floor(key / operations),
    operation: SERVICES + (key % operations),
    kind: 2,
    isError: false,
  }));
  const series = keys.length * minutes.length;
  return {
    textOf: (code) => (code < SERVICES ? `service ${code}` : `${code - SERVICES}`),
    keys,
    table: {
      minutes: Uint32Array.from(minutes),
      key: Uint32Array.from({ length: series }, (_, s) => Math.floor(s / minutes.length)),
      minute: Uint32Array.from({ length: series }, (_, s) => s % minutes.length),
      start: Uint32Array.from({ length: series + 1 }, (_, s) => s * cells),
      bucket: Uint32Array.from({ length: series * cells }, (_, i) => 5 + (i % cells)),
      count: new Int32Array(series * cells).fill(weight),
    },
  };
}

/** Sums up two tables with the same minutes. @returns what it is refused with */
function refusal(query: SpanMetricsQuery, limits: Partial<SpanMetricsLimits>): string | undefined {
  const sum = new SpanMetricsSum(query, { ...SPAN_METRICS_LIMITS, ...limits });
  try {
    sum.add(counted(3, [7, 8], 4));
    sum.add(counted(5, [7, 8], 4));
  } catch (error) {
    assert.ok(error instanceof SpoorError && error.code === 'invalid_argument');
    return error.message;
  }
  const minutes = [...sum.metrics()].map((one) => [...one.minutes.minute, ...one.minutes.start]);
  assert.deepEqual(new Set(minutes.map(String)), new Set(['7,8,0,4,8']));
  return undefined;
}

test('what is summed up for one answer is limited in each of its dimensions, and at the limit it is answered', () => {
  const oneService = { ...QUERY, services: ['service 0'] };
  const plain = { ...QUERY, byOperation: false };
  for (const [query, limit, count] of [
    [QUERY, 'series', 10],
    [QUERY, 'nameLength', 10],
    [QUERY, 'minutes', 32],
    [QUERY, 'cells', 128],
    [oneService, 'series', 5],
    [oneService, 'minutes', 16],
    [plain, 'series', 2],
    [plain, 'nameLength', 0],
    [plain, 'cells', 128],
  ] as const) {
    assert.equal(refusal(query, { [limit]: count }), undefined);
    if (count === 0) continue;
    assert.match(
      refusal(query, { [limit]: count - 1 }) ?? '',
      new RegExp(`^metrics: more than ${count - 1} `),
    );
  }
});

test('a refusal says what to ask instead', () => {
  const limits = { minutes: 3 };
  const instead = (changed: Partial<SpanMetricsQuery>): string | undefined =>
    refusal({ ...QUERY, ...changed }, limits)?.replace(/.*; ask /, '');
  assert.equal(
    instead({}),
    `without 'groupByOperation', or for one service, or with a shorter 'lookback'`,
  );
  assert.equal(instead({ byOperation: false }), `for one service, or with a shorter 'lookback'`);
  assert.equal(
    instead({ byOperation: false, services: ['service 1'] }),
    `with a shorter 'lookback'`,
  );
});

test('what is not asked for counts for no limit', () => {
  for (const changed of [{ services: ['other'] }, { kinds: [1] }, { toMinute: 7 }]) {
    const limits = { series: 1, nameLength: 1, minutes: 1, cells: 1 };
    const sum = new SpanMetricsSum({ ...QUERY, ...changed }, limits);
    sum.add(counted(3, [7, 8], 4));
    assert.deepEqual([...sum.metrics()], []);
  }
});

test('minutes come in order whatever the order of tables, also when they are centuries apart', () => {
  const far = 2 ** 28;
  const sum = new SpanMetricsSum({ ...QUERY, services: ['service 1'], toMinute: 2 ** 32 });
  for (const minutes of [[far, far + 2], [3], [far + 1], [4, far + 2], [0, far]]) {
    sum.add(counted(1, minutes, 2));
  }
  sum.add(counted(1, [3], 2, -1));
  const [metrics, ...others] = [...sum.metrics()];
  assert.deepEqual(others, []);
  assert.deepEqual([...metrics!.minutes.minute], [0, 4, far, far + 1, far + 2]);
  assert.deepEqual([...metrics!.minutes.calls], [2, 2, 4, 2, 4]);
  assert.deepEqual([...metrics!.minutes.latency.count], [1, 1, 1, 1, 2, 2, 1, 1, 2, 2]);
});
