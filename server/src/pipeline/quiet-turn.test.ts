// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { untilQuiet } from './quiet-turn.ts';

test('gathering ends soon when nothing comes, and not before what is ready has come', async () => {
  let count = 1;
  let done = 0;
  untilQuiet(
    () => count,
    () => done++,
    () => 0,
  );
  assert.equal(done, 0);
  // What a socket brings is taken in an immediate after its event.
  setImmediate(() => count++);
  for (let i = 0; i < 3; i++) await nextTurn();
  assert.equal(done, 0);
  for (let i = 0; i < 3; i++) await nextTurn();
  assert.equal(done, 1);
});

test('gathering ends also when something comes all the time', async () => {
  let count = 0;
  let isDone = false;
  untilQuiet(
    () => count++,
    () => (isDone = true),
  );
  while (!isDone) await nextTurn();
});
