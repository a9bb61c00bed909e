// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MINUTE_NANOS, unixMinute } from './minute.ts';

function minuteOf(nanos: bigint): number {
  return unixMinute(Number(nanos & 0xffffffffn), Number(nanos >> 32n));
}

test('a minute begins and ends at the right nanosecond, up to the last one of 64 bits', () => {
  const last = 2n ** 64n / MINUTE_NANOS;
  fc.assert(
    fc.property(fc.oneof(fc.bigInt(0n, last - 1n), fc.constant(last - 1n)), (minute) => {
      assert.equal(minuteOf(minute * MINUTE_NANOS), Number(minute));
      assert.equal(minuteOf((minute + 1n) * MINUTE_NANOS - 1n), Number(minute));
    }),
    { numRuns: 1000 },
  );
  assert.equal(minuteOf(2n ** 64n - 1n), Number(last));
});
