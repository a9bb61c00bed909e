// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BestFirst } from './best-first.ts';

test('items come out by falling bound, whatever is put in meanwhile', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: -5, max: 5 }))), (steps) => {
      const queue = new BestFirst<{ bound: number }>();
      const expected: number[] = [];
      for (const bound of steps) {
        if (bound !== null) {
          queue.push(bound, { bound });
          expected.push(bound);
          expected.sort((a, b) => b - a);
        } else {
          assert.equal(queue.pop()?.bound, expected.shift());
        }
        assert.equal(queue.bound, expected[0] ?? -Infinity);
      }
    }),
  );
});
