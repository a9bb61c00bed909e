// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type http2 from 'node:http2';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { compressionAlgorithms, status } from '@grpc/grpc-js';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { IngestResult } from '#pipeline/trace-ingest.ts';
import {
  bodyOf,
  callRaw,
  errorOf,
  prefixed,
  retryDelay,
  TestClient,
} from '#receivers/testing/grpc-test-client.ts';
import { pattern, startGrpc } from '#receivers/testing/receiver-test-bed.ts';

const MIB = 1024 * 1024;

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
    assert.equal(call.sender?.isGone, false);
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
