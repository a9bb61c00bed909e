// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attributes, event, link, span } from '#query/testing/example-span.ts';
import { batchOf } from '#query/testing/span-body.ts';
import { RowCursor } from './row-cursor.ts';

test('a cursor that moves to and fro finds what one that only moves forward finds', () => {
  const spans = Array.from({ length: 400 }, (_, i) =>
    span({
      attributes: i % 3 === 0 ? [] : attributes({ a: BigInt(i), [`k${i % 5}`]: 'x' }),
      events: i % 4 === 0 ? [event('e', { a: 'y' }), event('f', { b: true })] : [],
      links: i % 7 === 0 ? [link({ traceId: '', spanId: '' }, { c: 1 })] : [],
    }),
  );
  const batch = batchOf(spans);
  fc.assert(
    fc.property(fc.array(fc.nat(399), { maxLength: 30 }), (rows) => {
      const cursor = new RowCursor(batch);
      for (const row of rows) {
        cursor.seek(row);
        const fresh = new RowCursor(batch);
        fresh.seek(row);
        assert.equal(cursor.row, row);
        assert.deepEqual(cursor.positions, fresh.positions);
      }
    }),
  );
});
