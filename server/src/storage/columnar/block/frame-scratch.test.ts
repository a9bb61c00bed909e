// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameScratch } from './frame-scratch.ts';

test('frames are held until they are cleared, and lie in the same memory after that', () => {
  const scratch = new FrameScratch();
  const frame = scratch.take(1000);
  assert.equal(frame.length, 1000);
  scratch.set('1:7', frame);
  assert.equal(scratch.get('1:7'), frame);
  const other = scratch.take(10);
  assert.deepEqual([other.buffer, other.byteOffset], [frame.buffer, 1000]);
  scratch.clear();
  assert.equal(scratch.get('1:7'), undefined);
  const next = scratch.take(10);
  assert.deepEqual([next.buffer, next.byteOffset], [frame.buffer, 0]);
});

test('where there is no room a frame has memory of its own', () => {
  const scratch = new FrameScratch();
  const first = scratch.take(400_000);
  const large = scratch.take(400_000);
  assert.notEqual(large.buffer, first.buffer);
  assert.equal(scratch.take(100_000).buffer, first.buffer);
});
