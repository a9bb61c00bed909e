// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MinuteCounts, type MinuteTable } from './minute-counts.ts';
import { sumTables } from './sum-tables.ts';

/** Key, minute, bucket and count of each. */
function cellsOf({ minutes, key, minute, start, bucket, count }: MinuteTable): number[][] {
  const cells: number[][] = [];
  for (let s = 0; s < key.length; s++) {
    for (let i = start[s]!; i < start[s + 1]!; i++) {
      cells.push([key[s]!, minutes[minute[s]!]!, bucket[i]!, count[i]!]);
    }
  }
  return cells;
}

const counted = fc.tuple(
  fc.nat(3),
  fc.oneof(fc.nat(3), fc.nat(307_445_734)),
  fc.oneof(fc.nat(3), fc.nat(1023)),
  fc.constantFrom(1, 1, 1, -1),
);
const part = fc.record({
  // Two keys of a table may be one in the sum.
  keys: fc.array(fc.nat(2 ** 22 - 1), { minLength: 4, maxLength: 4 }),
  steps: fc.array(counted, { maxLength: 200 }),
});

test('the sum of tables is the table of all that they counted', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const together = new MinuteCounts();
      const names: number[] = [];
      const numberOf = (name: number): number => {
        if (!names.includes(name)) names.push(name);
        return names.indexOf(name);
      };
      const tables = parts.map(({ keys, steps }) => {
        const alone = new MinuteCounts();
        for (const [key, minute, bucket, weight] of steps) {
          alone.add(key, minute, bucket, weight);
          together.add(numberOf(keys[key]!), minute, bucket, weight);
        }
        return { table: alone.table(), keys: Uint32Array.from(keys, numberOf) };
      });
      assert.deepEqual(cellsOf(sumTables(tables)), cellsOf(together.table()));
    }),
  );
});
