// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopTurns } from './loop-turns.ts';

test('who waits for a turn of the event loop has it alone', async () => {
  const turns = new LoopTurns();
  let turn = 0;
  let counting = true;
  const count = (): void => {
    turn++;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const had: number[] = [];
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (let i = 0; i < 3; i++) {
        await turns.next();
        had.push(turn);
      }
    }),
  );
  counting = false;
  assert.equal(had.length, 30);
  assert.deepEqual([...new Set(had)], had);
});
