// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MinuteCounts, type MinuteTable } from './minute-counts.ts';

type Cell = [key: number, minute: number, bucket: number, count: number];

function cellsOf(table: MinuteTable): Cell[] {
  const cells: Cell[] = [];
  for (let s = 0; s < table.key.length; s++) {
    for (let i = table.start[s]!; i < table.start[s + 1]!; i++) {
      const minute = table.minutes[table.minute[s]!]!;
      cells.push([table.key[s]!, minute, table.bucket[i]!, table.count[i]!]);
    }
  }
  return cells;
}

const step = fc.tuple(
  fc.oneof(fc.nat(3), fc.constant(2 ** 22 - 2), fc.nat(5000)),
  fc.oneof(fc.nat(3), fc.nat(307_445_734)),
  fc.oneof(fc.nat(3), fc.nat(1023)),
  fc.constantFrom(1, 1, 1, -1),
);

test('counts are kept by key, minute and bucket in order, and what was taken back is gone', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2000 }), (steps) => {
      const counts = new MinuteCounts();
      const expected = new Map<string, Cell>();
      for (const [key, minute, bucket, weight] of steps) {
        counts.add(key, minute, bucket, weight);
        const name = `${key} ${minute} ${bucket}`;
        const before = expected.get(name)?.[3] ?? 0;
        expected.set(name, [key, minute, bucket, before + weight]);
      }
      const cells = [...expected.values()]
        .filter(([, , , count]) => count !== 0)
        .sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      assert.deepEqual(cellsOf(counts.table()), cells);
    }),
  );
});

test('counts that are taken are those since the last time', () => {
  const lists = fc.array(fc.array(step, { maxLength: 300 }), { maxLength: 4 });
  fc.assert(
    fc.property(lists, (all) => {
      const counts = new MinuteCounts();
      for (const steps of all) {
        const alone = new MinuteCounts();
        for (const [key, minute, bucket, weight] of steps) {
          counts.add(key, minute, bucket, weight);
          alone.add(key, minute, bucket, weight);
        }
        assert.deepEqual(counts.take(), alone.table());
      }
    }),
  );
});
