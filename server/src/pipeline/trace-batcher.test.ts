// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader, symbolBytes } from '@spoor/core/model/span-reader.ts';
import { decodeResource } from '@spoor/core/model/value-decoder.ts';
import {
  attributes,
  resource,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import type { RequestRecord, StoredRequest, TraceWriter } from '#storage/tracestore.ts';
import { requestDigest, RequestMemory } from './request-memory.ts';
import { TraceBatcher } from './trace-batcher.ts';

/** A write that the store was asked for; the test says when and how it ends. */
interface Write {
  readonly tenant: Tenant;
  readonly spans: readonly Span[];
  readonly requests: readonly RequestRecord[];
  readonly batch: SpanBatch;
  end(): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A writer whose writes end when they are told to. */
class HeldWriter implements TraceWriter {
  readonly writes: Write[] = [];
  readonly stored: StoredRequest[] = [];

  write(tenant: Tenant, batch: SpanBatch, requests: readonly RequestRecord[] = []): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const reader = new SpanReader(batch);
    const spans = Array.from({ length: batch.rows }, (_, row) => reader.read(row));
    this.writes.push({
      tenant,
      spans,
      requests,
      batch,
      end: () => {
        resolve();
        return turn();
      },
      fail: (error) => {
        reject(error);
        return turn();
      },
    });
    return promise;
  }

  recentRequests(): readonly StoredRequest[] {
    return this.stored;
  }

  /** Names of the spans of each write. */
  names(): string[][] {
    return this.writes.map(({ spans }) => spans.map(({ name }) => name));
  }
}

/** Lets everything run that can run without an event from outside. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets turns pass until something is so. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 10_000; i++) {
    if (condition()) return;
    await turn();
  }
  assert.fail('it never was so');
}

function named(...names: string[]): Span[] {
  return names.map((name, i) => span({ name, spanId: spanId(i + 1) }));
}

function bodyOf(...names: string[]): Uint8Array {
  return encodeSpans(named(...names));
}

function ingest(
  batcher: TraceBatcher,
  body: Uint8Array,
  signal?: AbortSignal,
  tenant = DEFAULT_TENANT,
) {
  return batcher.ingest(tenant, 'otlp_proto', body, signal === undefined ? {} : { signal });
}

const taken = (accepted: number) => ({ accepted, rejected: 0, message: '' });

function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SpoorError && error.code === code;
}

/** A body over 1 MiB of so many spans. */
function largeBody(count = 10_000, seed = 0): Uint8Array {
  const filler = 'x'.repeat(Math.ceil((1 << 20) / count));
  return encodeSpans(
    Array.from({ length: count }, (_, i) =>
      span({
        traceId: traceId(seed + 1),
        spanId: spanId(i + 1),
        attributes: attributes({ filler }),
      }),
    ),
  );
}

test('a request that comes alone is written at once and answered when it is durable', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const body = bodyOf('a', 'b');
  let answered = false;
  const answer = ingest(batcher, body).finally(() => (answered = true));
  await turn();
  assert.equal(answered, false);
  const [write] = store.writes;
  assert.deepEqual(write!.spans, named('a', 'b'));
  assert.equal(write!.tenant, DEFAULT_TENANT);
  const digest = requestDigest(DEFAULT_TENANT, 'otlp_proto', body);
  assert.deepEqual(write!.requests, [{ digest, ...taken(2) }]);
  await write!.end();
  assert.deepEqual(await answer, taken(2));
});

test('requests that come during a write share the next one', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const answers = ['a', 'b', 'c'].map((name) => ingest(batcher, bodyOf(name)));
  await turn();
  assert.deepEqual(store.names(), [['a']]);
  await store.writes[0]!.end();
  answers.push(ingest(batcher, bodyOf('d')));
  await turn();
  assert.deepEqual(store.names(), [['a'], ['b', 'c']]);
  assert.equal(store.writes[1]!.requests.length, 2);
  await store.writes[1]!.end();
  assert.deepEqual(store.names(), [['a'], ['b', 'c'], ['d']]);
  await store.writes[2]!.end();
  assert.deepEqual(await Promise.all(answers), [taken(1), taken(1), taken(1), taken(1)]);
  // When all is quiet again a request does not wait.
  void ingest(batcher, bodyOf('e'));
  await turn();
  assert.equal(store.writes.length, 4);
});

test('a batch that is full does not wait for the write before', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  void ingest(batcher, bodyOf('first'));
  const spans = Array.from({ length: 1500 }, (_, i) => span({ spanId: spanId(i + 1) }));
  for (let i = 0; i < 4; i++) {
    void ingest(batcher, encodeSpans(spans.map((one) => ({ ...one, traceId: traceId(i + 2) }))));
  }
  await turn();
  assert.deepEqual(
    store.writes.map(({ spans: list }) => list.length),
    [1, 4500],
  );
  // 1,500 spans wait; large bodies fill a batch as well.
  for (const name of ['x', 'y', 'z']) void ingest(batcher, bodyOf(name.repeat(900_000)));
  await turn();
  assert.deepEqual(
    store.writes.map(({ spans: list }) => list.length),
    [1, 4500, 1503],
  );
});

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

test('spans that are invalid are left out and told, and the others are written', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const mixed = [
    ...named('a'),
    // An id that is all zeros is none.
    span({ name: 'bad', traceId: '0'.repeat(32) as Span['traceId'] }),
    ...named('b'),
  ];
  const answer = ingest(batcher, encodeSpans(mixed));
  await turn();
  assert.deepEqual(store.names(), [['a', 'b']]);
  await store.writes[0]!.end();
  const { accepted, rejected, message } = await answer;
  assert.deepEqual([accepted, rejected], [2, 1]);
  assert.match(message, /trace id is all zeros/);
  assert.deepEqual(store.writes[0]!.requests[0]!.message, message);
});

test('a request of invalid spans only is answered without a write, and so is one without spans', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const bad = span({ spanId: '0'.repeat(16) as Span['spanId'] });
  const answer = await ingest(batcher, encodeSpans([bad, bad]));
  assert.deepEqual([answer.accepted, answer.rejected], [0, 2]);
  assert.notEqual(answer.message, '');
  assert.deepEqual(await ingest(batcher, encodeSpans([])), taken(0));
  // A ResourceSpans with nothing in it.
  assert.deepEqual(await ingest(batcher, Uint8Array.of(10, 0)), taken(0));
  assert.deepEqual(store.writes, []);
});

test('an empty body is an empty request in both formats', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  for (const format of ['otlp_proto', 'otlp_json'] as const) {
    assert.deepEqual(await batcher.ingest(DEFAULT_TENANT, format, new Uint8Array(0)), taken(0));
  }
  assert.deepEqual(store.writes, []);
});

test('the same body is stored once, whether the first is under way, waiting or done', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const [first, second] = [bodyOf('a'), bodyOf('b', 'c')];
  const answers = [first, second, first, second, second].map((body) => ingest(batcher, body));
  await turn();
  await store.writes[0]!.end();
  await store.writes[1]!.end();
  assert.deepEqual(await Promise.all(answers), [1, 2, 1, 2, 2].map(taken));
  assert.deepEqual(await ingest(batcher, Uint8Array.from(first)), taken(1));
  assert.deepEqual(await ingest(batcher, Uint8Array.from(second)), taken(2));
  assert.deepEqual(store.names(), [['a'], ['b', 'c']]);
});

test('the same body of another tenant or in another format is another request', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const body = bodyOf('a');
  void ingest(batcher, body);
  void ingest(batcher, body, undefined, parseTenant('other'));
  await turn();
  assert.equal(store.writes.length, 2);
  await assert.rejects(batcher.ingest(DEFAULT_TENANT, 'otlp_json', body), withCode('malformed'));
});

test('batches of two tenants do not mix or wait for each other', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const [one, two] = [parseTenant('one'), parseTenant('two')];
  void ingest(batcher, bodyOf('a'), undefined, one);
  void ingest(batcher, bodyOf('b'), undefined, two);
  void ingest(batcher, bodyOf('c'), undefined, one);
  void ingest(batcher, bodyOf('d'), undefined, two);
  void ingest(batcher, bodyOf('e'), undefined, one);
  await store.writes[0]!.end();
  assert.deepEqual(
    store.writes.map(({ tenant, spans }) => [tenant, spans.map(({ name }) => name)]),
    [
      [one, ['a']],
      [two, ['b']],
      [one, ['c', 'e']],
    ],
  );
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

test('a large body is decoded in slices, so that others are served meanwhile, and written in several batches', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const large = largeBody();
  const answer = ingest(batcher, large);
  const small = ingest(batcher, bodyOf('small'));
  await turn();
  assert.deepEqual(store.names(), [['small']]);
  await store.writes[0]!.end();
  assert.deepEqual(await small, taken(1));
  await until(() => store.writes.length === 3);
  const first = store.writes.slice(1);
  assert.ok(first.every(({ requests }) => requests.length === 0));
  for (const write of first) await write.end();
  // The last one says that the request is stored, so it goes when all others are.
  assert.equal(store.writes.length, 4);
  const last = store.writes[3]!;
  const digest = requestDigest(DEFAULT_TENANT, 'otlp_proto', large);
  assert.deepEqual(last.requests, [{ digest, ...taken(10_000) }]);
  await last.end();
  assert.deepEqual(await answer, taken(10_000));
  const ids = store.writes.slice(1).flatMap(({ spans }) => spans.map((one) => one.spanId));
  assert.deepEqual(
    ids,
    Array.from({ length: 10_000 }, (_, i) => spanId(i + 1)),
  );
  assert.deepEqual(await ingest(batcher, large), taken(10_000));
  assert.equal(store.writes.length, 4);
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

test('a sender that went away is not served, before the request is decoded', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  await assert.rejects(ingest(batcher, bodyOf('a'), AbortSignal.abort()), withCode('cancelled'));
  const controller = new AbortController();
  const large = ingest(batcher, largeBody(), controller.signal);
  controller.abort();
  await assert.rejects(large, withCode('cancelled'));
  assert.equal(store.writes.length, 0);
  // Once it is decoded it is stored, since the sender cannot know.
  const late = new AbortController();
  const answer = ingest(batcher, bodyOf('b'), late.signal);
  late.abort();
  await store.writes[0]!.end();
  assert.deepEqual(await answer, taken(1));
});

test('a body that comes again while its first sender goes away is stored all the same', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const large = largeBody();
  const controller = new AbortController();
  const first = assert.rejects(ingest(batcher, large, controller.signal), withCode('cancelled'));
  const others = [ingest(batcher, large), ingest(batcher, large)];
  controller.abort();
  await first;
  await until(() => store.writes.length === 2);
  for (const i of [0, 1, 2]) await store.writes[i]!.end();
  assert.deepEqual(await Promise.all(others), [taken(10_000), taken(10_000)]);
  assert.equal(store.writes.length, 3);
});

test('a body may be overwritten once it is answered', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const spans = Array.from({ length: 20 }, (_, i) =>
    span({ traceId: traceId(i + 1), resource: resource(`service ${i}`) }),
  );
  const body = encodeSpans(spans);
  const answer = ingest(batcher, body);
  await turn();
  await store.writes[0]!.end();
  await answer;
  body.fill(0xff);
  void ingest(batcher, encodeSpans(spans.toReversed()));
  await turn();
  assert.deepEqual(store.writes[1]!.spans, spans.toReversed());
});

test('requests in both formats share a batch', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const json = (name: string) =>
    Buffer.from(
      JSON.stringify({
        resourceSpans: [
          { scopeSpans: [{ spans: [{ traceId: traceId(1), spanId: spanId(1), name }] }] },
        ],
      }),
    );
  const answers = [
    ingest(batcher, bodyOf('first')),
    ingest(batcher, bodyOf('proto')),
    batcher.ingest(DEFAULT_TENANT, 'otlp_json', json('json')),
  ];
  await assert.rejects(
    batcher.ingest(DEFAULT_TENANT, 'otlp_json', json('cut').subarray(0, 60)),
    withCode('malformed'),
  );
  await store.writes[0]!.end();
  assert.deepEqual(store.names(), [['first'], ['proto', 'json']]);
  await store.writes[1]!.end();
  assert.deepEqual(await Promise.all(answers), [taken(1), taken(1), taken(1)]);
});

test('requests from before a restart are known again, with their answers', async () => {
  const store = new HeldWriter();
  const now = 1_763_800_000_000;
  const body = bodyOf('a', 'b');
  const answer = { accepted: 2, rejected: 3, message: 'three were bad' };
  store.stored.push({
    digest: new Uint8Array(requestDigest(DEFAULT_TENANT, 'otlp_proto', body)),
    tenant: DEFAULT_TENANT,
    writtenUnixMs: now - 1000,
    ...answer,
  });
  const batcher = new TraceBatcher(store, { memory: new RequestMemory(() => now) });
  batcher.recall(store.recentRequests());
  assert.deepEqual(await ingest(batcher, body), answer);
  assert.deepEqual(store.writes, []);
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
