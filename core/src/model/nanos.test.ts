// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Nanos } from './nanos.ts';

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
  fc.constantFrom(0n, -1n, 1n, 2n ** 32n, -(2n ** 32n), 2n ** 63n - 1n, -(2n ** 63n)),
);

function halves(value: bigint): [number, number] {
  const bits = BigInt.asUintN(64, value);
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}

function check(fits: boolean, nanos: Nanos, expected: bigint, isSigned: boolean): void {
  const expectedFits = isSigned
    ? expected > -(2n ** 63n) && expected < 2n ** 63n
    : expected >= 0n && expected < 2n ** 64n;
  assert.equal(fits, expectedFits, String(expected));
  if (fits) assert.deepEqual([nanos.lo, nanos.hi], halves(expected));
}

test('microseconds are multiplied exactly, and refused where ns do not reach', () => {
  const nanos = new Nanos();
  fc.assert(
    fc.property(int64, (micros) => {
      const [lo, hi] = halves(micros);
      const unsigned = BigInt.asUintN(64, micros);
      check(nanos.ofMicros(lo, hi), nanos, unsigned * 1000n, false);
      check(nanos.ofSignedMicros(lo, hi), nanos, micros * 1000n, true);
    }),
    { numRuns: 1000 },
  );
});

test('seconds and ns are joined exactly, also of different signs', () => {
  const nanos = new Nanos();
  const seconds = fc.oneof(
    fc.integer({ min: -20_000_000_000, max: 20_000_000_000 }),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(9_223_372_036, 18_446_744_073, 2 ** 62, -(2 ** 62)),
  );
  fc.assert(
    fc.property(seconds, fc.integer({ min: -999_999_999, max: 999_999_999 }), (s, n) => {
      const total = BigInt(s) * 1_000_000_000n + BigInt(n);
      check(nanos.ofSignedSeconds(s, n), nanos, total, true);
      if (s >= 0 && n >= 0) check(nanos.ofSeconds(s, n), nanos, total, false);
    }),
    { numRuns: 1000 },
  );
});
