// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cachedDataVersionTag } from 'node:v8';
import { CollectCalls, collectGarbage, collectWhenCalled } from './collector.ts';

const MOST_TURNS = 100_000;

/** Before anything is collected. */
const FIRST_TAG = cachedDataVersionTag();

test('a thread that is called lets go of what nothing holds, each time', async () => {
  collectWhenCalled();
  const calls = new CollectCalls();
  for (let time = 0; time < 2; time++) {
    const holder = [{ time }];
    const held = new WeakRef(holder[0]!);
    await nextTurn();
    // It is old after these, so that a collection of the young alone does not find it.
    collectGarbage('minor');
    collectGarbage('minor');
    holder.length = 0;
    await nextTurn();
    calls.call();
    let turns = 0;
    while (held.deref() !== undefined && turns++ < MOST_TURNS) await nextTurn();
    assert.equal(held.deref(), undefined);
  }
  calls.close();
});

test('compiled code that is kept stays valid when the collector is exposed', () => {
  collectGarbage('minor');
  assert.equal(cachedDataVersionTag(), FIRST_TAG);
});
