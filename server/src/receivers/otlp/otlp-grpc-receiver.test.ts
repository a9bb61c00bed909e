// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import { test } from 'node:test';
import zlib from 'node:zlib';
import {
  Client,
  compressionAlgorithms,
  credentials,
  makeGenericClientConstructor,
  Metadata,
  status,
  type ServiceError,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { IngestResult } from '#pipeline/trace-ingest.ts';
import { startGrpc, until } from './receiver-test-bed.ts';

const SERVICE = 'opentelemetry.proto.collector.trace.v1.TraceService';
const PATH = `/${SERVICE}/Export`;
const MIB = 1024 * 1024;

type Outcome = { readonly body: Buffer } | { readonly error: ServiceError };

/** A real client, closed at the end of its scope. */
class TestClient {
  readonly client: Client;

  constructor(port: number, options: object = {}) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      ...options,
    });
  }

  export(body: Buffer, metadata: Record<string, string> = {}): Promise<Outcome> {
    const sent = new Metadata();
    for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
    const pass = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve) => {
      this.client.makeUnaryRequest(PATH, pass, pass, body, sent, (error, answer) => {
        resolve(error === null ? { body: answer ?? Buffer.alloc(0) } : { error });
      });
    });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

function errorOf(outcome: Outcome): ServiceError {
  assert.ok('error' in outcome, 'the call should have failed');
  return outcome.error;
}

function bodyOf(outcome: Outcome): Buffer {
  if ('error' in outcome) throw outcome.error;
  return outcome.body;
}

interface RawAnswer {
  readonly headers: http2.IncomingHttpHeaders;
  /** Of the trailers, or of the headers when they are all there is. */
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string;
}

/** One call over plain HTTP/2, for what a real client doesn't send. */
function callRaw(
  port: number,
  body: readonly Uint8Array[],
  headers: http2.OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let got: http2.IncomingHttpHeaders = {};
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on('response', (response) => {
      got = response;
    });
    stream.on('trailers', (last) => {
      trailers = last;
    });
    // The server may close a refused stream under a body that is still sent.
    stream.on('error', () => undefined);
    stream.on('close', () => {
      session.close();
      const all = { ...got, ...trailers };
      resolve({
        headers: got,
        grpcStatus: all['grpc-status'] as string | undefined,
        grpcMessage: String(all['grpc-message'] ?? ''),
      });
    });
    stream.resume();
    for (const piece of body) stream.write(piece);
    stream.end();
  });
}

function prefixed(flag: number, message: Uint8Array, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + seed * 17 + (i >> 8)) & 255;
  return bytes;
}

/** Seconds and nanos of the RetryInfo in grpc-status-details-bin. */
function retryDelay(error: ServiceError): { seconds: number; nanos: number } | undefined {
  const [details] = error.metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(details)) return undefined;
  const url = 'type.googleapis.com/google.rpc.RetryInfo';
  const at = details.indexOf(url);
  assert.ok(at > 0);
  // Any.value: RetryInfo.retry_delay: Duration.
  let position = at + url.length;
  assert.equal(details[position], 0x12);
  assert.equal(details[position + 2], 0x0a);
  position += 4;
  const delay = { seconds: 0, nanos: 0 };
  while (position < details.length) {
    const field = details[position++]! >> 3;
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = details[position++]!;
      value += (byte & 127) * shift;
      if (byte < 128) break;
    }
    if (field === 1) delay.seconds = value;
    if (field === 2) delay.nanos = value;
  }
  return delay;
}

test('a call is taken and answered with an empty response', async () => {
  await using bed = await startGrpc();
  using client = new TestClient(bed.port);
  for (const size of [0, 1, 1000, 70_000, 3 * MIB]) {
    const body = pattern(size, size);
    assert.equal(bodyOf(await client.export(body)).length, 0);
    const call = bed.ingest.calls.at(-1);
    assert.ok(call !== undefined);
    assert.ok(call.body.equals(body), String(size));
    assert.equal(call.format, 'otlp_proto');
    assert.equal(call.tenant, 'default');
    assert.equal(call.signal?.aborted, false);
  }
  const figures = bed.receiver.figures.otlp_proto;
  assert.equal(figures.requests, 5);
  assert.equal(figures.acceptedSpans, 5);
  assert.equal(bed.budget.figures.leases, 0);
});

test('gzip, deflate and zstd messages are decompressed', async () => {
  await using bed = await startGrpc();
  const body = pattern(500_000, 5);
  using client = new TestClient(bed.port, {
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
  });
  bodyOf(await client.export(body));
  assert.ok(bed.ingest.calls[0]?.body.equals(body));
  const { wireBytes, bodyBytes } = bed.receiver.figures.otlp_proto;
  assert.ok(wireBytes < bodyBytes / 2);
  const coded: [string, Buffer][] = [
    ['deflate', zlib.deflateSync(body)],
    ['zstd', zlib.zstdCompressSync(body)],
  ];
  for (const [encoding, bytes] of coded) {
    const answer = await callRaw(bed.port, [prefixed(1, bytes)], { 'grpc-encoding': encoding });
    assert.equal(answer.grpcStatus, '0', encoding);
    assert.ok(bed.ingest.calls.at(-1)?.body.equals(body));
  }
  // A message may be left uncompressed although an encoding is named.
  const plain = await callRaw(bed.port, [prefixed(0, body)], { 'grpc-encoding': 'gzip' });
  assert.equal(plain.grpcStatus, '0');
  const unknown = await callRaw(bed.port, [prefixed(1, body)], { 'grpc-encoding': 'snappy' });
  assert.equal(unknown.grpcStatus, String(status.UNIMPLEMENTED));
  assert.equal(unknown.headers['grpc-accept-encoding'], 'identity,gzip,deflate,zstd');
  assert.equal(bed.budget.figures.leases, 0);
});

test('rejected spans come back as partial success', async () => {
  await using bed = await startGrpc();
  bed.ingest.answer = () => ({ accepted: 1, rejected: 300, message: 'why' });
  using client = new TestClient(bed.port);
  const body = bodyOf(await client.export(Buffer.from('x')));
  assert.deepEqual(body, Buffer.from([10, 8, 8, 0xac, 2, 18, 3, 0x77, 0x68, 0x79]));
});

test('a full budget is answered with UNAVAILABLE and RetryInfo, and the next call is taken', async () => {
  await using bed = await startGrpc({}, 300_000);
  using client = new TestClient(bed.port);
  let finish: (result: IngestResult) => void = () => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const first = client.export(Buffer.alloc(200_000));
  await bed.ingest.called(1);
  // Refused when its length is known, then one at its headers.
  const second = errorOf(await client.export(Buffer.alloc(150_000)));
  assert.equal(second.code, status.UNAVAILABLE);
  assert.deepEqual(retryDelay(second), { seconds: 1, nanos: 0 });
  const lease = bed.budget.reserve(90_000);
  const third = errorOf(await client.export(Buffer.alloc(10)));
  assert.equal(third.code, status.UNAVAILABLE);
  assert.match(third.details, /no room now/);
  lease?.release();
  finish({ accepted: 1, rejected: 0, message: '' });
  bodyOf(await first);
  bed.ingest.answer = () => ({ accepted: 1, rejected: 0, message: '' });
  bodyOf(await client.export(Buffer.alloc(200_000)));
  assert.equal(bed.receiver.figures.otlp_proto.refusedRequests.overloaded, 2);
  assert.equal(bed.budget.figures.usedBytes, 0);
});

test('errors of the store become the answers of OTLP', async () => {
  await using bed = await startGrpc();
  using client = new TestClient(bed.port);
  const cases: [unknown, number, { seconds: number; nanos: number } | undefined][] = [
    [new SpoorError('malformed', 'byte 7: no'), status.INVALID_ARGUMENT, undefined],
    [
      new SpoorError('overloaded', 'full', { retryAfterMs: 2500 }),
      status.UNAVAILABLE,
      { seconds: 2, nanos: 500_000_000 },
    ],
    [new SpoorError('unavailable', 'disk full'), status.UNAVAILABLE, { seconds: 1, nanos: 0 }],
    [new SpoorError('too_large', 'no'), status.RESOURCE_EXHAUSTED, undefined],
    // Not DATA_LOSS, on which clients resend.
    [new SpoorError('corrupt', 'block 3'), status.INTERNAL, undefined],
    [new Error('a secret'), status.INTERNAL, undefined],
    // A lone surrogate would make grpc-js throw.
    [
      new SpoorError('malformed', `bad \ud800 ${'é'.repeat(5000)}`),
      status.INVALID_ARGUMENT,
      undefined,
    ],
  ];
  for (const [error, code, delay] of cases) {
    bed.ingest.answer = () => {
      throw error;
    };
    const got = errorOf(await client.export(Buffer.from('x')));
    assert.equal(got.code, code);
    assert.deepEqual(retryDelay(got), delay);
    assert.doesNotMatch(got.details, /secret/);
  }
  assert.deepEqual(bed.log, ['otlp grpc: request failed']);
  assert.equal(bed.budget.figures.leases, 0);
});

test('a message over the cap is refused without RetryInfo, before and after decompression', async () => {
  await using bed = await startGrpc({ bodyCapBytes: 100_000 });
  using client = new TestClient(bed.port);
  const large = errorOf(await client.export(Buffer.alloc(100_001)));
  assert.equal(large.code, status.RESOURCE_EXHAUSTED);
  assert.equal(retryDelay(large), undefined);
  using zipping = new TestClient(bed.port, {
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
  });
  const unpacked = errorOf(await zipping.export(Buffer.alloc(100_001)));
  assert.equal(unpacked.code, status.RESOURCE_EXHAUSTED);
  assert.equal(retryDelay(unpacked), undefined);
  bodyOf(await client.export(Buffer.alloc(100_000)));
  bodyOf(await zipping.export(Buffer.alloc(100_000)));
  assert.equal(bed.receiver.figures.otlp_proto.refusedRequests.too_large, 2);
  assert.equal(bed.budget.figures.usedBytes, 0);
});

test('bombs of 1 GiB are refused at bounded memory', async () => {
  await using bed = await startGrpc();
  const block = zlib.deflateRawSync(Buffer.alloc(MIB), {
    finishFlush: zlib.constants.Z_FULL_FLUSH,
  });
  const blocks = Array.from({ length: 1024 }, () => block);
  const frame = zlib.zstdCompressSync(Buffer.alloc(64 * MIB));
  const bombs: [string, Buffer][] = [
    ['gzip', Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), ...blocks])],
    ['deflate', Buffer.concat([Buffer.from([0x78, 0x01]), ...blocks])],
    ['zstd', Buffer.concat(Array.from({ length: 16 }, () => frame))],
  ];
  for (const [encoding, bytes] of bombs) {
    const answer = await callRaw(bed.port, [prefixed(1, bytes)], { 'grpc-encoding': encoding });
    assert.equal(answer.grpcStatus, String(status.RESOURCE_EXHAUSTED), encoding);
    assert.match(answer.grpcMessage, /limit%20of%2016777216%20bytes/);
  }
  assert.equal(bed.budget.figures.usedBytes, 0);
  assert.ok(bed.budget.figures.peakBytes <= 64 * MIB);
  assert.equal(bed.ingest.calls.length, 0);
});

test('what is not one message is malformed', async () => {
  await using bed = await startGrpc();
  const one = prefixed(0, Buffer.from('abc'));
  const cases: [string, readonly Uint8Array[], http2.OutgoingHttpHeaders][] = [
    ['no message', [], {}],
    ['cut prefix', [one.subarray(0, 3)], {}],
    ['cut message', [one.subarray(0, 7)], {}],
    ['two messages', [one, one], {}],
    ['compressed without encoding', [prefixed(1, Buffer.from('abc'))], {}],
    ['unknown flag', [prefixed(2, Buffer.from('abc'))], {}],
    ['no gzip', [prefixed(1, Buffer.from('abc'))], { 'grpc-encoding': 'gzip' }],
  ];
  for (const [what, body, headers] of cases) {
    const answer = await callRaw(bed.port, body, headers);
    assert.equal(answer.grpcStatus, String(status.INVALID_ARGUMENT), what);
  }
  assert.equal(bed.receiver.figures.otlp_proto.refusedRequests.malformed, cases.length);
  assert.equal(bed.ingest.calls.length, 0);
  assert.equal(bed.budget.figures.leases, 0);
});

test('a message comes whole, however it is cut', async () => {
  await using bed = await startGrpc();
  const body = pattern(200_000, 8);
  const bytes = prefixed(0, body);
  for (const cuts of [[1], [4], [5], [6], [1, 2, 3, 4, 5, 6, 100_000]]) {
    const pieces = [0, ...cuts].map((start, i) => bytes.subarray(start, cuts[i] ?? bytes.length));
    assert.equal((await callRaw(bed.port, pieces)).grpcStatus, '0');
    assert.ok(bed.ingest.calls.at(-1)?.body.equals(body));
  }
});

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
  assert.equal(timeout.grpcStatus, String(status.INTERNAL));
  assert.deepEqual(bed.log, []);
  const odd = await callRaw(bed.port, [prefixed(0, Buffer.from('x'))], { 'x!odd': 'value' });
  assert.equal(odd.grpcStatus, '0');
  assert.deepEqual(bed.log, ['receivers.otlp.protocols.grpc: grpc-js']);
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
  await until(() => bed.budget.figures.usedBytes === MIB);
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await until(() => bed.budget.figures.leases === 0);
  const other = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
  });
  other.on('error', () => undefined);
  other.write(prefixed(0, Buffer.alloc(1000), MIB));
  await until(() => bed.budget.figures.usedBytes === MIB);
  session.destroy();
  await until(() => bed.budget.figures.leases === 0);
  // Node's client ends a stream before it resets it, which makes a message that is cut short.
  const { aborted, malformed } = bed.receiver.figures.otlp_proto.refusedRequests;
  assert.deepEqual([aborted, malformed], [1, 1]);
});

test('the signal fires when the client cancels before its answer', async () => {
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
  await until(() => bed.ingest.calls[0]?.signal?.aborted === true);
  assert.equal(bed.budget.figures.leases, 1);
  finish({ accepted: 1, rejected: 0, message: '' });
  await until(() => bed.budget.figures.leases === 0);
});

test('stalled and dribbled messages are ended with DEADLINE_EXCEEDED', async () => {
  await using bed = await startGrpc({ bodyIdleTimeoutMs: 60, requestTimeoutMs: 150 });
  const session = http2.connect(`http://127.0.0.1:${bed.port}`);
  session.on('error', () => undefined);
  const slow = (everyMs: number | undefined): Promise<string> =>
    new Promise((resolve) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': PATH,
        'content-type': 'application/grpc',
      });
      stream.write(prefixed(0, Buffer.alloc(10), 1000));
      const timer =
        everyMs === undefined ? undefined : setInterval(() => stream.write('a'), everyMs);
      stream.on('response', (headers) => {
        clearInterval(timer);
        stream.end();
        resolve(
          `${String(headers['grpc-status'])} ${decodeURIComponent(String(headers['grpc-message']))}`,
        );
      });
      stream.on('error', () => undefined);
      stream.resume();
    });
  assert.equal(await slow(undefined), '4 request message stopped for 60 ms');
  assert.equal(await slow(20), '4 request message did not come within 150 ms');
  session.destroy();
  assert.equal(bed.receiver.figures.otlp_proto.refusedRequests.timeout, 2);
  assert.equal(bed.budget.figures.leases, 0);
});

test('a required tenant header names the tenant; without a good one the call is refused', async () => {
  await using bed = await startGrpc({ tenantHeader: 'x-tenant' });
  using client = new TestClient(bed.port);
  bodyOf(await client.export(Buffer.from('x'), { 'x-tenant': 'team-a' }));
  assert.equal(bed.ingest.calls[0]?.tenant, 'team-a');
  for (const metadata of [{}, { 'x-tenant': '../etc' }]) {
    const error = errorOf(await client.export(Buffer.from('x'), metadata));
    assert.equal(error.code, status.INVALID_ARGUMENT);
    assert.match(error.details, /tenant/);
  }
  assert.equal(bed.ingest.calls.length, 1);
  assert.equal(bed.budget.figures.leases, 0);
});

test('concurrent compressed calls keep their own data', async () => {
  await using bed = await startGrpc();
  bed.ingest.answer = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return { accepted: 1, rejected: 0, message: '' };
  };
  using plain = new TestClient(bed.port);
  using zipping = new TestClient(bed.port, {
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
  });
  const bodies = Array.from({ length: 60 }, (_, i) => pattern(1000 + ((i * 7919) % 300_000), i));
  const outcomes = await Promise.all(
    bodies.map((body, i) => (i % 2 === 0 ? plain : zipping).export(body)),
  );
  for (const outcome of outcomes) bodyOf(outcome);
  const sent = bodies.map((body) => body.toString('base64')).toSorted();
  const received = bed.ingest.calls.map((call) => call.body.toString('base64')).toSorted();
  assert.deepEqual(received, sent);
  assert.equal(bed.budget.figures.leases, 0);
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
  assert.equal(await check('nope \u00e9'), String(status.NOT_FOUND));
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
    /receivers\.otlp\.protocols\.grpc: cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE/,
  );
});
