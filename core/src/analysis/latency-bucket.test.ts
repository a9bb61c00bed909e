// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketStartNanos, latencyBucket, LATENCY_BUCKETS } from './latency-bucket.ts';
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
