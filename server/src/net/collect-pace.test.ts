// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CollectPace } from './collect-pace.ts';

const MIB = 1 << 20;
const TOOK_MS = 25;

/** Collects whenever it is due for a time, looking each 50 ms; `freed` is what each collection gives back. */
function collections(pace: CollectPace, fromMs: number, forMs: number, freed: number): number {
  let count = 0;
  let justNow = 0;
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += 50) {
    const rss = 350 * MIB - (nowMs < justNow + 200 && count > 0 ? freed : 0);
    if (!pace.isDue(nowMs, rss)) continue;
    pace.collected(nowMs, nowMs + TOOK_MS, rss);
    justNow = nowMs;
    count++;
  }
  return count;
}

test('while it frees memory, collecting takes a twentieth of the time', () => {
  const count = collections(new CollectPace(), 0, 60_000, 10 * MIB);
  assert.ok(count > 90 && count * TOOK_MS <= 60_000 / 20 + TOOK_MS, `${count} times`);
});

test('while it frees nothing, it is tried twice a minute in the end, and often again once it does', () => {
  const pace = new CollectPace();
  collections(pace, 0, 120_000, 0);
  assert.equal(collections(pace, 120_000, 120_000, 0), 4);
  assert.ok(collections(pace, 240_000, 60_000, 10 * MIB) > 20);
});
