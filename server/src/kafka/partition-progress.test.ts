// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PartitionProgress } from './partition-progress.ts';

test('what may be committed is the first record that is not done, whatever the order in which they end', () => {
  const steps = fc.array(fc.nat({ max: 9 }), { maxLength: 40 });
  fc.assert(
    fc.property(
      steps,
      fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 40 }),
      (ends, gaps) => {
        const progress = new PartitionProgress('spans', 0, 1);
        const taken: bigint[] = [];
        const open = new Set<bigint>();
        let next = 100n;
        for (const [i, gap] of gaps.entries()) {
          // Offsets have gaps: of what brokers keep for themselves, and of what was compacted.
          next += BigInt(gap);
          assert.ok(progress.take(next));
          taken.push(next);
          open.add(next);
          const end = [...open][ends[i] ?? 99];
          if (end !== undefined) {
            open.delete(end);
            progress.finish(end);
          }
          const first = taken.find((offset) => open.has(offset));
          assert.equal(progress.position, first ?? next + 1n);
          assert.equal(progress.due, first === taken[0] ? undefined : progress.position);
        }
      },
    ),
  );
});

test('a record that comes again is known', () => {
  const progress = new PartitionProgress('spans', 0, 1);
  assert.ok(progress.take(7n));
  assert.ok(!progress.take(7n));
  progress.finish(7n);
  assert.ok(!progress.take(6n));
  assert.ok(progress.take(9n));
});

test('nothing is due twice, nor before a record is done', () => {
  const progress = new PartitionProgress('spans', 0, 1);
  assert.equal(progress.due, undefined);
  progress.take(7n);
  assert.equal(progress.due, undefined);
  progress.finish(7n);
  assert.equal(progress.due, 8n);
  progress.committed = 8n;
  assert.equal(progress.due, undefined);
});
