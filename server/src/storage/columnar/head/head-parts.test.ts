// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { span, spanId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import type { HeadPart } from './head-part.ts';
import { HeadParts } from './head-parts.ts';
import { Slab } from './slab.ts';

let sequence = 1;

function write(slab: Slab, tenant: number, spans: number): void {
  const batch = batchOf(Array.from({ length: spans }, (_, i) => span({ spanId: spanId(i + 1) })));
  slab.commit(slab.reserve(batch, tenant)!, sequence++, 0);
}

/** Rows of each batch, part by part. */
function rowsOf(parts: readonly HeadPart[]): number[][] {
  return parts.map(({ batches }) => batches.map(({ batch }) => batch.rows));
}

test('each tenant sees its batches of all slabs, those that came since among them, and parts stay the same', () => {
  const parts = new HeadParts(() => assert.fail('nothing is gone'));
  const [first, second] = [new Slab(1, 65_536), new Slab(2, 65_536)];
  write(first, 1, 2);
  write(first, 2, 3);
  write(second, 2, 4);
  const views = () => [first.view(), second.view()];
  assert.deepEqual(rowsOf(parts.of(views(), 1)), [[2]]);
  const before = parts.of(views(), 2);
  assert.deepEqual(rowsOf(before), [[3], [4]]);
  write(second, 2, 5);
  assert.deepEqual(parts.of(views(), 2), before);
  assert.deepEqual(rowsOf(before), [[3], [4, 5]]);
  assert.deepEqual(parts.of(views(), 3), []);
});

test('what was in a slab is let go when it is used anew, and when it is not shown any more', () => {
  const gone: HeadPart[] = [];
  const parts = new HeadParts((part) => gone.push(part));
  const [first, second] = [new Slab(1, 65_536), new Slab(2, 65_536)];
  write(first, 1, 2);
  write(second, 1, 3);
  const [one, two] = parts.of([first.view(), second.view()], 1);
  first.recycle();
  write(first, 1, 4);
  const after = parts.of([second.view(), first.view()], 1);
  assert.deepEqual(gone, [one]);
  assert.deepEqual(rowsOf(after), [[3], [4]]);
  assert.equal(after[0], two);
  parts.of([first.view()], 1);
  assert.deepEqual(gone, [one, two]);
  assert.deepEqual(parts.of([], 1), []);
  assert.deepEqual(gone, [one, two, after[1]]);
});
