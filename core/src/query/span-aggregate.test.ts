// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpanAggregate } from './span-aggregate.ts';

test('sum, least and greatest of any durations are exact, also when it is asked for them in between', () => {
  const duration = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, -1n, 0n, 1n, 2n ** 32n, -(2n ** 32n) - 1n),
  );
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 40 }), fc.nat(40), (list, early) => {
      const aggregate = new SpanAggregate();
      list.forEach((value, i) => {
        aggregate.add(Number(value & 0xffffffffn), Number(BigInt.asUintN(32, value >> 32n)));
        if (i === early) assert.equal(typeof aggregate.sum, 'bigint');
      });
      const sorted = list.toSorted((a, b) => (a < b ? -1 : 1));
      assert.equal(aggregate.count, list.length);
      assert.equal(
        aggregate.sum,
        list.reduce((a, b) => a + b),
      );
      assert.equal(aggregate.min, sorted[0]);
      assert.equal(aggregate.max, sorted.at(-1));
    }),
  );
});
