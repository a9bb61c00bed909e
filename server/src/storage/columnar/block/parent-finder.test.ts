// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '@spoor/core/model/span.ts';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { countedReads } from '@spoor/core/model/testing/counted-reads.ts';
import { PARENT_ELSEWHERE, PARENT_ROW, ParentFinder } from './parent-finder.ts';
import { SpanUnion } from '../sealing/span-union.ts';

/** A trace in which row `i` has span id `ids[i]` and parent `parents[i]`; 0 is none. */
function traceOf(id: number, ids: readonly number[], parents: readonly number[]): Span[] {
  return ids.map((own, i) =>
    span({
      traceId: traceId(id),
      spanId: spanId(own),
      parentSpanId: parents[i] === 0 ? '' : spanId(parents[i]!),
    }),
  );
}

test('parents become places in the trace, or are told to be elsewhere', () => {
  const trace = fc.integer({ min: 1, max: 60 }).chain((rows) => {
    const id = fc.integer({ min: 1, max: rows });
    return fc.record({
      ids: fc.array(id, { minLength: rows, maxLength: rows }),
      parents: fc.array(fc.integer({ min: 0, max: rows + 3 }), {
        minLength: rows,
        maxLength: rows,
      }),
    });
  });
  const finder = new ParentFinder();
  fc.assert(
    fc.property(fc.array(trace, { minLength: 1, maxLength: 4 }), (traces) => {
      const union = new SpanUnion([
        batchOf(traces.flatMap(({ ids, parents }, t) => traceOf(t + 1, ids, parents))),
      ]);
      const rows = Uint32Array.from({ length: union.rows }, (_, row) => row);
      const lengths = Uint32Array.from(traces, ({ ids }) => ids.length);
      const { parents, elsewhere } = finder.find(union, rows, lengths);
      const missing: number[] = [];
      let start = 0;
      for (const { ids, parents: wanted } of traces) {
        wanted.forEach((parent, i) => {
          const found = parents[start + i]!;
          if (parent === 0) assert.equal(found, 0);
          else if (!ids.includes(parent)) {
            assert.equal(found, PARENT_ELSEWHERE);
            missing.push(start + i);
          } else assert.equal(ids[found - PARENT_ROW], parent);
        });
        start += ids.length;
      }
      assert.deepEqual([...elsewhere], missing);
    }),
    { numRuns: 60 },
  );
});

const COUNT = 2000;
const rows = Uint32Array.from({ length: COUNT }, (_, row) => row);

/** Finds the parents of a trace and counts the words of span ids that are read for it. */
function findCounted(
  spanWords: Uint32Array<ArrayBuffer>,
  parentWords: Uint32Array,
): { parents: Uint32Array; reads: number } {
  const counted = countedReads(spanWords);
  const ids = { spanWords: counted.values, parentWords };
  const { parents } = new ParentFinder().find(ids, rows, Uint32Array.of(COUNT));
  return { parents, reads: counted.reads };
}

test('parents are found to be elsewhere in few steps where all spans have one id', () => {
  const parentWords = Uint32Array.from({ length: COUNT * 2 }, (_, i) => i + 100);
  const { parents, reads } = findCounted(new Uint32Array(COUNT * 2).fill(7), parentWords);
  assert.ok(parents.every((parent) => parent === PARENT_ELSEWHERE));
  assert.ok(reads < COUNT * 50, `${reads} words read of ${COUNT} spans`);
});

test('parents are found in few steps where ids were picked to have one hash', () => {
  const spanWords = new Uint32Array(COUNT * 2);
  for (let i = 0; i < COUNT; i++) spanWords.set([Math.imul(i + 1, 0x9e3779b1), i + 1], i * 2);
  const parentWords = new Uint32Array(COUNT * 2);
  parentWords.set(spanWords.subarray(0, -2), 2);
  const { parents, reads } = findCounted(spanWords, parentWords);
  assert.ok(parents.every((parent, i) => parent === (i === 0 ? 0 : PARENT_ROW + i - 1)));
  assert.ok(reads < COUNT * 50, `${reads} words read of ${COUNT} spans`);
});

test('rows may stand in another order than in the union', () => {
  const union = new SpanUnion([batchOf(traceOf(1, [5, 6, 7], [6, 0, 9]))]);
  const { parents, elsewhere } = new ParentFinder().find(
    union,
    Uint32Array.of(2, 0, 1),
    Uint32Array.of(3),
  );
  assert.deepEqual([...parents], [PARENT_ELSEWHERE, PARENT_ROW + 2, 0]);
  assert.deepEqual([...elsewhere], [2]);
});
