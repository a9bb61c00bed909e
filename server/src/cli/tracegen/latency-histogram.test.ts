// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatencyHistogram } from './latency-histogram.ts';

test('quantiles are right to two percent', () => {
  const latency = new LatencyHistogram();
  for (let ms = 1; ms <= 1000; ms++) latency.record(ms);
  for (const ratio of [0.5, 0.95, 0.99]) {
    const found = latency.quantileMs(ratio);
    assert.ok(Math.abs(found - 1000 * ratio) <= 20 * ratio, `${ratio}: ${found}`);
  }
  assert.equal(latency.quantileMs(1), 1000);
  assert.equal(latency.maxMs, 1000);
  assert.equal(latency.count, 1000);
});

test('without durations every quantile is 0, and odd ones are kept in range', () => {
  const latency = new LatencyHistogram();
  assert.equal(latency.quantileMs(0.99), 0);
  latency.record(0);
  latency.record(1e9);
  assert.equal(latency.quantileMs(1), 1e9);
});
