// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alignedWords } from '@spoor/core/model/column-arrays.ts';
import { formatTraceId, traceIdBytes } from '@spoor/core/model/ids.ts';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { HeadBatch } from './head-batch.ts';
import { HeadPart } from './head-part.ts';

/** Ids that are alike but for two digits, in whichever word. */
const ids = Array.from({ length: 400 }, (_, i) => {
  const digits = '0123456789abcdef0123456789abcdef'.split('');
  digits[(i * 7) % 32] = (i % 16).toString(16);
  digits[(i * 7 + 9) % 32] = (i >> 4).toString(16).slice(-1);
  return digits.join('');
});

function wordsOf(id: string): Uint32Array {
  return alignedWords(traceIdBytes(traceId(id)));
}

test('the rows of each trace are found batch by batch, whatever was found before a batch came', () => {
  const batches = fc.array(
    fc.record({
      ids: fc.array(fc.constantFrom(...ids), { minLength: 1, maxLength: 60 }),
      isAsked: fc.boolean(),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(batches, (list) => {
      const part = new HeadPart();
      const heads: HeadBatch[] = [];
      for (const { ids: own, isAsked } of list) {
        const spans = own.map((id, i) => span({ traceId: traceId(id), spanId: spanId(i + 1) }));
        heads.push(new HeadBatch(batchOf(spans)));
        part.add(heads.at(-1)!);
        if (isAsked) part.find(wordsOf(own[0]!), 0);
      }
      assert.deepEqual(part.batches, heads);
      assert.equal(part.ids.length / 4, new Set(list.flatMap((one) => one.ids)).size);
      for (const id of ids) {
        const expected = list.flatMap((one, at) => {
          const rows = one.ids.flatMap((other, row) => (other === id ? [row] : []));
          return rows.length === 0 ? [] : [{ at, rows }];
        });
        const trace = part.find(wordsOf(id), 0);
        const found = part.rowsOf(trace);
        assert.deepEqual(
          found.map(({ at, rows }) => ({ at, rows: [...rows] })),
          expected,
        );
        assert.equal(trace >= 0, found.length > 0);
        if (trace >= 0) assert.deepEqual(part.ids.subarray(trace * 4, trace * 4 + 4), wordsOf(id));
        for (const { head, at, trace: inBatch } of found) {
          assert.equal(head, heads[at]);
          assert.equal(part.tracesOf(at)[inBatch], trace);
          assert.equal(formatTraceId(head.batch.traceId, head.traces.firstRowOf(inBatch) * 16), id);
        }
      }
    }),
    { numRuns: 40 },
  );
});
