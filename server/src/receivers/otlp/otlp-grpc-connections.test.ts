// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { test } from 'node:test';
import {
  credentials,
  makeGenericClientConstructor,
  status,
  type ServiceError,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { AT_ONCE_BYTES } from '#net/body-buffer.ts';
import type { IngestResult } from '#pipeline/trace-ingest.ts';
import {
  bodyOf,
  callRaw,
  errorOf,
  PATH,
  prefixed,
  SERVICE,
  TestClient,
} from '#receivers/testing/grpc-test-client.ts';
import { startGrpc, until } from '#receivers/testing/receiver-test-bed.ts';

const MIB = 1024 * 1024;

test('hostile paths, content types and metadata end the call and nothing else', async () => {
  await using bed = await startGrpc();
  for (const path of ['/', '/x/y', '/%ff%fe', `/${'a'.repeat(3000)}`, '/\u00e9\u00ff']) {
    const answer = await callRaw(bed.port, [prefixed(0, Buffer.alloc(100_000))], { ':path': path });
    assert.equal(answer.grpcStatus, String(status.UNIMPLEMENTED), path.slice(0, 10));
  }
  const type = await callRaw(bed.port, [Buffer.alloc(100_000)], { 'content-type': 'text/plain' });
  assert.equal(type.headers[':status'], 415);
  const large = await callRaw(bed.port, [prefixed(0, Buffer.from('x'))], {
    'x-large': 'a'.repeat(200_000),
  });
  assert.equal(large.grpcStatus, undefined);
  const timeout = await callRaw(bed.port, [prefixed(0, Buffer.from('x'))], {
    'grpc-timeout': 'soon',
  });
  assert.equal(timeout.grpcStatus, String(status.INVALID_ARGUMENT));
  assert.deepEqual(bed.log, []);
  const odd = await callRaw(bed.port, [prefixed(0, Buffer.from('x'))], { 'x!odd': 'value' });
  assert.equal(odd.grpcStatus, '0');
  assert.deepEqual(bed.log, []);
  assert.equal(bed.budget.figures.leases, 0);
});

test('a client that goes away in the middle of its message gives its memory back', async () => {
  await using bed = await startGrpc();
  const session = http2.connect(`http://127.0.0.1:${bed.port}`);
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
  });
  stream.on('error', () => undefined);
  stream.write(prefixed(0, Buffer.alloc(1000), MIB));
  await until(() => bed.budget.figures.usedBytes === AT_ONCE_BYTES);
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await until(() => bed.budget.figures.leases === 0);
  const other = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
  });
  other.on('error', () => undefined);
  other.write(prefixed(0, Buffer.alloc(1000), MIB));
  await until(() => bed.budget.figures.usedBytes === AT_ONCE_BYTES);
  session.destroy();
  await until(() => bed.budget.figures.leases === 0);
  // Node's client ends a stream before it resets it, which makes a message that is cut short.
  const { aborted, malformed } = bed.receiver.figures.otlp_proto.refusedRequests;
  assert.deepEqual([aborted, malformed], [1, 1]);
});

test('calls whose messages do not come make room, and are taken when they have come', async () => {
  await using bed = await startGrpc({}, 4 * 64 * 1024);
  const session = http2.connect(`http://127.0.0.1:${bed.port}`);
  const headers = { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' };
  const slow = [1, 2, 3, 4].map(() => session.request(headers, { endStream: false }));
  await until(() => bed.budget.figures.usedBytes === bed.budget.limitBytes);
  using client = new TestClient(bed.port);
  assert.equal(errorOf(await client.export(Buffer.from('x'))).code, status.UNAVAILABLE);
  bed.clock.aheadMs = 60_000;
  bodyOf(await client.export(Buffer.from('x')));
  assert.equal(bed.budget.figures.usedBytes, 0);
  const message = Buffer.alloc(50_000, 7);
  const ends = slow.map((stream) => once(stream, 'trailers'));
  for (const stream of slow) {
    stream.resume();
    for (const byte of prefixed(0, message.subarray(0, 3), message.length))
      stream.write(Buffer.of(byte));
    stream.end(message.subarray(3));
  }
  for (const [trailers] of await Promise.all(ends)) assert.equal(trailers['grpc-status'], '0');
  for (const call of bed.ingest.calls.slice(1)) assert.deepEqual(call.body, message);
  session.destroy();
  assert.equal(bed.budget.figures.leases, 0);
});

test('a client that cancels before its answer is gone', async () => {
  await using bed = await startGrpc();
  let finish: (result: IngestResult) => void = () => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  using client = new TestClient(bed.port);
  const pass = (bytes: Buffer): Buffer => bytes;
  const call = client.client.makeUnaryRequest(PATH, pass, pass, Buffer.from('x'), () => undefined);
  await bed.ingest.called(1);
  call.cancel();
  await until(() => bed.ingest.calls[0]?.sender?.isGone === true);
  assert.equal(bed.budget.figures.leases, 1);
  finish({ accepted: 1, rejected: 0, message: '' });
  await until(() => bed.budget.figures.leases === 0);
});

/** Sends the beginning of a message, then a byte every so often, and resolves with the status. */
function callSlowly(port: number, everyMs: number | undefined): Promise<string> {
  return new Promise((resolve) => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc',
    });
    stream.write(prefixed(0, Buffer.alloc(10), 100_000));
    const timer = everyMs === undefined ? undefined : setInterval(() => stream.write('a'), everyMs);
    stream.on('response', (headers) => {
      clearInterval(timer);
      session.destroy();
      resolve(
        `${String(headers['grpc-status'])} ${decodeURIComponent(String(headers['grpc-message']))}`,
      );
    });
    stream.on('error', () => undefined);
    stream.resume();
  });
}

test('stalled and dribbled messages are ended with DEADLINE_EXCEEDED', async () => {
  await using stalled = await startGrpc({ bodyIdleTimeoutMs: 60 });
  assert.equal(await callSlowly(stalled.port, undefined), '4 request message stopped for 60 ms');
  await using dribbled = await startGrpc({ requestTimeoutMs: 100 });
  const answer = await callSlowly(dribbled.port, 20);
  assert.equal(answer, '4 request message did not come within 100 ms');
  for (const bed of [stalled, dribbled]) {
    assert.equal(bed.receiver.figures.otlp_proto.refusedRequests.timeout, 1);
    assert.equal(bed.budget.figures.leases, 0);
  }
});

test('the health service answers for the server and the service, and says when it stops', async () => {
  await using bed = await startGrpc();
  const Health = makeGenericClientConstructor(healthService, 'grpc.health.v1.Health');
  const health = new Health(`127.0.0.1:${bed.port}`, credentials.createInsecure());
  const check = (service: string): Promise<string> =>
    new Promise((resolve) => {
      health['Check']!({ service }, (error: ServiceError | null, answer: { status: string }) => {
        resolve(error === null ? answer.status : String(error.code));
      });
    });
  assert.equal(await check(''), 'SERVING');
  assert.equal(await check(SERVICE), 'SERVING');
  const lease = bed.budget.reserve(bed.budget.limitBytes);
  assert.equal(await check(''), 'SERVING', 'also while there is no room for spans');
  lease?.release();
  assert.equal(await check('nope \u00e9'), String(status.NOT_FOUND));
  const listed = await new Promise((resolve) => {
    health['List']!({}, (error: ServiceError | null, answer: unknown) => resolve(error ?? answer));
  });
  const serving = { status: 'SERVING' };
  assert.deepEqual(listed, { statuses: { '': serving, [SERVICE]: serving } });
  const watch = (service: string): { seen: string[]; ended: Promise<unknown> } => {
    const seen: string[] = [];
    const stream = health['Watch']!({ service }) as NodeJS.EventEmitter;
    stream.on('data', (answer: { status: string }) => seen.push(answer.status));
    const ended = new Promise((resolve) => {
      stream.on('end', resolve);
      stream.on('error', resolve);
    });
    return { seen, ended };
  };
  const known = watch(SERVICE);
  const unknown = watch('nope');
  await until(() => known.seen.length === 1 && unknown.seen.length === 1);
  await bed.receiver.shutdown(5000);
  await Promise.all([known.ended, unknown.ended]);
  assert.deepEqual(known.seen, ['SERVING', 'NOT_SERVING']);
  assert.equal(unknown.seen[0], 'SERVICE_UNKNOWN');
  health.close();
});

test('shutdown lets the running call finish and takes no new one', async () => {
  await using bed = await startGrpc();
  using client = new TestClient(bed.port);
  let finish: (result: IngestResult) => void = () => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const running = client.export(Buffer.alloc(100_000));
  await bed.ingest.called(1);
  const stopped = bed.receiver.shutdown(10_000);
  const late = errorOf(await client.export(Buffer.from('late')));
  assert.equal(late.code, status.UNAVAILABLE);
  finish({ accepted: 1, rejected: 0, message: '' });
  bodyOf(await running);
  await stopped;
  assert.equal(bed.ingest.calls.length, 1);
  await until(() => bed.receiver.connections.open === 0);
});

test('shutdown ends at its deadline, and is safe before start and twice', async () => {
  await using bed = await startGrpc();
  using client = new TestClient(bed.port);
  bed.ingest.answer = () => new Promise(() => undefined);
  const running = client.export(Buffer.from('x'));
  await bed.ingest.called(1);
  await Promise.all([bed.receiver.shutdown(20), bed.receiver.shutdown(20)]);
  assert.equal(errorOf(await running).code, status.UNAVAILABLE);
  await bed.receiver.shutdown(20);
  await assert.rejects(bed.receiver.start(), /already shut down/);
});

test('an old connection is closed in good order', async () => {
  await using bed = await startGrpc({ maxConnectionAgeMs: 50, maxConnectionAgeGraceMs: 1000 });
  using client = new TestClient(bed.port);
  bodyOf(await client.export(Buffer.from('x')));
  await until(() => bed.receiver.connections.open === 0);
  bodyOf(await client.export(Buffer.from('y')));
});

test('connections that never speak, and those beyond the limit, are closed', async () => {
  await using bed = await startGrpc({ maxConnections: 1, handshakeTimeoutMs: 50 });
  const closed = (socket: net.Socket): Promise<void> =>
    new Promise((resolve) => {
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
      socket.resume();
    });
  const silent = closed(net.connect({ host: '127.0.0.1', port: bed.port }));
  await until(() => bed.receiver.connections.open === 1);
  await closed(net.connect({ host: '127.0.0.1', port: bed.port }));
  assert.equal(bed.receiver.connections.dropped, 1);
  await silent;
  const garbage = net.connect({ host: '127.0.0.1', port: bed.port });
  garbage.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await closed(garbage);
});

test('an address in use is a clear error', async () => {
  await using bed = await startGrpc();
  await assert.rejects(
    startGrpc({ port: bed.port }),
    /receivers\.test: cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE/,
  );
});
