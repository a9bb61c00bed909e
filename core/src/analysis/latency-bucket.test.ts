// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bucketStartNanos,
  latencyBucket,
  LATENCY_BUCKETS,
  quantileNanos,
} from './latency-bucket.ts';
import { naiveBucket } from './testing/naive-derived.ts';

const duration = fc.oneof(
  fc.bigInt(0n, 2n ** 63n - 1n),
  fc.nat(62).map((bits) => 2n ** BigInt(bits)),
  fc.nat(62).map((bits) => 2n ** BigInt(bits) - 1n),
  fc.bigInt(0n, 10_000_000_000n),
);

function bucketOf(nanos: bigint): number {
  const bits = BigInt.asUintN(64, nanos);
  return latencyBucket(Number(bits & 0xffffffffn), Number(bits >> 32n));
}

test('a duration is in the bucket whose bounds hold it, and the bounds are a sixteenth apart', () => {
  fc.assert(
    fc.property(duration, (nanos) => {
      const bucket = bucketOf(nanos);
      assert.equal(bucket, naiveBucket(nanos));
      assert.ok(bucket < LATENCY_BUCKETS);
      const [start, end] = [bucketStartNanos(bucket), bucketStartNanos(bucket + 1)];
      assert.ok(BigInt(start) <= nanos && nanos < BigInt(end));
      assert.ok(end - start <= Math.max(1, start / 16));
    }),
    { numRuns: 1000 },
  );
  assert.equal(bucketOf(-1n), 0);
  assert.equal(bucketOf(-(2n ** 63n)), 0);
});

test('a quantile is within a thirty-second of the duration that has its rank', () => {
  fc.assert(
    fc.property(
      fc.array(duration, { minLength: 1, maxLength: 50 }),
      fc.constantFrom(0.01, 0.5, 0.95, 0.99, 1),
      (durations, ratio) => {
        const counts = new Map<number, number>();
        for (const one of durations) {
          counts.set(bucketOf(one), (counts.get(bucketOf(one)) ?? 0) + 1);
        }
        const sorted = durations.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const exact = Number(sorted[Math.ceil(ratio * sorted.length) - 1]!);
        const found = quantileNanos(
          [...counts].sort(([a], [b]) => a - b),
          ratio,
        );
        assert.ok(Math.abs(found - exact) <= exact / 32, `${found} for ${exact}`);
      },
    ),
  );
  assert.ok(Number.isNaN(quantileNanos([], 0.5)));
});
