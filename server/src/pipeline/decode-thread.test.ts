// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecodedBody } from './body-decoding.ts';
import { decodeBetweenTurns } from './body-decoding.ts';
import { DecodeThread } from './decode-thread.ts';
import { FakeSender } from './testing/fake-sender.ts';
import { largeBody, turn, withCode } from './testing/held-writer.ts';

async function withThread(body: (thread: DecodeThread) => Promise<void>): Promise<void> {
  const thread = new DecodeThread();
  try {
    await body(thread);
  } finally {
    await thread.shutdown();
  }
}

/** With the batches as bytes. */
function plain({ batches, result }: DecodedBody): unknown {
  return { batches: batches.map(({ bytes }) => Buffer.from(bytes)), result };
}

test('what the thread decodes is what this thread would have, for several bodies at a time', () =>
  withThread(async (thread) => {
    const bodies = [largeBody(10_000), largeBody(3000, 1), largeBody(20, 2)];
    const decoded = await Promise.all(bodies.map((body) => thread.decode('otlp_proto', body)));
    for (const [i, body] of bodies.entries()) {
      assert.ok(body.length > 0, 'the body is still ours');
      assert.deepEqual(plain(decoded[i]!), plain(await decodeBetweenTurns('otlp_proto', body)));
    }
  }));

test('a body that cannot be decoded is refused as it would be here, and others are not', () =>
  withThread(async (thread) => {
    const body = largeBody();
    const good = thread.decode('otlp_proto', body);
    const broken = body.subarray(0, -1);
    const [ours, its] = await Promise.allSettled([
      decodeBetweenTurns('otlp_proto', broken),
      thread.decode('otlp_proto', broken),
    ]);
    assert.deepEqual(its, ours);
    assert.equal(its.status === 'rejected' && withCode('malformed')(its.reason), true);
    assert.equal((await good).result.accepted, 10_000);
  }));

test('nothing more is decoded for a sender that went away', () =>
  withThread(async (thread) => {
    const body = largeBody();
    const gone = thread.decode('otlp_proto', body, new FakeSender().leave());
    await assert.rejects(gone, withCode('cancelled'));
    const sender = new FakeSender();
    const going = thread.decode('otlp_proto', body, sender);
    // It was asked by now, and is still at its start.
    await turn();
    sender.leave();
    await assert.rejects(going, withCode('cancelled'));
  }));

test('when the thread is ended, what it was asked is rejected', async () => {
  const thread = new DecodeThread();
  await thread.shutdown();
  await assert.rejects(thread.decode('otlp_proto', largeBody()), withCode('unavailable'));
});
