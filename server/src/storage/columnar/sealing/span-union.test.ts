// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attributes,
  event,
  link,
  resource,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { SpanUnion } from './span-union.ts';
import { shopSpans } from '../testing/block-fixture.ts';
import { valuesOf } from '../testing/symbol-fixture.ts';

const BATCHES = [
  [
    span({ name: 'a', attributes: attributes({ k: 'x', n: 1n }) }),
    span({ name: 'b', attributes: attributes({ k: 'y' }), events: [event('e', { k: 'y' })] }),
  ],
  [span({ name: 'b', resource: resource('pay') })],
  [
    span({ name: 'c', attributes: attributes({ n: 'text', k: 'x' }) }),
    span({
      name: 'a',
      attributes: attributes({ k: 'x', n: 1n }),
      events: [event('f'), event('e', { k: 'z' })],
      links: [link({ traceId: traceId(3), spanId: spanId(4) }, { k: 'x' })],
    }),
  ],
].map(batchOf);

test('symbols of several batches are one each, and rows, events and links follow batch by batch', () => {
  const union = new SpanUnion(BATCHES);
  assert.deepEqual([union.rows, [...union.bases]], [5, [0, 2, 3, 5]]);
  const names = valuesOf(union.names).map(String);
  assert.deepEqual(
    [...union.name].map((code) => names[code]),
    ['a', 'b', 'b', 'c', 'a'],
  );
  assert.equal(names.length, 3);
  assert.equal(union.resources.count, 2);
  assert.deepEqual([...union.events.rowOffsets], [0, 0, 1, 1, 1, 3]);
  assert.deepEqual([...union.links.rowOffsets], [0, 0, 0, 0, 0, 1]);
  const eventNames = valuesOf(union.eventNames).map(String);
  assert.deepEqual(
    [...union.events.name].map((code) => eventNames[code]),
    ['e', 'f', 'e'],
  );
  assert.equal(union.shape[0], union.shape[4]);
  assert.notEqual(union.shape[0], union.shape[3]);
});

test('a column is one of a level, key and type, and its cells stand for the values of all batches', () => {
  const union = new SpanUnion(BATCHES);
  const keys = valuesOf(union.keys).map(String);
  // Two of `k` as a text beside those of events and links, and `n` as a number and as a text.
  assert.deepEqual(union.columns.map(({ key }) => keys[key]!).sort(), ['k', 'k', 'k', 'n', 'n']);
  const texts = [...union.shape].map((shape, row) => {
    const { offsets, columns } = union.shapes;
    return Array.from(columns.subarray(offsets[shape], offsets[shape + 1]), (id, i) => {
      const column = union.columns[id]!;
      const { key, type } = column;
      const cell = union.cells[union.cellStart[row]! + i]!;
      const value = valuesOf(union.values.valuesOf(column))[cell]!;
      return `${keys[key]}=${type === 1 ? value.toString() : value.readBigInt64LE()}`;
    }).join();
  });
  assert.deepEqual(texts, ['k=x,n=1', 'k=y', '', 'n=text,k=x', 'k=x,n=1']);
});

test('no batches make an empty union', () => {
  const union = new SpanUnion([]);
  assert.deepEqual([union.rows, union.columns.length, union.cells.length], [0, 0, 0]);
});

test('a union that is released leaves its batches as they are', () => {
  const batches = [batchOf(shopSpans(5000, 50)), batchOf(shopSpans(10, 2))];
  const before = batches.map((batch) => Buffer.from(batch.bytes));
  const union = new SpanUnion(batches);
  union.release();
  assert.equal(union.traceId.length, 0);
  assert.deepEqual(
    batches.map((batch) => Buffer.from(batch.bytes)),
    before,
  );
});
