// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Int64Range } from './int64-range.ts';

const OPS = {
  eq: (a: bigint, b: bigint | number) => !(a < b) && !(a > b) && !Number.isNaN(b),
  lt: (a: bigint, b: bigint | number) => a < b,
  le: (a: bigint, b: bigint | number) => a <= b,
  gt: (a: bigint, b: bigint | number) => a > b,
  ge: (a: bigint, b: bigint | number) => a >= b,
};

test('a range holds exactly the integers that compare so, for integer and fractional bounds', () => {
  const near = fc.tuple(
    fc.constantFrom(0n, 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 2n, -(2n ** 63n), -(2n ** 32n)),
    fc.bigInt({ min: -3n, max: 3n }),
  );
  const value = fc.oneof(near, near).map(([base, offset]) => BigInt.asIntN(64, base + offset));
  const bound = fc.oneof(
    near.map(([base, offset]) => base + offset),
    near.map(([base, offset]) => Number(base) + Number(offset) / 2),
    fc.constantFrom(NaN, Infinity, -Infinity, 1e300, -1e300, 2n ** 80n),
  );
  fc.assert(
    fc.property(value, bound, fc.constantFrom('eq', 'lt', 'le', 'gt', 'ge'), (one, other, op) => {
      const lo = Number(BigInt.asUintN(32, one));
      const hi = Number(BigInt.asUintN(32, one >> 32n));
      const found = Int64Range.of(op, other)?.has(lo, hi) ?? false;
      assert.equal(found, OPS[op](one, other), `${one} ${op} ${other}`);
    }),
    { numRuns: 2000 },
  );
});
