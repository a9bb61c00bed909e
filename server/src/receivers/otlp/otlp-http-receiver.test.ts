// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { IngestResult } from '#pipeline/trace-ingest.ts';
import { exchangeRaw, send, startHttp, until } from './receiver-test-bed.ts';

const PROTO = { 'content-type': 'application/x-protobuf' };
const JSON_TYPE = { 'content-type': 'application/json' };
const MIB = 1024 * 1024;

/** The message of a google.rpc.Status in protobuf: field 2, after field 1. */
function protoMessage(body: Buffer): string {
  assert.equal(body[0], 8);
  assert.equal(body[2], 0x12);
  const long = body[3]! >= 128;
  const length = long ? (body[3]! & 127) | (body[4]! << 7) : body[3]!;
  const start = long ? 5 : 4;
  return body.toString('utf8', start, start + length);
}

function jsonStatus(body: Buffer): { code: number; message: string; details?: object[] } {
  return JSON.parse(body.toString()) as { code: number; message: string; details?: object[] };
}

function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + seed * 17 + (i >> 8)) & 255;
  return bytes;
}

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

test('a large refused body is not read to its end: the answer comes and the connection closes', async () => {
  await using bed = await startHttp({}, 1 * MIB);
  const lease = bed.budget.reserve(MIB - 1000);
  const body = Buffer.alloc(8 * MIB);
  const text = await new Promise<string>((resolve, reject) => {
    let got = '';
    const socket = net.connect({ host: '127.0.0.1', port: bed.port }, () => {
      socket.write(
        `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n`,
      );
      socket.write(`content-length: ${9 * MIB}\r\n\r\n`);
      socket.write(body);
    });
    socket.on('data', (piece) => {
      got += piece.toString('latin1');
    });
    // The server may close while the rest is under way; the answer was read before.
    socket.on('error', (error) => (got === '' ? reject(error) : resolve(got)));
    socket.on('close', () => resolve(got));
  });
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.match(text, /connection: close/i);
  lease?.release();
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

test('a client that goes away in the middle of its body gives its memory back', async () => {
  await using bed = await startHttp();
  const aborted = new Promise<void>((resolve) => {
    const request = http.request({
      host: '127.0.0.1',
      port: bed.port,
      path: '/v1/traces',
      method: 'POST',
      headers: { ...PROTO, 'content-length': MIB },
    });
    request.on('error', () => resolve());
    request.write(Buffer.alloc(1000));
    void until(() => bed.budget.figures.usedBytes === MIB).then(() => request.destroy());
  });
  const other = await send(bed.port, { headers: PROTO }, [Buffer.alloc(5000, 7)]);
  assert.equal(other.status, 200);
  await aborted;
  await until(() => bed.receiver.figures.otlp_proto.refusedRequests.aborted === 1);
  assert.equal(bed.budget.figures.leases, 0);
  assert.equal(bed.ingest.calls.length, 1);
});

test('the signal fires when the client goes away before its answer, and only then', async () => {
  await using bed = await startHttp();
  await send(bed.port, { headers: PROTO }, [Buffer.from('x')]);
  let finish: (result: IngestResult) => void = () => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const request = http.request({
    host: '127.0.0.1',
    port: bed.port,
    path: '/v1/traces',
    method: 'POST',
    headers: PROTO,
  });
  request.on('error', () => undefined);
  request.end('y');
  await bed.ingest.called(2);
  request.destroy();
  await until(() => bed.ingest.calls[1]?.signal?.aborted === true);
  assert.equal(bed.ingest.calls[0]?.signal?.aborted, false);
  // The body is still the store's until it answers.
  assert.equal(bed.budget.figures.leases, 1);
  finish({ accepted: 1, rejected: 0, message: '' });
  await until(() => bed.budget.figures.leases === 0);
});

test('Expect: 100-continue is answered before the body, with the refusal or with leave to send', async () => {
  await using bed = await startHttp({ bodyCapBytes: 10_000 });
  const expectContinue = (length: number): Promise<{ status: number; continued: boolean }> =>
    new Promise((resolve, reject) => {
      let continued = false;
      const request = http.request(
        {
          host: '127.0.0.1',
          port: bed.port,
          path: '/v1/traces',
          method: 'POST',
          agent: false,
          headers: { ...PROTO, 'content-length': length, expect: '100-continue' },
        },
        (response) => {
          response.resume();
          response.on('end', () => resolve({ status: response.statusCode ?? 0, continued }));
          request.destroy();
        },
      );
      request.on('error', reject);
      request.on('continue', () => {
        continued = true;
        request.end(Buffer.alloc(length));
      });
      request.flushHeaders();
    });
  assert.deepEqual(await expectContinue(9000), { status: 200, continued: true });
  assert.deepEqual(await expectContinue(11_000), { status: 413, continued: false });
  const other = await exchangeRaw(
    bed.port,
    'POST /v1/traces HTTP/1.1\r\nhost: x\r\nexpect: a-miracle\r\ncontent-length: 1\r\n\r\nx',
  );
  assert.match(other, /^HTTP\/1\.1 417 /);
  assert.match(other, /"message":"expectation \\"a-miracle\\" is not known/);
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

test('pipelined requests are answered in their order', async () => {
  await using bed = await startHttp();
  let turn = 0;
  bed.ingest.answer = async () => {
    // The first takes longest.
    for (let i = turn++; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    return { accepted: 1, rejected: turn, message: 'x' };
  };
  const one = (close: string): string =>
    `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${close}content-length: 2\r\n\r\n{}`;
  const text = await exchangeRaw(bed.port, one('') + one('') + one('connection: close\r\n'));
  assert.equal(text.split('HTTP/1.1 200 OK').length, 4);
  assert.equal(bed.ingest.calls.length, 3);
});

test('a required tenant header names the tenant; without a good one the request is refused', async () => {
  await using bed = await startHttp({ tenantHeader: 'X-Tenant' });
  const tenant = (value: string | undefined): Promise<{ status: number; body: Buffer }> =>
    send(
      bed.port,
      { headers: value === undefined ? JSON_TYPE : { ...JSON_TYPE, 'x-tenant': value } },
      [Buffer.from('{}')],
    );
  assert.equal((await tenant('team-a')).status, 200);
  assert.equal(bed.ingest.calls[0]?.tenant, 'team-a');
  for (const value of [undefined, '', '../etc', 'a b', 'x'.repeat(65)]) {
    const answer = await tenant(value);
    assert.equal(answer.status, 400);
    assert.match(jsonStatus(answer.body).message, /tenant/);
  }
  assert.equal(bed.ingest.calls.length, 1);
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

test('what is no HTTP, or has too large headers, is answered with a Status', async () => {
  await using bed = await startHttp({ maxHeaderBytes: 8192 });
  const garbage = await exchangeRaw(bed.port, 'hello there\r\n\r\n');
  assert.match(garbage, /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/json/);
  assert.match(garbage, /\{"code":3,"message":"not an HTTP\/1\.1 request/);
  const large = await exchangeRaw(
    bed.port,
    `POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(9000)}\r\n\r\n`,
  );
  assert.match(large, /^HTTP\/1\.1 431 /);
  const chunk = await exchangeRaw(
    bed.port,
    'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  );
  assert.match(chunk, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(chunk, /content-type: application\/x-protobuf/);
  assert.equal(bed.receiver.figures.unknown.refusedRequests.bad_http, 2);
  assert.equal(bed.receiver.figures.otlp_proto.refusedRequests.bad_http, 1);
  assert.equal(bed.budget.figures.leases, 0);
});

test('slow headers, stalled bodies and dribbled bodies are ended', async () => {
  await using bed = await startHttp({
    headersTimeoutMs: 60,
    bodyIdleTimeoutMs: 80,
    requestTimeoutMs: 200,
  });
  const head = 'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  assert.match(await exchangeRaw(bed.port, head), /^HTTP\/1\.1 408 Request Timeout\r\n/);
  assert.match(await exchangeRaw(bed.port, ''), /^HTTP\/1\.1 408 /);
  const stalled = await exchangeRaw(bed.port, `${head}content-length: 100\r\n\r\nabc`);
  assert.match(stalled, /^HTTP\/1\.1 408 /);
  assert.match(stalled, /request body stopped for 80 ms/);
  const dribbled = await new Promise<string>((resolve, reject) => {
    let got = '';
    const socket = net.connect({ host: '127.0.0.1', port: bed.port }, () => {
      socket.write(`${head}content-length: 100\r\n\r\n`);
    });
    const timer = setInterval(() => socket.write('a'), 20);
    socket.on('data', (piece) => {
      got += piece.toString('latin1');
    });
    socket.on('error', (error) => (got === '' ? reject(error) : resolve(got)));
    socket.on('close', () => {
      clearInterval(timer);
      resolve(got);
    });
  });
  assert.match(dribbled, /^HTTP\/1\.1 408 /);
  assert.equal(bed.receiver.figures.otlp_json.refusedRequests.timeout, 2);
  assert.equal(bed.budget.figures.leases, 0);
});

test('an answer may take longer than the pause that a body may make', async () => {
  await using bed = await startHttp({ bodyIdleTimeoutMs: 30 });
  bed.ingest.answer = async () => {
    await new Promise((resolve) => setTimeout(resolve, 120));
    return { accepted: 1, rejected: 0, message: '' };
  };
  assert.equal((await send(bed.port, { headers: PROTO }, [Buffer.from('x')])).status, 200);
});

test('connections beyond the limit are dropped and counted', async () => {
  await using bed = await startHttp({ maxConnections: 2 });
  const open = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<net.Socket>((resolve) => {
          const socket = net.connect({ host: '127.0.0.1', port: bed.port }, () => resolve(socket));
        }),
    ),
  );
  await until(() => bed.receiver.connections.open === 2);
  assert.equal(await exchangeRaw(bed.port, '').catch(() => ''), '');
  assert.equal(bed.receiver.connections.dropped, 1);
  for (const socket of open) socket.destroy();
});

test('shutdown lets the running request finish, refuses new ones and closes idle connections', async () => {
  await using bed = await startHttp();
  const agent = new http.Agent({ keepAlive: true });
  await send(bed.port, { headers: PROTO, agent }, [Buffer.from('idle')]);
  const fresh = net.connect({ host: '127.0.0.1', port: bed.port });
  await until(() => bed.receiver.connections.open === 2);
  let finish: (result: IngestResult) => void = () => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const running = send(bed.port, { headers: { ...PROTO, connection: 'keep-alive' } }, [
    Buffer.from('x'),
  ]);
  await bed.ingest.called(2);
  const freshClosed = new Promise((resolve) => fresh.on('close', resolve));
  fresh.on('error', () => undefined);
  const stopped = bed.receiver.shutdown(10_000);
  await freshClosed;
  await assert.rejects(send(bed.port, { headers: PROTO }, [Buffer.from('late')]), /ECONNREFUSED/);
  finish({ accepted: 1, rejected: 0, message: '' });
  const answer = await running;
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['connection'], 'close');
  await stopped;
  agent.destroy();
});

test('shutdown ends at its deadline, and is safe before start and twice', async () => {
  await using bed = await startHttp();
  bed.ingest.answer = () => new Promise(() => undefined);
  const running = send(bed.port, { headers: PROTO }, [Buffer.from('x')]);
  const cut = assert.rejects(running);
  await bed.ingest.called(1);
  await Promise.all([bed.receiver.shutdown(20), bed.receiver.shutdown(20)]);
  await cut;
  await bed.receiver.shutdown(20);
  await assert.rejects(bed.receiver.start(), /already shut down/);
});

test('an address in use is a clear error', async () => {
  await using bed = await startHttp();
  await assert.rejects(
    startHttp({ port: bed.port }),
    /receivers\.otlp\.protocols\.http: cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE/,
  );
});
