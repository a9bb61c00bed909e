// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { ExportRequest } from '#exporters/sending/transport.ts';
import { requestOf, TestClock, turns } from '#exporters/testing/example-requests.ts';
import { MemoryQueue } from './memory-queue.ts';

interface Sending {
  readonly request: ExportRequest;
  end(error?: Error): void;
}

function bed(
  capacityBytes: number,
  maxUnderWay = 4,
  capacityRequests = Infinity,
): { queue: MemoryQueue; sending: Sending[]; clock: TestClock } {
  const sending: Sending[] = [];
  const clock = new TestClock();
  const queue = new MemoryQueue({
    path: 'exporters.otlp',
    send: (request, signal) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
        sending.push({ request, end });
        signal.addEventListener('abort', () => end(new SpoorError('unavailable', 'given up')));
      }),
    maxUnderWay,
    capacityBytes,
    capacityRequests,
    later: clock.later,
  });
  return { queue, sending, clock };
}

function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SpoorError && error.code === code;
}

test('without room to wait a request beyond those under way is refused with a hint', async () => {
  const { queue, sending } = bed(0);
  const puts = [1, 2, 3, 4].map((i) => queue.put(requestOf(i)));
  await assert.rejects(
    queue.put(requestOf(5)),
    (error) => withCode('overloaded')(error) && (error as SpoorError).retryAfterMs !== undefined,
  );
  sending[0]!.end();
  await puts[0];
  puts.push(queue.put(requestOf(6)));
  for (const one of sending) one.end();
  await Promise.all(puts);
  await queue.shutdown(1000);
});

test('a write is taken as a whole when there is room for one, and its requests wait', async () => {
  const { queue, sending } = bed(0);
  const put = queue.put(...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => requestOf(i)));
  assert.deepEqual([sending.length, queue.figures.usedBytes > 0], [4, true]);
  for (let i = 0; i < 9; i++) {
    sending[i]!.end();
    await turns();
  }
  await put;
  assert.deepEqual([queue.figures.usedBytes, queue.figures.refusedSpans], [0, 0]);
});

test('a queue may have room for a number of requests', async () => {
  const { queue, sending } = bed(1 << 20, 4, 2);
  const puts = [1, 2, 3, 4, 5].map((i) => queue.put(requestOf(i)));
  await assert.rejects(queue.put(requestOf(6), requestOf(7)), /2 more are over the limit of 2/);
  puts.push(queue.put(requestOf(8)));
  for (let i = 0; i < 6; i++) {
    sending[i]!.end();
    await turns();
  }
  await Promise.all(puts);
});

test('a write that is refused is refused as a whole', async () => {
  const { queue, sending } = bed(0);
  const puts = [1, 2, 3, 4].map((i) => queue.put(requestOf(i)));
  await assert.rejects(queue.put(requestOf(5), requestOf(6)), withCode('overloaded'));
  assert.equal(queue.figures.refusedSpans, 2);
  for (const one of sending) one.end();
  await Promise.all(puts);
  assert.equal(sending.length, 4);
});

test('the parts of one body never refuse each other, however few are sent at the same time', async () => {
  const { queue, sending } = bed(0, 1);
  const puts = [1, 3, 5, 7].map((i) => queue.put(requestOf(i), requestOf(i + 1)));
  for (let i = 0; i < 8; i++) {
    sending[i]!.end();
    await turns();
  }
  await Promise.all(puts);
});

test('requests wait for their turn, and are safe only when they were sent', async () => {
  const size = requestOf(1).body.length;
  const { queue, sending } = bed(2 * size);
  const ended: number[] = [];
  const puts = [1, 2, 3, 4, 5, 6].map((i) => queue.put(requestOf(i)).then(() => ended.push(i)));
  await assert.rejects(queue.put(requestOf(7)), withCode('overloaded'));
  assert.deepEqual(queue.figures, {
    underWay: 4,
    usedBytes: 2 * size,
    capacityBytes: 2 * size,
    refusedSpans: 1,
  });
  assert.equal(sending.length, 4);
  sending[1]!.end();
  await turns();
  assert.deepEqual(ended, [2]);
  assert.equal(sending.length, 5);
  sending[0]!.end();
  await turns();
  for (const one of sending) one.end();
  await Promise.all(puts);
  assert.equal(queue.figures.usedBytes, 0);
});

test('what cannot be sent says so to who put it, and the next has its turn', async () => {
  const { queue, sending } = bed(10_000);
  const puts = [1, 2, 3, 4, 5].map((i) => queue.put(requestOf(i)));
  sending[0]!.end(new SpoorError('malformed', 'no'));
  await assert.rejects(puts[0]!, withCode('malformed'));
  assert.equal(sending.length, 5);
  for (const one of sending) one.end();
  await Promise.all(puts.slice(1));
});

test('a queue that is closed takes nothing, sends until its deadline, and gives the rest back', async () => {
  const { queue, sending, clock } = bed(10_000);
  const puts = [1, 2, 3, 4, 5, 6].map((i) => queue.put(requestOf(i)));
  const ends = Promise.allSettled(puts);
  const closed = queue.shutdown(1000);
  await assert.rejects(queue.put(requestOf(7)), withCode('unavailable'));
  sending[0]!.end();
  await turns();
  assert.equal(sending.length, 5);
  await clock.pass(1000);
  await closed;
  assert.deepEqual(
    (await ends).map(({ status }) => status),
    ['fulfilled', ...Array.from({ length: 5 }, () => 'rejected')],
  );
});
