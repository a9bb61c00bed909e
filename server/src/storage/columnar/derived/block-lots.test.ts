// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lotsOf } from './block-lots.ts';

function sizes(spans: readonly number[]): number[] {
  const lots = [...lotsOf(spans, (count) => count)];
  assert.deepEqual(lots.flat(), spans);
  return lots.map((lot) => lot.length);
}

test('eight blocks at most go together, and fewer where they share many spans', () => {
  assert.deepEqual(sizes([]), []);
  assert.deepEqual(sizes(Array.from({ length: 20 }, () => 1)), [8, 8, 4]);
  assert.deepEqual(sizes([1e6, 1e6, 1e6, 1, 1e7, 1, 2e6]), [2, 2, 1, 2]);
});
