// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { HeadBatch } from '../head/head-batch.ts';
import { LooseTable } from './loose-table.ts';

/** More than a call takes arguments. */
const PARTS = 150_000;

test('a trace may have very many parts, and lose them', () => {
  const head = new HeadBatch(batchOf([span({ traceId: traceId(1), spanId: spanId(1) })]));
  const other = new HeadBatch(batchOf([span({ traceId: traceId(1), spanId: spanId(2) })]));
  const table = new LooseTable(() => assert.fail('no trace is in a block'));
  const number = table.add(head.idWords, 0);
  for (let i = 0; i < PARTS; i++) {
    table.addHead(number, { head: i % 2 === 0 ? head : other, trace: 0 });
  }
  assert.equal(table.headOf(number).length, PARTS);
  assert.equal(table.spansOf(number), PARTS);
  assert.deepEqual(table.keepOnly(new Set(), new Set([other])), [number]);
  assert.ok(table.headOf(number).every((part) => part.head === other));
  assert.equal(table.spansOf(number), PARTS / 2);
  table.remove(number);
  assert.equal(table.find(head.idWords, 0), -1);
});
