// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';
import { decodeResource } from '@spoor/core/model/value-decoder.ts';
import { attributes, resource, span } from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import {
  bodyOf,
  HeldWriter,
  ingest,
  largeBody,
  named,
  taken,
  turn,
  until,
  withCode,
} from './testing/held-writer.ts';
import { TraceBatcher } from './trace-batcher.ts';

test('a malformed request is refused and leaves nothing in the batch of its neighbours', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  void ingest(batcher, bodyOf('first'));
  const good = [bodyOf('a', 'b'), bodyOf('c')];
  const odd = encodeSpans([
    span({ name: 'odd', resource: resource('odd'), attributes: attributes({ odd: 'odd' }) }),
    ...named('a'),
  ]);
  const answers = [ingest(batcher, good[0]!)];
  for (const cut of [1, 10, odd.length - 1]) {
    await assert.rejects(ingest(batcher, odd.subarray(0, cut)), withCode('malformed'));
  }
  answers.push(ingest(batcher, good[1]!));
  await store.writes[0]!.end();
  await store.writes[1]!.end();
  assert.deepEqual(await Promise.all(answers), [taken(2), taken(1)]);

  // The same requests without it make the same batch, to the byte.
  const other = new HeldWriter();
  const clean = new TraceBatcher(other);
  void ingest(clean, bodyOf('first'));
  for (const body of good) void ingest(clean, body);
  await other.writes[0]!.end();
  assert.deepEqual(
    Buffer.from(store.writes[1]!.batch.bytes),
    Buffer.from(other.writes[1]!.batch.bytes),
  );
});

test('a request with more keys than may be is refused, small or large, and its neighbours are not', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const keys = (count: number, first: string): Uint8Array =>
    encodeSpans([
      span({
        name: first,
        attributes: Array.from({ length: count }, (_, i) => ({
          key: first + i.toString(36),
          value: { type: 'absent' },
        })),
      }),
    ]);
  const many = keys(65_537, '');
  const manyAndLong = keys(65_537, 'long');
  // Larger bodies are decoded in slices.
  assert.ok(many.length < 512 << 10 && manyAndLong.length > 512 << 10);
  void ingest(batcher, bodyOf('first'));
  // Two that have as many as may be: the second one does not count the keys of the first.
  const answers = ['a', 'b'].map((name) => ingest(batcher, keys(33_000, name)));
  await assert.rejects(ingest(batcher, many), withCode('too_large'));
  await assert.rejects(ingest(batcher, manyAndLong), withCode('too_large'));
  answers.push(ingest(batcher, bodyOf('c')));
  for (let write = 0; write < 4; write++) {
    await turn();
    await store.writes[write]!.end();
  }
  assert.deepEqual(await Promise.all(answers), [taken(1), taken(1), taken(1)]);
});

test('a malformed request that is alone writes nothing, and the next one is served', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  await assert.rejects(ingest(batcher, Uint8Array.of(0xff, 0xff, 1)), withCode('malformed'));
  assert.equal(store.writes.length, 0);
  const answer = ingest(batcher, bodyOf('a'));
  await turn();
  await store.writes[0]!.end();
  assert.deepEqual(await answer, taken(1));
});

test('a write that fails is told to all its requests, and when they come again they are written', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const first = ingest(batcher, bodyOf('first'));
  const bodies = [bodyOf('a'), bodyOf('b')];
  const lost = [...bodies, bodies[0]!].map((body) => ingest(batcher, body));
  await store.writes[0]!.end();
  await first;
  const failure = new SpoorError('overloaded', 'the disk is full', { retryAfterMs: 1000 });
  const outcome = Promise.allSettled(lost);
  await store.writes[1]!.fail(failure);
  for (const result of await outcome) {
    assert.ok(result.status === 'rejected' && result.reason === failure);
  }
  const again = bodies.map((body) => ingest(batcher, body));
  await turn();
  assert.deepEqual(store.names().slice(2), [['a']]);
  await store.writes[2]!.end();
  await store.writes[3]!.end();
  assert.deepEqual(await Promise.all(again), [taken(1), taken(1)]);
  assert.deepEqual(store.names().slice(3), [['b']]);
});

test('what waits is written also when the write before failed', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const lost = assert.rejects(ingest(batcher, bodyOf('a')), /broken/);
  const next = ingest(batcher, bodyOf('b'));
  await turn();
  await store.writes[0]!.fail(new Error('broken'));
  await lost;
  await store.writes[1]!.end();
  assert.deepEqual(await next, taken(1));
});

test('a large body that is malformed at its end writes nothing', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const large = largeBody();
  await assert.rejects(ingest(batcher, large.subarray(0, -1)), withCode('malformed'));
  assert.deepEqual(store.writes, []);
});

test('a large body whose write fails is forgotten, and can come again', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const large = largeBody();
  const lost = assert.rejects(ingest(batcher, large), withCode('overloaded'));
  await until(() => store.writes.length === 2);
  await store.writes[0]!.end();
  await store.writes[1]!.fail(new SpoorError('overloaded', 'full'));
  await lost;
  assert.equal(store.writes.length, 2);
  const again = ingest(batcher, large);
  await until(() => store.writes.length === 4);
  for (const i of [2, 3, 4]) await store.writes[i]!.end();
  assert.deepEqual(await again, taken(10_000));
});

test('a request that is not admitted leaves nothing behind, and those that share its batch are written', async () => {
  const store = new HeldWriter();
  const asked: string[][] = [];
  const batcher = new TraceBatcher(store, {
    admit: (_tenant, parts) => {
      const services = parts.flatMap(({ resource: codes, resources, start, end }) =>
        Array.from(
          codes.subarray(start, end),
          (code) => decodeResource(symbolBytes(resources, code)).serviceName,
        ),
      );
      asked.push(services);
      if (services.includes('busy')) throw new SpoorError('overloaded', 'over its limit');
    },
  });
  const body = (name: string, ...services: readonly string[]) =>
    encodeSpans(services.map((service) => span({ name, resource: resource(service) })));
  const first = ingest(batcher, body('a', 'x'));
  const others = [body('b', 'y', 'z'), body('c', 'x', 'busy'), body('d', 'y')].map((one) =>
    ingest(batcher, one),
  );
  await assert.rejects(others[1]!, withCode('overloaded'));
  assert.deepEqual(asked, [['x'], ['y', 'z'], ['x', 'busy'], ['y']]);
  await store.writes[0]!.end();
  assert.deepEqual(store.names(), [['a'], ['b', 'b', 'd']]);
  assert.equal(store.writes[1]!.requests.length, 2);
  await store.writes[1]!.end();
  assert.deepEqual(await Promise.all([first, others[0], others[2]]), [
    taken(1),
    taken(2),
    taken(1),
  ]);
});

test('a large request is admitted as a whole', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store, {
    admit: (_tenant, parts) => {
      const count = parts.reduce((sum, { start, end }) => sum + end - start, 0);
      throw new SpoorError('overloaded', `${count} spans`);
    },
  });
  await assert.rejects(ingest(batcher, largeBody()), { message: '10000 spans' });
  assert.equal(store.writes.length, 0);
});

test('a batch that is refused for good is written again request by request, and only the bad one is refused', async () => {
  const store = new HeldWriter();
  const asked: number[] = [];
  const batcher = new TraceBatcher(store, { admit: (_tenant, parts) => asked.push(parts.length) });
  const first = ingest(batcher, bodyOf('a'));
  const others = ['b', 'bad', 'c'].map((name) => ingest(batcher, bodyOf(name)));
  const ends = Promise.allSettled(others);
  await store.writes[0]!.end();
  const refusal = new SpoorError('malformed', 'an id is missing');
  await store.writes[1]!.fail(refusal);
  for (let write = 2; write < 5; write++) {
    await until(() => store.writes.length > write);
    const isBad = store.names()[write]!.includes('bad');
    await (isBad ? store.writes[write]!.fail(refusal) : store.writes[write]!.end());
  }
  assert.deepEqual(await first, taken(1));
  assert.deepEqual(
    (await ends).map((end) => (end.status === 'fulfilled' ? end.value : end.reason)),
    [taken(1), refusal, taken(1)],
  );
  assert.deepEqual(store.names(), [['a'], ['b', 'bad', 'c'], ['b'], ['bad'], ['c']]);
  assert.deepEqual(
    store.writes.map(({ requests }) => requests.length),
    [1, 3, 1, 1, 1],
  );
  // Each was asked for once: their limits have paid.
  assert.equal(asked.length, 4);
});

test('what says nothing of a request is told to all that share the batch', async () => {
  for (const code of ['unavailable', 'config'] as const) {
    const store = new HeldWriter();
    const batcher = new TraceBatcher(store);
    const first = ingest(batcher, bodyOf('a'));
    const ends = Promise.allSettled(['b', 'c'].map((name) => ingest(batcher, bodyOf(name))));
    await store.writes[0]!.end();
    await first;
    await store.writes[1]!.fail(new SpoorError(code, code));
    for (const { status } of await ends) assert.equal(status, 'rejected');
    assert.equal(store.writes.length, 2);
  }
});

test('what can come once only goes its own way', async () => {
  const store = new HeldWriter();
  const onceStore = new HeldWriter();
  const batcher = new TraceBatcher(store, { onceSink: onceStore });
  const ends = ['a', 'b', 'c', 'd'].map((name, i) =>
    batcher.ingest(DEFAULT_TENANT, 'otlp_proto', bodyOf(name), { once: i % 2 === 1 }),
  );
  assert.deepEqual([store.names(), onceStore.names()], [[['a']], [['b']]]);
  for (const { writes } of [store, onceStore]) {
    await writes[0]!.end();
    await writes[1]!.end();
  }
  await Promise.all(ends);
  assert.deepEqual(
    [store.names(), onceStore.names()],
    [
      [['a'], ['c']],
      [['b'], ['d']],
    ],
  );
});
