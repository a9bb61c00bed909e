// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfTimes } from './self-time.ts';
import { buildTraceTree } from './trace-tree.ts';

test('self time leaves out overlapping children once, and the part of a child outside its parent', () => {
  const spanIds = ['root', 'a', 'b', 'late', 'negative'];
  const parentSpanIds = ['', 'root', 'root', 'root', 'a'];
  const start = [0, 10, 20, 90, 12];
  const duration = [100, 30, 30, 50, -5];
  const tree = buildTraceTree({ spanIds, parentSpanIds, start, duration });
  // root: [10, 50) by a and b, [90, 100) by late.
  assert.deepEqual([...selfTimes(tree, start, duration)], [50, 30, 30, 50, 0]);
});
