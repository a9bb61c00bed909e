// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { IngestResult } from '#pipeline/trace-ingest.ts';
import {
  jsonStatus,
  pattern,
  protoMessage,
  send,
  startHttp,
} from '#receivers/testing/receiver-test-bed.ts';

const PROTO = { 'content-type': 'application/x-protobuf' };
const JSON_TYPE = { 'content-type': 'application/json' };
const MIB = 1024 * 1024;

test('a protobuf request is taken and answered with an empty response', async () => {
  await using bed = await startHttp();
  const body = pattern(300_000, 1);
  const answer = await send(bed.port, { headers: { ...PROTO, 'content-length': body.length } }, [
    body,
  ]);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/x-protobuf');
  assert.equal(answer.headers['content-length'], '0');
  assert.deepEqual(bed.ingest.calls[0]?.body, body);
  assert.equal(bed.ingest.calls[0]?.format, 'otlp_proto');
  assert.equal(bed.ingest.calls[0]?.tenant, 'default');
  assert.equal(bed.budget.figures.usedBytes, 0);
  const figures = bed.receiver.figures.otlp_proto;
  assert.deepEqual(
    [figures.requests, figures.wireBytes, figures.bodyBytes, figures.acceptedSpans],
    [1, body.length, body.length, 1],
  );
});

test('a JSON request is answered in JSON, whatever parameters its content type has', async () => {
  await using bed = await startHttp();
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON ;x=y',
  ]) {
    const answer = await send(bed.port, { headers: { 'content-type': type } }, [Buffer.from('{}')]);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.body.toString(), '{}');
  }
  assert.deepEqual(
    bed.ingest.calls.map((call) => call.format),
    ['otlp_json', 'otlp_json', 'otlp_json'],
  );
});

test('rejected spans come back as partial success', async () => {
  await using bed = await startHttp();
  bed.ingest.answer = () => ({ accepted: 5, rejected: 2, message: 'span 3: no trace id' });
  const json = await send(bed.port, { headers: JSON_TYPE }, [Buffer.from('{}')]);
  assert.equal(
    json.body.toString(),
    '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"span 3: no trace id"}}',
  );
  const proto = await send(bed.port, { headers: PROTO }, [Buffer.from([1])]);
  const message = Buffer.from('span 3: no trace id');
  assert.deepEqual(
    proto.body,
    Buffer.concat([Buffer.from([10, message.length + 4, 8, 2, 18, message.length]), message]),
  );
  assert.equal(bed.receiver.figures.otlp_proto.rejectedSpans, 2);
});

test('an empty body is handed over as an empty request', async () => {
  await using bed = await startHttp();
  const answer = await send(bed.port, { headers: { ...PROTO, 'content-length': 0 } });
  assert.equal(answer.status, 200);
  assert.equal(bed.ingest.calls[0]?.body.length, 0);
});

test('another path, method or content type is refused with a Status', async () => {
  await using bed = await startHttp();
  const path = await send(bed.port, { path: '/v1/metrics', headers: PROTO }, [Buffer.from('x')]);
  assert.equal(path.status, 404);
  assert.match(jsonStatus(path.body).message, /"\/v1\/metrics"/);
  const method = await send(bed.port, { method: 'PUT', headers: PROTO }, [Buffer.from('x')]);
  assert.equal(method.status, 405);
  assert.equal(method.headers['allow'], 'POST');
  assert.equal(method.headers['content-type'], 'application/x-protobuf');
  assert.match(protoMessage(method.body), /"PUT" is not allowed/);
  const get = await send(bed.port, { method: 'GET' });
  assert.equal(get.status, 405);
  assert.match(jsonStatus(get.body).message, /"GET"/);
  for (const headers of [{}, { 'content-type': 'text/plain' }]) {
    const type = await send(bed.port, { headers }, [Buffer.from('x')]);
    assert.equal(type.status, 415);
    assert.equal(type.headers['content-type'], 'application/json');
    assert.match(
      jsonStatus(type.body).message,
      /is not application\/x-protobuf or application\/json/,
    );
  }
  assert.equal(bed.ingest.calls.length, 0);
  const { refusedRequests } = bed.receiver.figures.unknown;
  assert.equal(refusedRequests.wrong_path, 1);
  assert.equal(refusedRequests.unsupported, 2);
});

test('a query and the absolute form of the URL are understood', async () => {
  await using bed = await startHttp();
  for (const path of ['/v1/traces?x=1', 'http://collector.example:4318/v1/traces']) {
    assert.equal((await send(bed.port, { path, headers: PROTO }, [Buffer.from('x')])).status, 200);
  }
});

test('gzip, deflate and zstd bodies are decompressed, other and doubled codings refused', async () => {
  await using bed = await startHttp();
  const body = pattern(400_000, 3);
  const coded: [string, Buffer][] = [
    ['identity', body],
    ['gzip', zlib.gzipSync(body)],
    ['GZIP', zlib.gzipSync(body)],
    ['deflate', zlib.deflateSync(body)],
    ['zstd', zlib.zstdCompressSync(body)],
  ];
  for (const [encoding, bytes] of coded) {
    const headers = { ...PROTO, 'content-encoding': encoding };
    assert.equal((await send(bed.port, { headers }, [bytes])).status, 200, encoding);
    assert.deepEqual(bed.ingest.calls.at(-1)?.body, body, encoding);
  }
  for (const encoding of ['br', 'snappy', 'gzip, gzip', 'gzip, zstd']) {
    const headers = { ...PROTO, 'content-encoding': encoding };
    const answer = await send(bed.port, { headers }, [Buffer.from('x')]);
    assert.equal(answer.status, 415, encoding);
    assert.equal(answer.headers['accept-encoding'], 'gzip, deflate, zstd');
    assert.match(protoMessage(answer.body), /content encoding/);
  }
  assert.equal(bed.budget.figures.usedBytes, 0);
});

test('what cannot be decompressed is malformed', async () => {
  await using bed = await startHttp();
  const body = zlib.gzipSync(pattern(10_000, 1));
  const headers = { ...PROTO, 'content-encoding': 'gzip' };
  for (const bytes of [Buffer.from('no gzip at all'), body.subarray(0, -10), Buffer.alloc(0)]) {
    const answer = await send(bed.port, { headers }, [bytes]);
    assert.equal(answer.status, 400);
    assert.match(protoMessage(answer.body), /gzip body of \d+ bytes cannot be decompressed/);
  }
  assert.equal(bed.budget.figures.leases, 0);
});

test('bombs of 1 GiB are refused at bounded memory', async () => {
  await using bed = await startHttp();
  // A deflate block of 1 MiB of zeros that ends at a byte, so it can be repeated.
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
    assert.ok(bytes.length < 16 * MIB);
    const answer = await send(bed.port, { headers: { ...PROTO, 'content-encoding': encoding } }, [
      bytes,
    ]);
    assert.equal(answer.status, 413, encoding);
    assert.match(protoMessage(answer.body), /limit of 16777216 bytes/);
  }
  const figures = bed.budget.figures;
  assert.equal(figures.usedBytes, 0);
  assert.ok(figures.peakBytes <= 64 * MIB);
  assert.equal(bed.ingest.calls.length, 0);
});

test('a body over the cap is refused before it is read, a chunked one when it gets there', async () => {
  await using bed = await startHttp({ bodyCapBytes: 100_000 });
  const declared = await send(bed.port, { headers: { ...PROTO, 'content-length': 200_000 } }, [
    Buffer.alloc(200_000),
  ]);
  assert.equal(declared.status, 413);
  assert.match(protoMessage(declared.body), /200000 bytes, which is more than the limit of 100000/);
  const pieces = Array.from({ length: 40 }, () => Buffer.alloc(10_000));
  const chunked = await send(bed.port, { headers: JSON_TYPE }, pieces);
  assert.equal(chunked.status, 413);
  assert.equal(jsonStatus(chunked.body).code, 8);
  const exact = await send(bed.port, { headers: PROTO }, pieces.slice(0, 10));
  assert.equal(exact.status, 200);
  assert.equal(bed.ingest.calls.length, 1);
  assert.equal(bed.budget.figures.usedBytes, 0);
});

test('a chunked body comes whole, however it is cut', async () => {
  await using bed = await startHttp();
  const body = pattern(700_000, 9);
  for (const size of [700_000, 65_536, 10_007, 999]) {
    const pieces: Buffer[] = [];
    for (let i = 0; i < body.length; i += size) pieces.push(body.subarray(i, i + size));
    assert.equal((await send(bed.port, { headers: PROTO }, pieces)).status, 200);
    assert.ok(bed.ingest.calls.at(-1)?.body.equals(body));
  }
});

test('a full budget is answered with 503 and Retry-After, and the next request is taken', async () => {
  await using bed = await startHttp({}, 300_000);
  let finish: (result: IngestResult) => void = () => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const body = Buffer.alloc(200_000);
  const headers = { ...JSON_TYPE, 'content-length': body.length };
  const first = send(bed.port, { headers }, [body]);
  await bed.ingest.called(1);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const refused = await send(bed.port, { headers, agent }, [body]);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '1');
  assert.deepEqual(jsonStatus(refused.body).details, [
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1s' },
  ]);
  finish({ accepted: 1, rejected: 0, message: '' });
  assert.equal((await first).status, 200);
  bed.ingest.answer = () => ({ accepted: 1, rejected: 0, message: '' });
  // The body of the refused request was dropped, so its connection goes on.
  assert.equal((await send(bed.port, { headers, agent }, [body])).status, 200);
  agent.destroy();
  assert.equal(bed.receiver.figures.otlp_json.refusedRequests.overloaded, 1);
  assert.equal(bed.budget.figures.usedBytes, 0);
});

test('errors of the store become the answers of OTLP', async () => {
  await using bed = await startHttp();
  const cases: [unknown, number, string | undefined][] = [
    [new SpoorError('malformed', 'byte 7: no'), 400, undefined],
    [new SpoorError('overloaded', 'queue full', { retryAfterMs: 2500 }), 503, '3'],
    [new SpoorError('unavailable', 'disk full'), 503, '1'],
    [new SpoorError('corrupt', 'block 3'), 500, undefined],
    [new Error('a secret'), 500, undefined],
  ];
  for (const [error, status, retryAfter] of cases) {
    bed.ingest.answer = () => {
      throw error;
    };
    const answer = await send(bed.port, { headers: JSON_TYPE }, [Buffer.from('{}')]);
    assert.equal(answer.status, status);
    assert.equal(answer.headers['retry-after'], retryAfter);
    assert.doesNotMatch(answer.body.toString(), /secret/);
  }
  const malformed = bed.receiver.figures.otlp_json.refusedRequests.malformed;
  assert.equal(malformed, 1);
  assert.deepEqual(bed.log, ['otlp http: request failed']);
  assert.equal(bed.budget.figures.leases, 0);
});

test('a bad request names its violation in a BadRequest', async () => {
  await using bed = await startHttp();
  bed.ingest.answer = () => {
    throw new SpoorError('malformed', 'byte 7: no');
  };
  const answer = await send(bed.port, { headers: JSON_TYPE }, [Buffer.from('{}')]);
  assert.deepEqual(jsonStatus(answer.body), {
    code: 3,
    message: 'byte 7: no',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        fieldViolations: [{ description: 'byte 7: no' }],
      },
    ],
  });
});

test('concurrent compressed requests keep their own data', async () => {
  await using bed = await startHttp();
  bed.ingest.answer = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return { accepted: 1, rejected: 0, message: '' };
  };
  const codecs: [string, (bytes: Buffer) => Buffer][] = [
    ['gzip', (bytes) => zlib.gzipSync(bytes)],
    ['zstd', (bytes) => zlib.zstdCompressSync(bytes)],
    ['deflate', (bytes) => zlib.deflateSync(bytes)],
    ['identity', (bytes) => bytes],
  ];
  const bodies = Array.from({ length: 60 }, (_, i) => pattern(1000 + ((i * 7919) % 300_000), i));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const answers = await Promise.all(
    bodies.map((body, i) => {
      const [encoding, encode] = codecs[i % codecs.length]!;
      return send(bed.port, { agent, headers: { ...PROTO, 'content-encoding': encoding } }, [
        encode(body),
      ]);
    }),
  );
  agent.destroy();
  assert.ok(answers.every((answer) => answer.status === 200));
  const sent = bodies.map((body) => body.toString('base64')).toSorted();
  const received = bed.ingest.calls.map((call) => call.body.toString('base64')).toSorted();
  assert.deepEqual(received, sent);
  assert.equal(bed.budget.figures.leases, 0);
});

test('web pages of allowed origins may send, and no other', async () => {
  await using bed = await startHttp({
    cors: {
      allowedOrigins: ['https://*.shop.example', 'http://localhost:3000'],
      allowedHeaders: ['x-tenant'],
      maxAgeSeconds: 600,
    },
  });
  const preflight = await send(bed.port, {
    method: 'OPTIONS',
    headers: { origin: 'https://www.shop.example', 'access-control-request-method': 'POST' },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], 'https://www.shop.example');
  assert.equal(preflight.headers['access-control-allow-methods'], 'POST');
  assert.equal(
    preflight.headers['access-control-allow-headers'],
    'content-type, content-encoding, x-tenant',
  );
  assert.equal(preflight.headers['access-control-max-age'], '600');
  const other = await send(bed.port, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example' },
  });
  assert.equal(other.status, 204);
  assert.equal(other.headers['access-control-allow-origin'], undefined);
  const post = await send(
    bed.port,
    { headers: { ...JSON_TYPE, origin: 'http://localhost:3000' } },
    [Buffer.from('{}')],
  );
  assert.equal(post.headers['access-control-allow-origin'], 'http://localhost:3000');
  assert.equal(post.headers['vary'], 'origin');
  const wrong = await send(bed.port, {
    headers: { 'content-type': 'x/y', origin: 'http://localhost:3000' },
  });
  assert.equal(wrong.status, 415);
  assert.equal(wrong.headers['access-control-allow-origin'], 'http://localhost:3000');
});

test('preflights are refused while no origin is allowed', async () => {
  await using bed = await startHttp();
  const answer = await send(bed.port, {
    method: 'OPTIONS',
    headers: { origin: 'https://a.example' },
  });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
});
