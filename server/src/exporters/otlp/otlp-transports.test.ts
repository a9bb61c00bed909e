// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import test from 'node:test';
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import { requestOf } from '#exporters/testing/example-requests.ts';
import type { ExportAnswer, Transport } from '#exporters/sending/transport.ts';
import { startGrpc, startHttp, type TestBed } from '#receivers/testing/receiver-test-bed.ts';
import { RAW_TRACE_SERVICE } from '#exporters/testing/trace-service.ts';
import { GrpcTransport, type GrpcTransportSettings } from './grpc-transport.ts';
import { HttpTransport, type HttpTransportSettings, type TlsSource } from './http-transport.ts';

const NEVER = new AbortController().signal;
const REQUEST = requestOf(1, 5000);

function httpTransport(
  port: number,
  settings: Partial<HttpTransportSettings> = {},
  tls?: TlsSource,
): Transport & Disposable {
  const transport = new HttpTransport(
    {
      headers: {},
      tenantHeader: undefined,
      compression: 'none',
      timeoutMs: 10_000,
      maxConnections: 10,
      ...settings,
    },
    { host: 'localhost', port, ip: '127.0.0.1', path: '/v1/traces', isPlain: tls === undefined },
    `127.0.0.1:${port}`,
    tls,
  );
  return Object.assign(transport, { [Symbol.dispose]: () => transport.close() });
}

function grpcTransport(
  port: number,
  settings: Partial<GrpcTransportSettings> = {},
  tls?: TlsSource,
): Transport & Disposable {
  const transport = new GrpcTransport(
    { headers: {}, tenantHeader: undefined, compression: 'none', timeoutMs: 10_000, ...settings },
    { host: 'localhost', port, ip: '127.0.0.1', path: '', isPlain: tls === undefined },
    `127.0.0.1:${port}`,
    tls,
  );
  return Object.assign(transport, { [Symbol.dispose]: () => transport.close() });
}

/** The two protocols, each with a receiver of Spoor. */
const PROTOCOLS: readonly {
  readonly name: string;
  readonly connect: (
    port: number,
    settings?: Partial<HttpTransportSettings & GrpcTransportSettings>,
    tls?: TlsSource,
  ) => Transport & Disposable;
  readonly listen: (tenancy?: Parameters<typeof startHttp>[2]) => Promise<TestBed<object>>;
}[] = [
  {
    name: 'http',
    connect: httpTransport,
    listen: (tenancy) => startHttp({}, undefined, tenancy),
  },
  {
    name: 'grpc',
    connect: grpcTransport,
    listen: (tenancy) => startGrpc({}, undefined, tenancy),
  },
];

async function errorOf(answer: Promise<ExportAnswer>): Promise<SpoorError> {
  const error: unknown = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SpoorError, String(error));
  return error;
}

for (const { name, connect, listen } of PROTOCOLS) {
  test(`${name}: a receiver gets the bytes and the tenant, compressed or not`, async () => {
    await using bed = await listen({ header: 'X-Tenant', tenants: [] });
    for (const compression of ['none', 'gzip'] as const) {
      using transport = connect(bed.port, {
        compression,
        tenantHeader: 'X-Tenant',
        headers: { authorization: 'Bearer abc' },
      });
      const answer = await transport.send({ ...REQUEST, tenant: parseTenant('acme') }, NEVER);
      assert.deepEqual(answer, { rejectedSpans: 0, message: '' });
      const call = bed.ingest.calls.at(-1)!;
      assert.deepEqual(call.body, Buffer.from(REQUEST.body));
      assert.equal(call.tenant, 'acme');
    }
  });

  test(`${name}: what a receiver left out of a request is told`, async () => {
    await using bed = await listen();
    using transport = connect(bed.port);
    bed.ingest.answer = () => ({ accepted: 1, rejected: 3, message: 'trace id is all zeros' });
    assert.deepEqual(await transport.send(REQUEST, NEVER), {
      rejectedSpans: 3,
      message: 'trace id is all zeros',
    });
  });

  test(`${name}: a refusal that is not for good has the hint of the receiver`, async () => {
    await using bed = await listen();
    using transport = connect(bed.port);
    bed.ingest.answer = () => {
      throw new SpoorError('overloaded', 'no room now', { retryAfterMs: 2000 });
    };
    const error = await errorOf(transport.send(REQUEST, NEVER));
    assert.equal(error.code, 'unavailable');
    assert.equal(error.retryAfterMs, 2000);
    assert.match(error.message, /^127\.0\.0\.1:\d+ answered (HTTP 503|UNAVAILABLE): no room now$/);
  });

  test(`${name}: a refusal for good is one`, async () => {
    await using bed = await listen();
    using transport = connect(bed.port);
    bed.ingest.answer = () => {
      throw new SpoorError('malformed', 'otlp: truncated');
    };
    const error = await errorOf(transport.send(REQUEST, NEVER));
    assert.deepEqual([error.code, error.retryable], ['malformed', false]);
    assert.match(error.message, /otlp: truncated$/);
  });

  test(`${name}: many requests are under way at the same time`, async () => {
    await using bed = await listen();
    using transport = connect(bed.port);
    const { promise, resolve } = Promise.withResolvers<void>();
    bed.ingest.answer = async () => {
      await promise;
      return { accepted: 1, rejected: 0, message: '' };
    };
    const answers = Array.from({ length: 8 }, (_, i) => transport.send(requestOf(i), NEVER));
    await bed.ingest.called(8);
    resolve();
    await Promise.all(answers);
  });

  test(`${name}: a port where nobody listens is no answer for now`, async () => {
    const bed = await listen();
    const { port } = bed;
    await bed[Symbol.asyncDispose]();
    using transport = connect(port);
    const error = await errorOf(transport.send(REQUEST, NEVER));
    assert.equal(error.code, 'unavailable');
  });

  test(`${name}: a server that hangs is given up after the timeout, or when the signal fires`, async () => {
    const sockets: net.Socket[] = [];
    const server = net.createServer(
      (socket) => void sockets.push(socket.on('error', () => undefined)),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      using hasty = connect(port, { timeoutMs: 50 });
      const late = await errorOf(hasty.send(REQUEST, NEVER));
      assert.equal(late.code, 'unavailable');
      using transport = connect(port);
      const abort = new AbortController();
      const sent = errorOf(transport.send(REQUEST, abort.signal));
      abort.abort();
      assert.match((await sent).message, /given up at the end$/);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  test(`${name}: a connection that is cut under a request is no answer for now`, async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.resetAndDestroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    using transport = connect((server.address() as AddressInfo).port);
    const error = await errorOf(transport.send(REQUEST, NEVER));
    assert.equal(error.code, 'unavailable');
    server.close();
  });
}

for (const { name, connect, listen } of PROTOCOLS) {
  test(`${name}: a way that is closed lets what is under way end`, async () => {
    await using bed = await listen();
    const transport = connect(bed.port);
    const { promise, resolve } = Promise.withResolvers<void>();
    bed.ingest.answer = async () => {
      await promise;
      return { accepted: 1, rejected: 0, message: '' };
    };
    const sent = transport.send(REQUEST, NEVER);
    await bed.ingest.called(1);
    transport.close();
    resolve();
    assert.deepEqual(await sent, { rejectedSpans: 0, message: '' });
    // Who still knows it may try, and is not told that it is for good.
    await transport.send(REQUEST, NEVER).catch((error: unknown) => {
      assert.ok(error instanceof SpoorError && error.retryable);
    });
  });
}

test('http: zstd is sent as such', async () => {
  await using bed = await startHttp();
  using transport = httpTransport(bed.port, { compression: 'zstd' });
  await transport.send(REQUEST, NEVER);
  assert.deepEqual(bed.ingest.calls[0]!.body, Buffer.from(REQUEST.body));
});

/** An HTTP server that answers as told. */
async function rawHttp(
  answer: (request: http.IncomingMessage, response: http.ServerResponse) => void,
): Promise<{ port: number } & Disposable> {
  const server = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => answer(request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('http: which statuses may be sent again is what the specification says', async () => {
  let status = 0;
  using server = await rawHttp((_, response) => response.writeHead(status).end('no'));
  using transport = httpTransport(server.port);
  const expected: Record<number, string> = {
    302: 'internal',
    400: 'malformed',
    401: 'config',
    403: 'config',
    404: 'config',
    408: 'internal',
    413: 'too_large',
    429: 'overloaded',
    500: 'internal',
    502: 'unavailable',
    503: 'unavailable',
    504: 'unavailable',
  };
  const got: Record<number, string> = {};
  for (const key of Object.keys(expected)) {
    status = Number(key);
    got[status] = (await errorOf(transport.send(REQUEST, NEVER))).code;
  }
  assert.deepEqual(got, expected);
});

test('http: a hint is seconds or a date, and is followed for ten minutes at most', async () => {
  let hint = '';
  using server = await rawHttp((_, response) =>
    response.writeHead(503, hint === '' ? {} : { 'retry-after': hint }).end(),
  );
  using transport = httpTransport(server.port);
  const hinted = async (text: string): Promise<number | undefined> => {
    hint = text;
    return (await errorOf(transport.send(REQUEST, NEVER))).retryAfterMs;
  };
  assert.equal(await hinted(''), undefined);
  assert.equal(await hinted('7'), 7000);
  assert.equal(await hinted('soon'), undefined);
  assert.equal(await hinted(new Date(Date.now() - 5000).toUTCString()), 0);
  const ms = await hinted(new Date(Date.now() + 60_000).toUTCString());
  assert.ok(ms! > 50_000 && ms! <= 60_000);
  assert.equal(await hinted('1000000'), 600_000);
});

test('http: an idle connection that the server has closed costs no try', async () => {
  let count = 0;
  let socket: net.Socket | undefined;
  using server = await rawHttp((request, response) => {
    count++;
    socket = request.socket;
    response.end();
  });
  using transport = httpTransport(server.port);
  await transport.send(REQUEST, NEVER);
  // The next request is on its way when the reset comes.
  socket!.resetAndDestroy();
  await transport.send(REQUEST, NEVER);
  assert.equal(count, 2);
});

test('http: an answer without end is cut, and the host is named as configured', async () => {
  let host: string | undefined;
  using server = await rawHttp((request, response) => {
    host = request.headers.host;
    response.writeHead(200);
    response.on('error', () => undefined);
    response.end(Buffer.alloc(1 << 20));
  });
  using transport = httpTransport(server.port);
  const error = await errorOf(transport.send(REQUEST, NEVER));
  assert.match(error.message, /an answer of over 65536 bytes/);
  assert.equal(host, `localhost:${server.port}`);
});

test('grpc: which statuses may be sent again is what the specification says', async () => {
  let code = 0;
  const server = new Server();
  server.addService(RAW_TRACE_SERVICE, {
    Export: (_: unknown, answer: sendUnaryData<Buffer>) => answer({ code, details: 'no' }),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  using transport = grpcTransport(port);
  const codes: string[] = [];
  for (code = 1; code <= 16; code++) {
    codes.push((await errorOf(transport.send(REQUEST, NEVER))).code);
  }
  assert.deepEqual(codes, [
    'unavailable', // CANCELLED
    'internal',
    'malformed', // INVALID_ARGUMENT
    'unavailable', // DEADLINE_EXCEEDED
    'config', // NOT_FOUND
    'internal',
    'config', // PERMISSION_DENIED
    'too_large', // RESOURCE_EXHAUSTED, without RetryInfo
    'internal',
    'unavailable', // ABORTED
    'unavailable', // OUT_OF_RANGE
    'config', // UNIMPLEMENTED
    'internal',
    'unavailable', // UNAVAILABLE
    'unavailable', // DATA_LOSS
    'config', // UNAUTHENTICATED
  ]);
  server.forceShutdown();
});

test('grpc: a stream that ends without a status is no answer for now', async () => {
  const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_CONNECT_ERROR, NGHTTP2_ENHANCE_YOUR_CALM } =
    http2.constants;
  const ends: readonly ((stream: http2.ServerHttp2Stream) => void)[] = [
    (stream) => stream.close(NGHTTP2_INTERNAL_ERROR),
    (stream) => stream.close(NGHTTP2_CONNECT_ERROR),
    (stream) => stream.close(NGHTTP2_ENHANCE_YOUR_CALM),
    (stream) => stream.session!.destroy(new Error('it broke')),
    (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.close();
    },
  ];
  for (const end of ends) {
    const server = http2.createServer();
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      stream.resume();
      stream.on('end', () => end(stream));
    });
    server.on('sessionError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    using transport = grpcTransport((server.address() as AddressInfo).port);
    const error = await errorOf(transport.send(requestOf(1), NEVER));
    assert.equal(error.code, 'unavailable', `${String(end)}: ${error.message}`);
    server.close();
  }
});

test('a tenant is handed on only where it is asked for', async () => {
  await using bed = await startHttp();
  using transport = httpTransport(bed.port);
  await transport.send(REQUEST, NEVER);
  assert.equal(bed.ingest.calls[0]!.tenant, DEFAULT_TENANT);
});
