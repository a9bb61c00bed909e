// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MinuteCounts } from '@spoor/core/analysis/minute-counts.ts';
import type { CountedEdges } from '#storage/counted.ts';
import { DependencySum } from '#storage/dependency-sum.ts';
import { type EdgePiece, KeptEdges } from './kept-edges.ts';

const TEXTS = ['a', 'b', 'c'];

/** Calls that come and go, by key, minute and bucket. */
const counted = fc
  .array(
    fc.record({
      key: fc.nat(17),
      minute: fc.integer({ min: 1, max: 6 }),
      bucket: fc.nat(5),
      weight: fc.constantFrom(1, 1, -1),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((calls): CountedEdges => {
    const counts = new MinuteCounts();
    for (const { key, minute, bucket, weight } of calls) counts.add(key, minute, bucket, weight);
    const keys = Array.from({ length: 18 }, (_, key) => ({
      caller: key % 3,
      callee: (key + 1) % 3,
      kind: (key % 2) as 0 | 1,
      isError: key > 11,
      isInferred: key % 5 === 0,
    }));
    return { texts: TEXTS, keys, table: counts.table() };
  });

test('pieces that come and go are summed up as if nothing were kept, in any range, and those inside of it are read once', () => {
  const question = fc.record({
    fromMinute: fc.integer({ min: 0, max: 4 }),
    minutes: fc.integer({ min: 1, max: 8 }),
    pieces: fc.uniqueArray(fc.nat(5), { maxLength: 6 }),
  });
  fc.assert(
    fc.property(
      fc.array(counted, { minLength: 6, maxLength: 6 }),
      fc.array(question, { minLength: 1, maxLength: 8 }),
      (tables, questions) => {
        const kept = new KeptEdges();
        let reads = 0;
        const all = tables.map((edges, name): EdgePiece => {
          const { minutes } = edges.table;
          return {
            name,
            minutes: { fromMinute: minutes[0] ?? 0, toMinute: (minutes.at(-1) ?? 0) + 1 },
            edges: () => {
              reads++;
              return edges;
            },
          };
        });
        for (const { fromMinute, minutes, pieces } of questions) {
          const range = { fromMinute, toMinute: fromMinute + minutes };
          const expected = new DependencySum(range);
          for (const piece of pieces) expected.add(tables[piece]!);
          const found = kept.sum(
            pieces.map((piece) => all[piece]!),
            range,
            () => {},
          );
          assert.deepEqual(found.dependencies(), expected.dependencies());
        }
        const everything = { fromMinute: 0, toMinute: 100 };
        kept.sum(all, everything, () => {});
        reads = 0;
        kept.sum(all, everything, () => {});
        assert.equal(reads, 0);
      },
    ),
    { numRuns: 200 },
  );
});
