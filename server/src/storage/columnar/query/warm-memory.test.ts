// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmMemory } from './warm-memory.ts';

test('memory is taken for later, and let go at once but for one piece', () => {
  const before = process.memoryUsage().arrayBuffers;
  warmMemory(8 << 20);
  const held = process.memoryUsage().arrayBuffers - before;
  assert.ok(held <= 1 << 20, `${held} bytes`);
  warmMemory(0);
});
