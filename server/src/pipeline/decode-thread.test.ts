// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import {
  attributes,
  event,
  resource,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { toJaegerSpan } from '@spoor/core/wire/jaeger/jaeger-span.ts';
import { encodeJaegerThrift } from '@spoor/core/wire/jaeger/thrift-encoder.ts';
import { OtlpJsonEncoder } from '@spoor/core/wire/otlp/encode-json.ts';
import { encodeZipkinJson } from '@spoor/core/wire/zipkin/json-encoder.ts';
import { toZipkinSpan } from '@spoor/core/wire/zipkin/zipkin-span.ts';
import { type AskedWorker, createThread } from '#workers/worker-client.ts';
import type { DecodedBody } from './body-decoding.ts';
import { decodeBetweenTurns } from './body-decoding.ts';
import { type CreateDecodeWorker, DecodeThread } from './decode-thread.ts';
import type { DecodeReply, DecodeRequest } from './decode-worker.ts';
import { FakeSender } from './testing/fake-sender.ts';
import { bodyOf, ingest, largeBody, taken, turn, until, withCode } from './testing/held-writer.ts';
import { DEADLY } from './testing/mortal-worker.ts';
import { TraceBatcher } from './trace-batcher.ts';
import type { TraceSink } from './trace-sink.ts';

async function withThread(
  body: (thread: DecodeThread) => Promise<void>,
  createWorker?: CreateDecodeWorker,
): Promise<void> {
  const thread = new DecodeThread(createWorker);
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

test('what the thread decodes is what this thread would have, in other formats', () =>
  withThread(async (thread) => {
    const spans = Array.from({ length: 5000 }, (_, i) =>
      span({
        traceId: traceId(1 + (i % 100)),
        spanId: spanId(i + 1),
        name: `span ${i % 20}`,
        resource: resource(`service ${i % 3}`),
        attributes: attributes({ id: `é ${i}`, more: 'x'.repeat(i % 300) }),
        events: i % 5 === 0 ? [event('retry', { attempt: `${i % 4}` }, 1000n)] : [],
      }),
    );
    const rows = Uint32Array.from(spans.keys());
    const bodies = {
      otlp_json: new OtlpJsonEncoder(batchOf(spans)).encodeRows(rows),
      zipkin_json: encodeZipkinJson(spans.map(toZipkinSpan)),
      jaeger_thrift: encodeJaegerThrift(spans.map(toJaegerSpan)),
    };
    for (const format of ['otlp_json', 'zipkin_json', 'jaeger_thrift'] as const) {
      const body = bodies[format];
      const [its, ours] = await Promise.all([
        thread.decode(format, body),
        decodeBetweenTurns(format, body),
      ]);
      assert.equal(its.result.accepted, 5000);
      assert.ok(its.batches.length > 1);
      assert.deepEqual(plain(its), plain(ours), format);
    }
  }));

test('a batcher writes what the thread decoded of a large body, small ones before it, and remembers it', () =>
  withThread(async (thread) => {
    const writes: { rows: number; requests: number }[] = [];
    const sink: TraceSink = {
      write: async (_tenant, { rows }, requests = []) =>
        void writes.push({ rows, requests: requests.length }),
    };
    const batcher = new TraceBatcher(sink, { decodeLarge: thread.decode });
    const body = largeBody();
    const answers = [ingest(batcher, body), ingest(batcher, bodyOf('small'))];
    assert.deepEqual(await Promise.all(answers), [taken(10_000), taken(1)]);
    assert.deepEqual(writes, [
      { rows: 1, requests: 1 },
      { rows: 4096, requests: 0 },
      { rows: 4096, requests: 0 },
      { rows: 1808, requests: 1 },
    ]);
    assert.deepEqual(await ingest(batcher, body), taken(10_000));
    await assert.rejects(ingest(batcher, body.subarray(0, -1)), withCode('malformed'));
    assert.equal(writes.length, 4);
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

/** A worker that answers when a test says so. */
class HeldWorker implements AskedWorker<DecodeRequest, DecodeReply> {
  readonly asked: { request: DecodeRequest; turn: PromiseWithResolvers<DecodeReply> }[] = [];

  request(make: (id: number) => DecodeRequest): Promise<DecodeReply> {
    const turn = Promise.withResolvers<DecodeReply>();
    this.asked.push({ request: make(this.asked.length), turn });
    return turn.promise;
  }

  notify(): void {}

  async close(): Promise<void> {}

  /** The tags of the bodies, in the order in which they came. */
  get tags(): number[] {
    return this.asked.map(({ request }) => request.body[0]!);
  }

  answer(index: number): void {
    const { request, turn } = this.asked[index]!;
    turn.resolve({
      id: request.id,
      batches: [],
      result: { accepted: request.body[0]!, rejected: 0, message: '' },
    });
  }

  die(...indices: number[]): void {
    for (const index of indices) {
      this.asked[index]!.turn.reject(new SpoorError('internal', 'out of memory'));
    }
  }
}

test('the thread has three bodies at a time, and gets a copy of the next when its turn comes', async () => {
  const worker = new HeldWorker();
  const thread = new DecodeThread(() => worker);
  const senders = [1, 2, 3, 4, 5, 6].map(() => new FakeSender());
  const bodies = senders.map((_, i) => Uint8Array.of(i + 1));
  const decoded = senders.map((sender, i) => thread.decode('otlp_proto', bodies[i]!, sender));
  await turn();
  assert.deepEqual(worker.tags, [1, 2, 3]);
  senders[3]!.leave();
  await assert.rejects(decoded[3]!, withCode('cancelled'));
  bodies[4]![0] = 50;
  worker.answer(1);
  assert.equal((await decoded[1]!).result.accepted, 2);
  await turn();
  assert.deepEqual(worker.tags, [1, 2, 3, 50]);
  for (const index of [0, 2, 3]) worker.answer(index);
  await until(() => worker.asked.length === 5);
  worker.answer(4);
  await Promise.all(decoded.toSpliced(3, 1));
});

test('bodies that the thread had when it died are decoded once more, alone', async () => {
  const worker = new HeldWorker();
  const thread = new DecodeThread(() => worker);
  const decoded = [1, 2, 3, 4].map((tag) => thread.decode('otlp_proto', Uint8Array.of(tag)));
  await turn();
  worker.answer(2);
  await turn();
  assert.deepEqual(worker.tags, [1, 2, 3, 4]);
  const waiting = thread.decode('otlp_proto', Uint8Array.of(5));
  const refused = assert.rejects(
    decoded[1]!,
    ({ code, cause }: SpoorError) => code === 'internal' && /out of memory/.test(String(cause)),
  );
  worker.die(0, 1, 3);
  const again: number[] = [];
  for (let next = 4; next < 8; next++) {
    await until(() => worker.asked.length > next);
    await turn();
    assert.equal(worker.asked.length, next + 1, 'alone');
    const tag = worker.tags[next]!;
    again.push(tag);
    if (tag === 2) worker.die(next);
    else worker.answer(next);
  }
  assert.deepEqual(
    again.toSorted((a, b) => a - b),
    [1, 2, 4, 5],
  );
  await refused;
  const others = await Promise.all([decoded[0]!, decoded[2]!, decoded[3]!, waiting]);
  assert.deepEqual(
    others.map(({ result }) => result.accepted),
    [1, 3, 4, 5],
  );
});

test('a body for which there was no memory beside others is decoded once more, alone', async () => {
  const worker = new HeldWorker();
  const thread = new DecodeThread(() => worker);
  const decoded = thread.decode('otlp_proto', Uint8Array.of(7));
  await turn();
  const { request, turn: first } = worker.asked[0]!;
  first.resolve({ id: request.id, fault: new RangeError('Array buffer allocation failed') });
  await until(() => worker.asked.length === 2);
  worker.answer(1);
  assert.equal((await decoded).result.accepted, 7);
});

const createMortal: CreateDecodeWorker = () =>
  createThread(new URL('./testing/mortal-worker.ts', import.meta.url), { maxHeapMib: 64 });

test('of a thread that dies of one body others get another', () =>
  withThread(async (thread) => {
    const deadly = thread.decode('otlp_proto', Uint8Array.of(DEADLY));
    const others = [1, 2, 3, 4].map((size) => thread.decode('otlp_proto', new Uint8Array(size)));
    await assert.rejects(deadly, withCode('internal'));
    const sizes = (await Promise.all(others)).map(({ result }) => result.accepted);
    assert.deepEqual(sizes, [1, 2, 3, 4]);
  }, createMortal));

test('an error that is not for senders is not one of ours either when it comes from the thread', () =>
  withThread(async (thread) => {
    const decoded = thread.decode('zipkin_json', Uint8Array.of(DEADLY));
    await assert.rejects(
      decoded,
      (error) => error instanceof TypeError && /mortal/.test(error.stack!),
    );
  }, createMortal));

test('when the thread is ended, what it was asked is rejected', async () => {
  const thread = new DecodeThread();
  await thread.shutdown();
  await assert.rejects(thread.decode('otlp_proto', largeBody()), withCode('unavailable'));
});
