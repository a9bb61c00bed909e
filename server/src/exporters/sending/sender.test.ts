// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { requestOf, TestClock } from '#exporters/testing/example-requests.ts';
import { Destinations } from './destinations.ts';
import { decodeRequest } from './request-encoder.ts';
import { Sender, type SenderOptions } from './sender.ts';
import type { ExportAnswer, ExportRequest, Transport } from './transport.ts';

/** A server that answers as the test says. */
class FakeServer implements Transport {
  readonly asked: ExportRequest[] = [];
  isClosed = false;
  answer: () => ExportAnswer | Promise<ExportAnswer> = () => ({ rejectedSpans: 0, message: '' });

  async send(request: ExportRequest): Promise<ExportAnswer> {
    this.asked.push(request);
    return await this.answer();
  }

  close(): void {
    this.isClosed = true;
  }

  fails(
    code: 'unavailable' | 'overloaded' | 'malformed' | 'config' = 'unavailable',
    retryAfterMs = 0,
  ): void {
    this.answer = () => Promise.reject(new SpoorError(code, code, { retryAfterMs }));
  }

  works(): void {
    this.answer = () => ({ rejectedSpans: 0, message: '' });
  }
}

interface Bed {
  readonly sender: Sender;
  readonly destinations: Destinations;
  readonly clock: TestClock;
  readonly log: string[];
  readonly ips: { list: string[] };
  readonly server: (ip: string) => FakeServer;
  readonly send: (request: ExportRequest) => Promise<void>;
}

const NEVER = new AbortController().signal;
const RETRY = {
  initialIntervalMs: 100,
  maxIntervalMs: 1000,
  multiplier: 2,
  maxElapsedTimeMs: 10_000,
};

async function bed(ips: string[], given: Partial<SenderOptions> = {}): Promise<Bed> {
  const clock = new TestClock();
  const log: string[] = [];
  const logger = { warn: (_: object, message: string): void => void log.push(message) };
  const servers = new Map<string, FakeServer>();
  const server = (ip: string): FakeServer => {
    const known = servers.get(ip) ?? new FakeServer();
    servers.set(ip, known);
    return known;
  };
  const current = { list: ips };
  const destinations = new Destinations({
    servers: [{ host: 'collector', port: 4317, path: '', isPlain: true }],
    resolveIntervalMs: 60_000,
    breaker: { failureThreshold: 2, openMs: 1000, maxOpenMs: 4000 },
    connect: ({ ip }) => server(ip),
    logger,
    resolve: () =>
      current.list.length === 0
        ? Promise.reject(new Error('ENOTFOUND'))
        : Promise.resolve(current.list.toReversed()),
    later: clock.later,
    nowMs: () => clock.nowMs,
  });
  await destinations.start();
  const sender = new Sender({
    path: 'exporters.otlp',
    destinations,
    routing: 'round_robin',
    retry: RETRY,
    isKept: false,
    isOtlp: true,
    maxRequestBytes: 1 << 20,
    logger,
    later: clock.later,
    random: () => 0.5,
    nowMs: () => clock.nowMs,
    ...given,
  });
  const send = (request: ExportRequest): Promise<void> => sender.send(request, NEVER);
  return { sender, destinations, clock, log, ips: current, server, send };
}

function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SpoorError && error.code === code;
}

/** Spans of so many traces, in turns. */
function batchOfTraces(traces: number): SpanBatch {
  return batchOf(
    Array.from({ length: 3 * traces }, (_, i) =>
      span({ traceId: traceId(1 + (i % traces)), spanId: spanId(i + 1) }),
    ),
  );
}

/** Last word of the trace ids in requests. */
function tracesOf(requests: readonly ExportRequest[]): Set<number> {
  const traces = new Set<number>();
  for (const request of requests) {
    const { traceId: ids, rows } = decodeRequest(request);
    const words = new DataView(ids.buffer, ids.byteOffset);
    for (let row = 0; row < rows; row++) traces.add(words.getUint32(row * 16 + 12));
  }
  return traces;
}

test('requests go to all addresses of a name in turn', async () => {
  const { server, send } = await bed(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  for (let i = 0; i < 9; i++) await send(requestOf(i));
  for (const ip of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) assert.equal(server(ip).asked.length, 3);
});

test('of a host with addresses of both kinds the older ones are used', async () => {
  const { server, send } = await bed(['::1', '127.0.0.1']);
  for (let i = 0; i < 4; i++) await send(requestOf(i));
  assert.deepEqual([server('::1').asked.length, server('127.0.0.1').asked.length], [0, 4]);
});

test('a server that fails is passed by at once, left alone after some failures, and comes back', async () => {
  const { server, send, sender, destinations, clock } = await bed(['10.0.0.1', '10.0.0.2']);
  server('10.0.0.1').fails();
  for (let i = 0; i < 10; i++) await send(requestOf(i));
  assert.equal(server('10.0.0.1').asked.length, 2);
  assert.equal(server('10.0.0.2').asked.length, 10);
  assert.equal(destinations.list[0]!.breaker.state, 'open');
  assert.equal(sender.figures.retries, 0);
  server('10.0.0.1').works();
  await clock.pass(1000);
  for (let i = 0; i < 10; i++) await send(requestOf(i));
  assert.equal(destinations.list[0]!.breaker.state, 'closed');
  assert.ok(server('10.0.0.1').asked.length >= 6);
  assert.equal(sender.figures.sentSpans, 20);
});

test('a request that is kept is tried again after pauses that grow, with the same bytes', async () => {
  const { server, send, sender, clock } = await bed(['10.0.0.1'], { isKept: true });
  server('10.0.0.1').fails();
  const sent = send(requestOf(1));
  await clock.pass(50);
  assert.equal(server('10.0.0.1').asked.length, 2);
  // The breaker is open now: tries wait for it.
  server('10.0.0.1').works();
  for (let i = 0; i < 40; i++) await clock.pass(100);
  await sent;
  const bodies = server('10.0.0.1').asked.map(({ body }) => Buffer.from(body));
  assert.equal(bodies.length, 3);
  for (const body of bodies) assert.deepEqual(body, bodies[0]);
  assert.equal(sender.figures.sentSpans, 1);
});

test('where a sender waits, a server that took long to fail is not followed by another', async () => {
  const ips = ['10.0.0.1', '10.0.0.2'];
  for (const isKept of [false, true]) {
    const { server, send, clock } = await bed(ips, { retry: undefined, isKept });
    for (const ip of ips) {
      server(ip).answer = () => {
        clock.nowMs += 5000;
        return Promise.reject(new SpoorError('unavailable', 'no answer in 5000 ms'));
      };
    }
    await assert.rejects(send(requestOf(1)), withCode('unavailable'));
    assert.equal(ips.flatMap((ip) => server(ip).asked).length, isKept ? 2 : 1);
  }
});

test('where a sender waits, it hears at once when no server is to be tried', async () => {
  const { server, send, clock } = await bed(['10.0.0.1']);
  server('10.0.0.1').fails();
  const first = assert.rejects(send(requestOf(1)), withCode('unavailable'));
  await clock.pass(50);
  await first;
  const hint = (error: unknown): boolean =>
    error instanceof SpoorError && error.retryAfterMs === 1000;
  await assert.rejects(send(requestOf(2)), hint);
  assert.equal(server('10.0.0.1').asked.length, 2);
});

test('a pause is as long as the server asks, and what takes too long goes back to who sent it', async () => {
  const { server, send, sender, clock } = await bed(['10.0.0.1']);
  server('10.0.0.1').fails('overloaded', 3000);
  const ended = assert.rejects(send(requestOf(1)), withCode('overloaded'));
  await clock.pass(3049);
  assert.equal(server('10.0.0.1').asked.length, 1);
  await clock.pass(1);
  assert.equal(server('10.0.0.1').asked.length, 2);
  server('10.0.0.1').fails('overloaded', 8000);
  for (let i = 0; i < 10; i++) await clock.pass(1000);
  await ended;
  assert.deepEqual([sender.figures.failedSpans, sender.figures.sentSpans], [1, 0]);
});

test('without tries of its own a failure goes back at once, with the hint of the server', async () => {
  const { server, send } = await bed(['10.0.0.1'], { retry: undefined });
  server('10.0.0.1').fails('overloaded', 3000);
  const hint = (error: unknown): boolean =>
    error instanceof SpoorError && error.retryAfterMs === 3000;
  await assert.rejects(send(requestOf(1)), hint);
  await assert.rejects(send(requestOf(2)), hint);
  await assert.rejects(send(requestOf(3)), /left alone for a while/);
  assert.equal(server('10.0.0.1').asked.length, 2);
});

test('what a server refuses for good is dropped and counted, and the server is well', async () => {
  const { server, send, sender, destinations, log } = await bed(['10.0.0.1', '10.0.0.2']);
  server('10.0.0.1').fails('malformed');
  server('10.0.0.2').answer = () => ({ rejectedSpans: 1, message: 'an id is missing' });
  for (let i = 0; i < 4; i++) {
    await assert.rejects(send(requestOf(i)), withCode('malformed'));
    await send(requestOf(i));
  }
  const { droppedSpans, sentSpans, failedSpans } = sender.figures;
  const dropped = [...droppedSpans].filter(([, spans]) => spans > 0);
  assert.deepEqual(Object.fromEntries(dropped), { malformed: 4, partial_success: 4 });
  assert.deepEqual([sentSpans, failedSpans], [0, 0]);
  assert.equal(destinations.list[0]!.breaker.state, 'closed');
  assert.match(log[0]!, /^exporters.otlp: 1 spans are dropped: malformed$/);
});

test('what waited in the queue of another exporter, and is no request, is dropped and counted', async () => {
  const { server, sender, send } = await bed(['10.0.0.1'], { isKept: true });
  server('10.0.0.1').fails('malformed');
  const foreign = { ...requestOf(2), body: Buffer.from('SPK\x01') };
  await assert.rejects(send({ ...foreign, spans: 2 }), withCode('malformed'));
  assert.equal(sender.figures.droppedSpans.get('malformed'), 2);
});

test('of a request that is kept only what is to blame is dropped, in a bounded number of tries', async () => {
  const { server, sender, send } = await bed(['10.0.0.1'], { isKept: true });
  const [whole] = sender.requestsOf(DEFAULT_TENANT, batchOfTraces(60));
  const refused = new SpoorError('malformed', 'trace 7 is bad');
  const one = server('10.0.0.1');
  one.answer = () =>
    tracesOf(one.asked.slice(-1)).has(7)
      ? Promise.reject(refused)
      : { rejectedSpans: 0, message: '' };
  await assert.rejects(send(whole!), refused);
  const { droppedSpans, sentSpans } = sender.figures;
  const dropped = droppedSpans.get('malformed')!;
  // Its three spans are in three of 32 parts of five or six spans.
  assert.ok(dropped >= 3 && dropped <= 18, `${dropped} are dropped`);
  assert.equal(sentSpans + dropped, 180);
  assert.ok(one.asked.length <= 63);
  one.fails('malformed');
  one.asked.length = 0;
  await assert.rejects(send(whole!), withCode('malformed'));
  assert.equal(one.asked.length, 63);
});

test('where requests are kept, what can be put right is tried again until it is', async () => {
  const dropping = await bed(['10.0.0.1']);
  dropping.server('10.0.0.1').fails('config');
  await assert.rejects(dropping.send(requestOf(1)), withCode('config'));
  const { server, send, sender, clock } = await bed(['10.0.0.1'], { isKept: true });
  server('10.0.0.1').fails('config');
  const sent = send(requestOf(1));
  for (let i = 0; i < 20; i++) await clock.pass(100);
  assert.ok(server('10.0.0.1').asked.length > 1);
  server('10.0.0.1').works();
  for (let i = 0; i < 50; i++) await clock.pass(100);
  await sent;
  assert.equal(sender.figures.sentSpans, 1);
  assert.equal(sender.figures.droppedSpans.get('config'), 0);
});

test('addresses come and go, and a name that cannot be looked up keeps those it had', async () => {
  const { server, send, ips, clock, destinations, log } = await bed([]);
  await assert.rejects(async () => {
    const sent = send(requestOf(1));
    sent.catch(() => undefined);
    for (let i = 0; i < 20; i++) await clock.pass(1000);
    await sent;
  }, /no address of a server is known/);
  ips.list = ['10.0.0.1'];
  await clock.pass(60_000);
  await send(requestOf(2));
  ips.list = ['10.0.0.2'];
  await clock.pass(60_000);
  assert.equal(server('10.0.0.1').isClosed, true);
  ips.list = [];
  await clock.pass(60_000);
  await send(requestOf(3));
  assert.equal(server('10.0.0.2').asked.length, 1);
  assert.match(log[0]!, /collector cannot be looked up/);
  destinations.close();
  assert.equal(server('10.0.0.2').isClosed, true);
  assert.deepEqual(clock.delaysMs, []);
});

const IPS = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];

test('by trace id each trace goes to one server, to others while that is down, and back', async () => {
  const { server, sender, send, clock } = await bed(IPS, { routing: 'trace_id', retry: RETRY });
  const batch = batchOfTraces(60);
  const round = async (): Promise<Map<string, Set<number>>> => {
    for (const ip of IPS) server(ip).asked.length = 0;
    const sent = Promise.all(sender.requestsOf(DEFAULT_TENANT, batch).map(send));
    let isDone = false;
    void sent.finally(() => (isDone = true));
    for (let i = 0; i < 100 && !isDone; i++) await clock.pass(20);
    await sent;
    return new Map(IPS.map((ip) => [ip, tracesOf(server(ip).asked)]));
  };
  const before = await round();
  const all = [...before.values()].flatMap((traces) => [...traces]);
  assert.equal(new Set(all).size, 60);
  assert.equal(all.length, 60, 'no trace is at two');
  server('10.0.0.2').fails();
  const during = await round();
  for (const ip of ['10.0.0.1', '10.0.0.3']) {
    assert.ok(before.get(ip)!.isSubsetOf(during.get(ip)!), ip);
  }
  assert.equal(during.get('10.0.0.1')!.union(during.get('10.0.0.3')!).size, 60);
  assert.equal(during.get('10.0.0.1')!.isDisjointFrom(during.get('10.0.0.3')!), true);
  server('10.0.0.2').works();
  await clock.pass(4000);
  // The first round has the try that closes the breaker.
  await round();
  assert.deepEqual(await round(), before);
  assert.equal(sender.figures.sentSpans, 4 * 180);
});

test('by trace id a request that says nothing of servers is split, and sent as it is when one has it all', async () => {
  const { server, send, sender } = await bed(IPS, { routing: 'trace_id' });
  const one = requestOf(7);
  await send(one);
  const [first] = IPS.map((ip) => server(ip)).filter(({ asked }) => asked.length > 0);
  assert.equal(first!.asked[0]!.body, one.body);
  const [whole] = (await bed(IPS)).sender.requestsOf(DEFAULT_TENANT, batchOfTraces(60));
  await send(whole!);
  const traces = IPS.map((ip) => tracesOf(server(ip).asked.slice(-1)));
  assert.equal(traces[0]!.size + traces[1]!.size + traces[2]!.size, 60);
  assert.equal(sender.figures.sentSpans, 181);
});

test('a body over the limit is sent in parts, but never a part of a span', async () => {
  const { sender } = await bed(['10.0.0.1'], { maxRequestBytes: 2000 });
  const requests = sender.requestsOf(DEFAULT_TENANT, batchOfTraces(60));
  assert.ok(requests.length > 5);
  assert.equal(
    requests.reduce((sum, { spans }) => sum + spans, 0),
    180,
  );
  assert.equal(tracesOf(requests).size, 60);
  const long = batchOf([span({ name: 'x'.repeat(5000) }), span({ spanId: spanId(2) })]);
  assert.deepEqual(
    sender.requestsOf(DEFAULT_TENANT, long).map(({ spans }) => spans),
    [1, 1],
  );
});

test('by trace id what cannot be sent is counted once, however it was split', async () => {
  const { server, sender, clock } = await bed(IPS, {
    routing: 'trace_id',
    retry: { ...RETRY, maxElapsedTimeMs: 2000 },
  });
  for (const ip of IPS) server(ip).fails();
  const [whole] = (await bed(IPS)).sender.requestsOf(DEFAULT_TENANT, batchOfTraces(60));
  const ended = assert.rejects(sender.send(whole!, NEVER), withCode('unavailable'));
  for (let i = 0; i < 100; i++) await clock.pass(100);
  await ended;
  assert.equal(sender.figures.failedSpans, 180);
});

test('a request that is given up while it pauses ends at once', async () => {
  const { server, sender, clock } = await bed(['10.0.0.1']);
  server('10.0.0.1').fails();
  const abort = new AbortController();
  const ended = assert.rejects(sender.send(requestOf(1), abort.signal), withCode('unavailable'));
  await clock.pass(0);
  abort.abort();
  await ended;
  assert.equal(sender.figures.failedSpans, 1);
});
