// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cachedDataVersionTag } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { CollectCalls, collectGarbage, collectWhenCalled } from './collector.ts';

const MOST_TURNS = 100_000;

/** They collect for the first time in the same moment, each of these times. */
const THREADS = 8;
const TIMES = 4;
/** One that cannot come holds nobody up for ever. */
const MOST_WAIT_MS = 10_000;

const COLLECT_AT_ONCE = `
const { workerData } = require('node:worker_threads');
const { collectorUrl, gate } = workerData;
import(collectorUrl).then(({ collectGarbage }) => {
  let come = Atomics.add(gate, 0, 1) + 1;
  Atomics.notify(gate, 0);
  while (come < ${THREADS} && Atomics.wait(gate, 0, come, ${MOST_WAIT_MS}) !== 'timed-out') {
    come = Atomics.load(gate, 0);
  }
  collectGarbage('minor');
});`;

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

test('threads that collect for the first time in the same moment all do', async () => {
  for (let time = 0; time < TIMES; time++) {
    const workerData = {
      collectorUrl: new URL('collector.ts', import.meta.url).href,
      gate: new Int32Array(new SharedArrayBuffer(4)),
    };
    const threads = Array.from({ length: THREADS }, () => {
      return new Worker(COLLECT_AT_ONCE, { eval: true, workerData });
    });
    // One that throws rejects.
    const codes = await Promise.all(threads.map((thread) => once(thread, 'exit')));
    assert.deepEqual(codes.flat(), new Array(THREADS).fill(0));
  }
});
