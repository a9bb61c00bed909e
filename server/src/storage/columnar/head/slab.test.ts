// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { span, spanId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { readSlab, Slab, type SlabRoom, type SlabView } from './slab.ts';

function batch(rows: number, name = 'a') {
  return batchOf(Array.from({ length: rows }, (_, i) => span({ name, spanId: spanId(i + 1) })));
}

function content(view: SlabView, from?: number): [number, number][] {
  return Array.from(readSlab(view, from), (entry) => [entry.tenantNumber, entry.batch.rows]);
}

function reserve(slab: Slab, rows: number, tenant: number): SlabRoom {
  const room = slab.reserve(batch(rows), tenant);
  assert.ok(room !== undefined);
  return room;
}

test('a batch is copied as it is, and is seen once it is committed', () => {
  const slab = new Slab(4, 1 << 20);
  const [first, second] = [batch(3, 'first'), batch(2, 'second')];
  const room = slab.reserve(first, 7)!;
  assert.deepEqual(Buffer.from(room.bytes), Buffer.from(first.bytes));
  assert.equal(room.bytes.buffer, slab.buffer);
  assert.deepEqual(content(slab.view()), []);
  const next = slab.reserve(second, 8)!;
  slab.commit(room, 11, 0);
  assert.deepEqual(content(slab.view()), [[7, 3]]);
  slab.commit(next, 12, 0);
  assert.deepEqual(content(slab.view()), [
    [7, 3],
    [8, 2],
  ]);
  const [, entry] = readSlab(slab.view());
  assert.deepEqual(Buffer.from(entry!.batch.bytes), Buffer.from(second.bytes));
  assert.deepEqual([slab.firstSequence, slab.lastSequence, slab.rows], [11, 12, 5]);
});

test('a view stays what it was, and reading goes on where the last one ended', () => {
  const slab = new Slab(1, 1 << 20);
  slab.commit(reserve(slab, 1, 0), 1, 0);
  const before = slab.view();
  slab.commit(reserve(slab, 2, 1), 2, 0);
  assert.deepEqual(content(before), [[0, 1]]);
  assert.deepEqual(content(slab.view(), before.committed), [[1, 2]]);
  assert.deepEqual(content(slab.view(), slab.view().committed), []);
});

test('a batch that was given up is never read, and those around it are', () => {
  const slab = new Slab(1, 1 << 20);
  const rooms = [1, 2, 3, 4].map((rows) => reserve(slab, rows, rows));
  assert.equal(slab.pending, 4);
  slab.commit(rooms[0]!, 1, 0);
  slab.abandon(rooms[1]!, 2);
  assert.deepEqual(content(slab.view()), [[1, 1]]);
  slab.commit(rooms[2]!, 2, 0);
  slab.abandon(rooms[3]!, 4);
  assert.deepEqual(content(slab.view()), [
    [1, 1],
    [3, 3],
  ]);
  assert.deepEqual(slab.tenantNumbers(), [1, 3]);
  assert.deepEqual([slab.rows, slab.pending], [4, 0]);
});

test('the first sequence is that of the first batch that was committed', () => {
  const slab = new Slab(1, 1 << 20);
  const rooms = [1, 1].map((rows) => reserve(slab, rows, 0));
  slab.abandon(rooms[0]!, 1);
  slab.commit(rooms[1]!, 41, 0);
  assert.deepEqual([slab.firstSequence, slab.lastSequence], [41, 41]);
});

test('tenants are listed in the order in which they first appear', () => {
  const slab = new Slab(1, 1 << 20);
  [5, 2, 5, 9, 2].forEach((tenant, i) => slab.commit(reserve(slab, 1, tenant), i + 1, 0));
  assert.deepEqual(slab.tenantNumbers(), [5, 2, 9]);
});

test('a batch that does not fit is not taken, one that fits to the byte is', () => {
  const one = batch(1);
  const size = Slab.sizeOf(one);
  assert.equal(size % 8, 0);
  const slab = new Slab(1, size * 2);
  assert.ok(slab.reserve(one, 0) !== undefined);
  assert.equal(slab.reserve(batch(2), 0), undefined);
  assert.equal(slab.rows, 1);
  assert.ok(slab.reserve(one, 0) !== undefined);
  assert.equal(slab.usedBytes, slab.buffer.byteLength);
  assert.equal(slab.reserve(one, 0), undefined);
});

test('a slab that is used again is empty and of another generation', () => {
  const slab = new Slab(1, 1 << 20);
  slab.commit(reserve(slab, 3, 0), 1, 0);
  const before = slab.view();
  slab.recycle();
  assert.ok(slab.isEmpty);
  assert.notEqual(slab.view().generation, before.generation);
  assert.deepEqual(content(slab.view()), []);
  slab.commit(reserve(slab, 1, 4), 9, 0);
  assert.deepEqual(content(slab.view()), [[4, 1]]);
  assert.deepEqual([slab.firstSequence, slab.lastSequence, slab.rows], [9, 9, 1]);
});
