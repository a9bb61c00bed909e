// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BestFirst } from './best-first.ts';

test('items come out by falling bound, equal ones by their texts, whatever is put in meanwhile', () => {
  const item = fc.record(
    { bound: fc.integer({ min: -5, max: 5 }), tie: fc.string({ maxLength: 1 }) },
    // Which of two equal ones comes out first is left open.
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(fc.option(item)), (steps) => {
      const queue = new BestFirst<{ bound: number; tie: string }>();
      const expected: { bound: number; tie: string }[] = [];
      for (const one of steps) {
        if (one !== null) {
          queue.push(one.bound, one, one.tie);
          expected.push(one);
          expected.sort(
            (a, b) => b.bound - a.bound || (a.tie < b.tie ? -1 : a.tie > b.tie ? 1 : 0),
          );
        } else {
          assert.deepEqual(queue.pop(), expected.shift());
        }
        assert.equal(queue.bound, expected[0]?.bound ?? -Infinity);
        assert.equal(queue.tie, expected[0]?.tie ?? '');
      }
    }),
  );
});
