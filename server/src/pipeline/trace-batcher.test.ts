// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { link, resource, span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import { requestDigest } from './request-digest.ts';
import { RequestMemory } from './request-memory.ts';
import { FakeSender } from './testing/fake-sender.ts';
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

test('a batch that could be written waits for what is gathered, once, and so does the one behind a write', async () => {
  const store = new HeldWriter();
  const ends: (() => void)[] = [];
  const counts: (() => number)[] = [];
  const batcher = new TraceBatcher(store, {
    gather(count, done) {
      counts.push(count);
      ends.push(done);
    },
  });
  void ingest(batcher, bodyOf('a'));
  void ingest(batcher, bodyOf('b'));
  await turn();
  assert.deepEqual(store.names(), []);
  assert.deepEqual(
    counts.map((count) => count()),
    [2],
  );
  ends.shift()!();
  assert.deepEqual(store.names(), [['a', 'b']]);
  void ingest(batcher, bodyOf('c'));
  await turn();
  // It is the write that it waits for.
  assert.equal(ends.length, 0);
  await store.writes[0]!.end();
  void ingest(batcher, bodyOf('d'));
  await turn();
  assert.equal(store.writes.length, 1);
  ends.shift()!();
  assert.deepEqual(store.names(), [
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('a batch that becomes full while it is gathered is written, and nothing after it', async () => {
  const store = new HeldWriter();
  const ends: (() => void)[] = [];
  const batcher = new TraceBatcher(store, { gather: (_count, done) => ends.push(done) });
  void ingest(batcher, bodyOf('a'));
  void ingest(batcher, bodyOf(...Array.from({ length: 4096 }, (_, i) => `span ${i}`)));
  await turn();
  assert.equal(store.writes.length, 1);
  assert.equal(ends.length, 1);
  ends.shift()!();
  await store.writes[0]!.end();
  assert.equal(store.writes.length, 1);
  void ingest(batcher, bodyOf('b'));
  await turn();
  ends.shift()!();
  assert.deepEqual(store.names()[1], ['b']);
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
  for (const name of 'vwxyz') void ingest(batcher, bodyOf(name.repeat(450_000)));
  await turn();
  assert.deepEqual(
    store.writes.map(({ spans: list }) => list.length),
    [1, 4500, 1505],
  );
});

test('requests that become much more than they were do not share a batch', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  void ingest(batcher, bodyOf('first'));
  const empty = { ...link(span()), traceId: '', spanId: '' } as const;
  const links = Array.from({ length: 120_000 }, () => empty);
  for (let i = 0; i < 3; i++) {
    const spans = [1, 2].map((id) => span({ traceId: traceId(i + 2), spanId: spanId(id), links }));
    void ingest(batcher, encodeSpans(spans));
  }
  await turn();
  assert.deepEqual(
    store.writes.map(({ spans: list }) => list.length),
    [1, 2, 2, 2],
  );
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

test('a sender that went away is not served, before the request is decoded', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  await assert.rejects(
    ingest(batcher, bodyOf('a'), new FakeSender().leave()),
    withCode('cancelled'),
  );
  const sender = new FakeSender();
  const large = ingest(batcher, largeBody(), sender);
  sender.leave();
  await assert.rejects(large, withCode('cancelled'));
  assert.equal(store.writes.length, 0);
  // Once it is decoded it is stored, since the sender cannot know.
  const late = new FakeSender();
  const answer = ingest(batcher, bodyOf('b'), late);
  late.leave();
  await store.writes[0]!.end();
  assert.deepEqual(await answer, taken(1));
});

test('a body that comes again while its first sender goes away is stored all the same', async () => {
  const store = new HeldWriter();
  const batcher = new TraceBatcher(store);
  const large = largeBody();
  const sender = new FakeSender();
  const first = assert.rejects(ingest(batcher, large, sender), withCode('cancelled'));
  const others = [ingest(batcher, large), ingest(batcher, large)];
  sender.leave();
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
