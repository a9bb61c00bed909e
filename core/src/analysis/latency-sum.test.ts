// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LatencySum } from './latency-sum.ts';
import { naiveBucket } from './testing/naive-derived.ts';

const duration = fc.oneof(
  fc.bigInt(0n, 2n ** 63n - 1n),
  fc.bigInt(0n, 40n),
  fc.bigInt(0n, 10_000_000_000n),
);
const durations = fc.array(duration, { minLength: 1, maxLength: 50 });

test('a quantile is within a thirty-second of the duration that has its rank, whatever was taken back', () => {
  fc.assert(
    fc.property(
      durations,
      durations,
      fc.constantFrom(0.01, 0.5, 0.95, 0.99, 1),
      (kept, taken, ratio) => {
        const sum = new LatencySum();
        for (const one of [...taken, ...kept]) sum.add(naiveBucket(one), 1);
        for (const one of taken) sum.add(naiveBucket(one), -1);
        const sorted = kept.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const exact = Number(sorted[Math.ceil(ratio * sorted.length) - 1]!);
        const found = sum.quantileNanos(ratio);
        assert.ok(Math.abs(found - exact) <= exact / 32, `${found} for ${exact}`);
        assert.equal(sum.total, kept.length);
      },
    ),
  );
  assert.ok(Number.isNaN(new LatencySum().quantileNanos(0.5)));
});

test('many counts are added as one by one', () => {
  const counts = fc.array(fc.tuple(fc.nat({ max: 1023 }), fc.integer({ min: -9, max: 9 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(counts, fc.nat(5), fc.nat(5))), (tables) => {
      const [whole, single] = [new LatencySum(), new LatencySum()];
      for (const [cells, before, after] of tables) {
        const ascending = [...new Map(cells)].sort(([a], [b]) => a - b);
        const bucket = Uint32Array.from(ascending, ([bucket]) => bucket);
        const count = Int32Array.from(ascending, ([, count]) => count);
        const [start, end] = [before, Math.max(before, bucket.length - after)];
        whole.addAll({ bucket, count }, start, end);
        for (const [bucket, count] of ascending.slice(start, end)) single.add(bucket, count);
      }
      assert.deepEqual(whole.cells(), single.cells());
      assert.equal(whole.total, single.total);
    }),
  );
});

test('counts that are not zero are listed by bucket, or those that are wanted', () => {
  const sum = new LatencySum();
  assert.deepEqual(sum.cells(), { bucket: Uint32Array.of(), count: Float64Array.of() });
  for (const [bucket, count] of [
    [7, 2],
    [1023, 5],
    [0, -1],
    [7, 1],
    [8, 4],
    [8, -4],
  ] as const) {
    sum.add(bucket, count);
  }
  assert.deepEqual(sum.cells(), {
    bucket: Uint32Array.of(0, 7, 1023),
    count: Float64Array.of(-1, 3, 5),
  });
  assert.deepEqual(
    sum.cells((count) => count > 3),
    {
      bucket: Uint32Array.of(1023),
      count: Float64Array.of(5),
    },
  );
});

test('a sum of durations that are alike takes little memory', () => {
  const before = process.memoryUsage().arrayBuffers;
  const sums = Array.from({ length: 10_000 }, (_, i) => {
    const sum = new LatencySum();
    sum.add(i % 1000, 1);
    sum.add((i % 1000) + 9, 1);
    return sum;
  });
  const bytes = process.memoryUsage().arrayBuffers - before;
  assert.ok(bytes < sums.length * 512, `${bytes} bytes`);
  assert.equal(sums.at(-1)!.total, 2);
});
