// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { attributes, event, link, span } from '#query/testing/example-span.ts';
import { batchOf } from '#query/testing/span-body.ts';
import { BatchBuilder } from './batch-builder.ts';
import { RowCursor, RowValues } from './row-cursor.ts';
import type { SpanColumns } from './span-columns.ts';
import { symbolBytes } from './span-reader.ts';
import {
  type ScriptedValue,
  scriptedSpan,
  uniqueSpan,
  writeSpan,
} from './testing/scripted-span.ts';
import { encodeText } from './utf8.ts';

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

/** Values of a shape, as hex texts. */
function valuesOf(columns: SpanColumns, values: RowValues, shape: number): string[] {
  const { offsets, columns: ids } = columns.shapes;
  return Array.from(ids.subarray(offsets[shape], offsets[shape + 1]), (id) => {
    const entry = values.next(id);
    return symbolBytes(values.table(id), entry).toHex();
  });
}

function expected(values: readonly ScriptedValue[]): string[] {
  return values.map(({ value }) => value.toHex());
}

test('the values of a row are found in whatever order the rows are asked for', () => {
  fc.assert(
    fc.property(
      fc.array(scriptedSpan, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(11), { maxLength: 30 }),
      fc.boolean(),
      (spans, visits, hasCells) => {
        const builder = new BatchBuilder();
        for (const one of spans) writeSpan(builder, one);
        const batch = hasCells ? builder.finish() : byColumn(builder);
        const rows = spans.filter(({ isAborted }) => !isAborted);
        const values = new RowValues(batch);
        for (const row of visits.filter((visit) => visit < rows.length)) {
          values.start(row);
          const { values: own, events, links } = rows[row]!;
          assert.deepEqual(valuesOf(batch, values, batch.shape[row]!), expected(own));
          for (const [i, one] of events.entries()) {
            const shape = batch.events!.shape[batch.events!.rowOffsets[row]! + i]!;
            assert.deepEqual(valuesOf(batch, values, shape), expected(one));
          }
          for (const [i, one] of links.entries()) {
            const shape = batch.links!.shape[batch.links!.rowOffsets[row]! + i]!;
            assert.deepEqual(valuesOf(batch, values, shape), expected(one));
          }
        }
      },
    ),
  );
});

/** A source that has its attributes by column only, as a block has. */
function byColumn(builder: BatchBuilder): SpanColumns {
  const batch = builder.finish();
  const { ...own } = batch;
  return { ...own, columns: batch.columns, cells: undefined };
}

test('the values of a plain column are found by row, with cells and without', () => {
  for (const hasCells of [true, false]) {
    const builder = new BatchBuilder();
    for (let i = 0; i < 2000; i++) writeSpan(builder, uniqueSpan(i));
    const batch = hasCells ? builder.finish() : byColumn(builder);
    assert.equal(batch.columns[0]!.codes, undefined);
    const values = new RowValues(batch);
    for (const row of [1999, 0, 1023, 1024, 5]) {
      values.start(row);
      const text = encodeText(String(row)).toHex();
      assert.deepEqual(valuesOf(batch, values, batch.shape[row]!), [text]);
    }
  }
});
