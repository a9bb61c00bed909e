// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RowSet } from './row-set.ts';

const rows = 150;

test('the rows of a range are counted, and found where there is one', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(rows - 1)),
      fc.nat(rows),
      fc.nat(rows),
      (members, one, other) => {
        const set = new RowSet(rows);
        for (const row of members) set.add(row);
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        const inside = members.filter((row) => row >= start && row < end).length;
        assert.equal(set.count(start, end), inside);
        assert.equal(set.hasSome(start, end), inside > 0);
        assert.deepEqual(
          [...set.toRows()],
          members.toSorted((a, b) => a - b),
        );
      },
    ),
  );
});
