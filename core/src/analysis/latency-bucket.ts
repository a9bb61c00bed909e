// SPDX-License-Identifier: Apache-2.0

/** Buckets of each power of two. */
const STEPS = 16;

/** {@link latencyBucket} is below this. */
export const LATENCY_BUCKETS = 1024;

/**
 * Bucket of a duration in ns, given as halves of 64 bits. Buckets are log-linear: one for each ns below 16, then 16 for each
 * power of two, so none is wider than a sixteenth of what is in it. A span that ends before it starts is in bucket 0.
 */
export function latencyBucket(lo: number, hi: number): number {
  if (hi === 0) {
    if (lo < STEPS) return lo;
    const top = 31 - Math.clz32(lo);
    return STEPS + (top - 4) * STEPS + ((lo >>> (top - 4)) & 15);
  }
  if (hi > 0x7fffffff) return 0;
  const top = 31 - Math.clz32(hi);
  const bits = top >= 4 ? hi >>> (top - 4) : (hi << (4 - top)) | (lo >>> (28 + top));
  return STEPS + (28 + top) * STEPS + (bits & 15);
}

/** Least duration in a bucket, ns. */
export function bucketStartNanos(bucket: number): number {
  if (bucket < STEPS) return bucket;
  const step = bucket - STEPS;
  return (STEPS + (step % STEPS)) * 2 ** Math.floor(step / STEPS);
}

/** Middle of a bucket, ns: no duration in it is more than 1/32 off. */
export function bucketMiddleNanos(bucket: number): number {
  if (bucket < STEPS) return bucket;
  return (bucketStartNanos(bucket) + bucketStartNanos(bucket + 1)) / 2;
}
