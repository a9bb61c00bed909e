// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfTimesUs } from './self-time.ts';
import { buildTraceTree } from './trace-tree.ts';

test('self time leaves out overlapping children once, and the part of a child outside its parent', () => {
  const spanIds = ['root', 'a', 'b', 'late', 'negative'];
  const parentSpanIds = ['', 'root', 'root', 'root', 'a'];
  const startUs = [0, 10, 20, 90, 12];
  const durationUs = [100, 30, 30, 50, -5];
  const tree = buildTraceTree({ spanIds, parentSpanIds, startUs, durationUs });
  // root: [10, 50) by a and b, [90, 100) by late.
  assert.deepEqual([...selfTimesUs(tree, startUs, durationUs)], [50, 30, 30, 50, 0]);
});
