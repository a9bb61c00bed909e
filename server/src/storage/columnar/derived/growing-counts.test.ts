// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { DependencySum } from '#storage/dependency-sum.ts';
import { SpanMetricsSum } from '#storage/span-metrics-sum.ts';
import { DerivedCounts } from '#storage/derived-counts.ts';
import { GrowingCounts } from './growing-counts.ts';

const RANGE = { fromMinute: 0, toMinute: 2 ** 32 };
const METRICS = {
  ...RANGE,
  services: ['shop', 'cart', 'bank', ''],
  kinds: [0, 1, 2, 3, 4, 5],
  byOperation: true,
};

test('what grows step by step, and is taken back again, is what is counted at once, in few tables', () => {
  const step = fc.record({
    spans: fc.array(arbitraryCallSpan, { minLength: 1, maxLength: 8 }),
    isTaken: fc.boolean(),
    isSettled: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const growing = new GrowingCounts();
      const plain = new DerivedCounts();
      let cells = 0;
      for (const { spans, isTaken, isSettled } of steps) {
        const columns = batchOf(spans);
        const parts = [{ columns, rows: Array.from({ length: columns.rows }, (_, row) => row) }];
        for (const counts of [plain, growing.counts]) {
          counts.addTrace(parts);
          if (isTaken) counts.takeBack(parts);
        }
        cells += spans.length;
        if (isSettled) growing.settle();
      }
      growing.settle();
      const [edges, expectedEdges] = [new DependencySum(RANGE), new DependencySum(RANGE)];
      const [spans, expectedSpans] = [new SpanMetricsSum(METRICS), new SpanMetricsSum(METRICS)];
      for (const some of growing.edges) edges.add(some);
      for (const some of growing.spans) spans.add(some);
      expectedEdges.add(plain.edges());
      expectedSpans.add(plain.spans());
      assert.deepEqual(edges.dependencies(), expectedEdges.dependencies());
      assert.deepEqual([...spans.metrics()], [...expectedSpans.metrics()]);
      assert.ok(growing.spans.length <= Math.log2(cells + 1) + 1);
    }),
  );
});
