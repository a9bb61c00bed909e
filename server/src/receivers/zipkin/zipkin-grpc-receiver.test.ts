// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { test } from 'node:test';
import { credentials, status } from '@grpc/grpc-js';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { GuestPort } from '#net/guest-port.ts';
import { NO_OPENSSL, TestCertificates } from '#net/tls/testing/test-certificates.ts';
import { serverTlsSchema } from '#config/tls-config.ts';
import { serverTlsSettings } from '#app/tls-settings.ts';
import type { HttpReceiverSettings } from '#receivers/http-receiver.ts';
import type { PlacedReceiverParts } from '#receivers/intake.ts';
import { HTTP_DEFAULTS } from '#receivers/receiver-defaults.ts';
import { bodyOf, errorOf, prefixed, TestClient } from '#receivers/testing/grpc-test-client.ts';
import {
  exchangeRaw,
  LOOPBACK,
  send,
  startReceiver,
  until,
} from '#receivers/testing/receiver-test-bed.ts';
import { createZipkinGrpcReceiver } from './zipkin-grpc-receiver.ts';
import { createZipkinHttpReceiver } from './zipkin-http-receiver.ts';

const PATH = '/zipkin.proto3.SpanService/Report';
const BODY = Buffer.from('spans');

/** Both on one port, as the server starts and stops them. */
function bothOf(given: Partial<HttpReceiverSettings>, parts: PlacedReceiverParts) {
  const settings = { ...HTTP_DEFAULTS, ...LOOPBACK, ...given };
  const port = new GuestPort('receivers.zipkin');
  const grpc = createZipkinGrpcReceiver(settings, parts, port);
  const http = createZipkinHttpReceiver(settings, parts, port);
  return {
    grpc,
    http,
    get address() {
      return http.address;
    },
    start: async () => {
      await grpc.start();
      await http.start();
    },
    shutdown: async (deadlineMs: number) => {
      await Promise.all([grpc.shutdown(deadlineMs), http.shutdown(deadlineMs)]);
    },
  };
}

const start = (settings: Partial<HttpReceiverSettings> = {}) =>
  startReceiver((parts) => bothOf(settings, parts));

const postJson = (port: number) => send(port, { path: '/api/v2/spans' }, [BODY]);

test('spans are reported over gRPC on the port of HTTP, with an empty answer', async () => {
  await using bed = await start();
  using client = new TestClient(bed.port);
  assert.equal(bodyOf(await client.export(BODY, {}, PATH)).length, 0);
  assert.equal((await postJson(bed.port)).status, 202);
  bodyOf(await client.export(BODY, {}, PATH));
  assert.deepEqual(
    bed.ingest.calls.map(({ format }) => format),
    ['zipkin_proto', 'zipkin_json', 'zipkin_proto'],
  );
  assert.equal(bed.receiver.grpc.figures.zipkin_proto.requests, 2);
  assert.equal(bed.receiver.http.figures.zipkin_proto.requests, 0);
  assert.deepEqual(bed.receiver.grpc.connections, { open: 1, dropped: 0 });
});

test('what is refused has the status of gRPC', async () => {
  await using bed = await start();
  using client = new TestClient(bed.port, { 'grpc.enable_retries': 0 });
  for (const [code, grpcStatus] of [
    ['malformed', status.INVALID_ARGUMENT],
    ['overloaded', status.UNAVAILABLE],
  ] as const) {
    bed.ingest.answer = () => {
      throw new SpoorError(code, 'no');
    };
    assert.equal(errorOf(await client.export(BODY, {}, PATH)).code, grpcStatus);
  }
  assert.equal(errorOf(await client.export(BODY)).code, status.UNIMPLEMENTED);
});

test(
  'both are served over TLS, and a client that offers both protocols gets HTTP/1.1',
  { skip: NO_OPENSSL, timeout: 20_000 },
  async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    const { certFile: cert_file, keyFile: key_file } = files.make('server', { ca });
    const tls = serverTlsSettings(serverTlsSchema.parse({ cert_file, key_file })!);
    await using bed = await start({ tls });
    const trusted = readFileSync(ca.certFile);
    const name = { 'grpc.ssl_target_name_override': 'localhost' };
    using client = new TestClient(bed.port, name, credentials.createSsl(trusted));
    assert.equal(bodyOf(await client.export(BODY, {}, PATH)).length, 0);
    const socket = connect({
      host: '127.0.0.1',
      port: bed.port,
      ca: trusted,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    socket.end(
      `POST /api/v2/spans HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nspans`,
    );
    assert.match(await text(socket), /^HTTP\/1\.1 202/);
    assert.equal(socket.alpnProtocol, 'http/1.1');
    assert.deepEqual(
      bed.ingest.calls.map(({ format }) => format),
      ['zipkin_proto', 'zipkin_json'],
    );
  },
);

test('a connection of which nothing comes is closed', async () => {
  await using bed = await start({ headersTimeoutMs: 50 });
  assert.equal(await exchangeRaw(bed.port, ''), '');
});

test('the first bytes may come one at a time', async () => {
  await using bed = await start();
  for (const [bytes, expected] of [
    ['GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n', 'HTTP/1.1 404'],
    ['POST /nowhere HTTP/1.1\r\nhost: x\r\n\r\n', 'HTTP/1.1 404'],
    // An empty SETTINGS is what a server of HTTP/2 begins with.
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', '\0\0'],
  ] as const) {
    const socket = net.connect(bed.port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    let answer = '';
    socket.on('data', (piece: Buffer) => (answer += piece.toString('latin1')));
    for (const byte of bytes) {
      socket.write(byte, 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => answer.startsWith(expected));
    socket.destroy();
  }
});

test('a client that says nothing and leaves is let go at once', async () => {
  await using bed = await start();
  const socket = net.connect(bed.port, '127.0.0.1');
  socket.resume().end();
  await once(socket, 'close');
});

test('a stop lets a call over gRPC finish and ends its connection', async () => {
  const bed = await start();
  let release = (): void => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      release = () => resolve({ accepted: 1, rejected: 0, message: '' });
    });
  using client = new TestClient(bed.port);
  const call = client.export(BODY, {}, PATH);
  await until(() => bed.ingest.calls.length === 1);
  const stopped = bed.receiver.shutdown(10_000);
  release();
  assert.equal(bodyOf(await call).length, 0);
  await stopped;
  assert.equal(bed.receiver.grpc.connections.open, 0);
});

test('a stop cuts a call over gRPC at the deadline, and a connection of which nothing came', async () => {
  const bed = await start();
  bed.ingest.answer = () => new Promise(() => undefined);
  const silent = net.connect(bed.port, '127.0.0.1');
  const closed = once(silent, 'close');
  const session = http2.connect(`http://127.0.0.1:${bed.port}`);
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.end(prefixed(0, BODY));
  await until(() => bed.ingest.calls.length === 1);
  await bed.receiver.shutdown(20);
  await closed;
  await bed.receiver.shutdown(20);
  await assert.rejects(bed.receiver.start(), { code: 'unavailable' });
});
