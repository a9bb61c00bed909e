// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { PacedIngest } from './paced-ingest.ts';
import type { TraceIngest } from './trace-ingest.ts';

/** An ingest that takes a time for each body, and a clock that knows. */
class Bench {
  nowMs = 1000;
  readonly taken: number[] = [];
  readonly paced: PacedIngest;
  bodyMs: number;

  constructor(bodyMs: number) {
    this.bodyMs = bodyMs;
    const ingest: TraceIngest = {
      ingest: async (_tenant, _format, body) => {
        this.nowMs += this.bodyMs;
        this.taken.push(body[0]!);
        if (body[0] === 255) throw new SpoorError('malformed', 'no request');
        return { accepted: body[0]!, rejected: 0, message: '' };
      },
    };
    this.paced = new PacedIngest(ingest, () => this.nowMs);
  }

  async send(value: number): Promise<number> {
    const body = Uint8Array.of(value);
    return (await this.paced.ingest(DEFAULT_TENANT, 'otlp_proto', body)).accepted;
  }
}

test('bodies are taken in their order, and each gets its answer', async () => {
  const bench = new Bench(0);
  const answers = [1, 2, 3].map((value) => bench.send(value));
  assert.deepEqual(bench.taken, [], 'nothing is taken in the turn in which it came');
  assert.deepEqual(await Promise.all(answers), [1, 2, 3]);
  assert.deepEqual(bench.taken, [1, 2, 3]);
});

test('a body that cannot be taken fails alone', async () => {
  const bench = new Bench(0);
  const answers = await Promise.allSettled([1, 255, 2].map((value) => bench.send(value)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('sockets are served between turns, for as long as a share of the last turn at most', async () => {
  const bench = new Bench(4);
  await bench.send(0);
  bench.taken.length = 0;
  const answers = Array.from({ length: 60 }, (_, i) => bench.send(i + 1));
  const turns: number[] = [];
  while (bench.paced.waiting > 0) {
    const before = bench.taken.length;
    await nextTurn();
    if (bench.taken.length > before) turns.push(bench.taken.length - before);
    // What the sockets took: 10 ms.
    bench.nowMs += 10;
  }
  await Promise.all(answers);
  // The first turn has the shortest time, the others three times what the sockets had; each ends with the body that is begun.
  assert.deepEqual(turns, [2, 8, 8, 8, 8, 8, 8, 8, 2]);
});

test('a turn after a long pause has an end too', async () => {
  const bench = new Bench(10);
  bench.nowMs += 60_000;
  const answers = Array.from({ length: 60 }, () => bench.send(1));
  await nextTurn();
  assert.equal(bench.taken.length, 40);
  await Promise.all(answers);
});

test('what can be taken is measured in its turns, less the share of the sockets', async () => {
  const bench = new Bench(10);
  assert.equal(bench.paced.bytesPerSecond, Infinity);
  await bench.send(1);
  // One byte in 10 ms, and three quarters of the time.
  assert.equal(bench.paced.bytesPerSecond, 75);
  bench.nowMs += 60_000;
  await bench.send(1);
  assert.equal(bench.paced.bytesPerSecond, 75, 'time without bodies does not count');
});

test('what can be taken follows when bodies take longer than before', async () => {
  const bench = new Bench(10);
  for (let i = 0; i < 100; i++) await bench.send(1);
  bench.bodyMs = 100;
  for (let i = 0; i < 40; i++) await bench.send(1);
  assert.ok(bench.paced.bytesPerSecond < 9, String(bench.paced.bytesPerSecond));
});
