// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { test } from 'node:test';
import { credentials, status } from '@grpc/grpc-js';
import type { ServerTlsSettings } from '#net/tls/server-tls.ts';
import {
  NO_OPENSSL,
  TestCertificates,
  type CertificateFiles,
} from '#net/tls/testing/test-certificates.ts';
import { bodyOf, errorOf, TestClient } from '#receivers/testing/grpc-test-client.ts';
import { pattern, send, startGrpc, startHttp } from '#receivers/testing/receiver-test-bed.ts';

const OPTIONS = { skip: NO_OPENSSL, timeout: 20_000 };

function settings(pair: CertificateFiles, clientCa?: CertificateFiles): ServerTlsSettings {
  return {
    ...pair,
    keyPassword: '',
    keyPasswordFile: '',
    pkcs12File: '',
    pkcs12Password: '',
    pkcs12PasswordFile: '',
    caFile: '',
    clientCaFile: clientCa?.certFile ?? '',
    minVersion: 'TLSv1.2',
    reloadIntervalMs: 0,
  };
}

const ONE_TRY = { 'grpc.enable_retries': 0 };
/** By its address Node does not let it ask for a server. */
const NAME = { 'grpc.ssl_target_name_override': 'localhost' };

/** A gRPC client that trusts a CA, and shows a certificate. */
function grpcClient(port: number, ca: CertificateFiles, own?: CertificateFiles): TestClient {
  const channel = credentials.createSsl(
    readFileSync(ca.certFile),
    own === undefined ? undefined : readFileSync(own.keyFile),
    own === undefined ? undefined : readFileSync(own.certFile),
  );
  return new TestClient(port, { ...ONE_TRY, ...NAME }, channel);
}

/** The status of an answer, and who gave it. */
async function post(port: number, agent: Agent, body: Buffer): Promise<string> {
  const sent = request({
    host: '127.0.0.1',
    port,
    agent,
    path: '/v1/traces',
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
  });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  // That of https.
  const socket = answer.socket as TLSSocket;
  const subject = socket.getPeerX509Certificate()?.subject;
  await text(answer);
  return `${answer.statusCode} ${subject}`;
}

test(
  'grpc-js sends over mTLS, and sees an error of TLS without a certificate',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    const tls = settings(files.make('server', { ca }), ca);
    await using bed = await startGrpc({ tls });
    using client = grpcClient(bed.port, ca, files.make('agent', { ca }));
    const body = pattern(300_000, 1);
    bodyOf(await client.export(body));
    assert.ok(bed.ingest.calls[0]!.body.equals(body));

    using nobody = grpcClient(bed.port, ca);
    const error = errorOf(await nobody.export(body));
    assert.equal(error.code, status.UNAVAILABLE);
    assert.match(error.details, /SSL|alert|ECONNRESET|certificate required/i);
    using stranger = grpcClient(bed.port, ca, files.make('stranger', { ca: files.ca('other') }));
    assert.equal(errorOf(await stranger.export(body)).code, status.UNAVAILABLE);
    const { failures, handshakes } = bed.receiver.tls!.figures;
    assert.equal(handshakes, 1);
    assert.ok(failures.no_client_certificate >= 1 && failures.bad_client_certificate >= 1);
    assert.equal(bed.ingest.calls.length, 1);
  },
);

test(
  'requests over HTTP/1.1 come through mTLS, kept alive while the certificate changes',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    const server = files.make('server', { ca });
    await using bed = await startHttp({ tls: settings(server, ca) });
    const client = { ca: readFileSync(ca.certFile), ...files.read(files.make('agent', { ca })) };
    const agent = new Agent({ ...client, keepAlive: true, maxSockets: 1 });
    const body = pattern(300_000, 2);
    assert.equal(await post(bed.port, agent, body), '200 CN=server');
    assert.ok(bed.ingest.calls[0]!.body.equals(body));
    assert.equal(bed.receiver.connections.open, 1);

    const next = files.make('next', { ca });
    copyFileSync(next.certFile, server.certFile);
    copyFileSync(next.keyFile, server.keyFile);
    await bed.receiver.tls!.reload();
    assert.equal(await post(bed.port, agent, body), '200 CN=server');
    assert.equal(bed.receiver.tls!.figures.handshakes, 1);
    const fresh = new Agent({ ...client, keepAlive: true });
    assert.equal(await post(bed.port, fresh, body), '200 CN=next');
    const [[socket]] = Object.values(fresh.freeSockets) as [[import('node:tls').TLSSocket]];
    assert.equal(socket.getPeerX509Certificate()?.subject, 'CN=next');

    const nobody = new Agent({ ca: client.ca });
    await assert.rejects(post(bed.port, nobody, body), /certificate required/i);
    for (const used of [agent, fresh, nobody]) used.destroy();
    assert.equal(bed.ingest.calls.length, 3);
  },
);

test('a gRPC call under way is answered though the certificate has changed', OPTIONS, async () => {
  using files = new TestCertificates();
  const ca = files.ca('ca');
  const server = files.make('server', { ca });
  await using bed = await startGrpc({ tls: settings(server) });
  const answer = Promise.withResolvers<void>();
  bed.ingest.answer = async () => {
    await answer.promise;
    return { accepted: 1, rejected: 0, message: '' };
  };
  using client = grpcClient(bed.port, ca);
  const underWay = client.export(pattern(1000, 3));
  await bed.ingest.called(1);
  const next = files.make('next', { ca });
  copyFileSync(next.certFile, server.certFile);
  copyFileSync(next.keyFile, server.keyFile);
  await bed.receiver.tls!.reload();
  answer.resolve();
  bodyOf(await underWay);
  bodyOf(await client.export(pattern(1000, 4)));
  assert.equal(bed.receiver.tls!.figures.handshakes, 1);
});

test(
  'plain text to a port with TLS, and TLS to one without, are said to the client or the log',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    const tls = settings(files.make('server', { ca }));
    await using grpc = await startGrpc({ tls });
    await using http = await startHttp({ tls });
    using plain = new TestClient(grpc.port, ONE_TRY);
    const error = errorOf(await plain.export(pattern(10, 1)));
    assert.equal(error.code, status.UNAVAILABLE);
    for (const { port } of [grpc, http]) {
      const answer = await send(port, {});
      assert.equal(answer.status, 400);
      assert.match(answer.body.toString(), /this port speaks TLS/);
    }
    assert.match(grpc.log[0] ?? '', /^receivers\.test: TLS handshake failed/);
    assert.equal(http.receiver.tls!.figures.failures.plain_text, 1);

    await using plainGrpc = await startGrpc();
    await using plainHttp = await startHttp();
    for (const { port } of [plainGrpc, plainHttp]) {
      const [refused] = (await once(connect({ host: '127.0.0.1', port }), 'error')) as [
        NodeJS.ErrnoException,
      ];
      assert.equal(refused.code, 'ERR_SSL_WRONG_VERSION_NUMBER');
    }
    while (plainGrpc.log.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.match(plainGrpc.log[0]!, /what came is not HTTP\/2, perhaps TLS or HTTP\/1\.1/);
    assert.equal(plainHttp.log[0], 'receivers.test: bad HTTP request');
    assert.equal(plainHttp.receiver.figures.unknown.refusedRequests.bad_http, 1);
  },
);

test(
  'a shutdown ends handshakes at once, and lets a request over TLS finish',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    const bed = await startHttp({ tls: settings(files.make('server', { ca })) });
    const answer = Promise.withResolvers<void>();
    bed.ingest.answer = async () => {
      await answer.promise;
      return { accepted: 1, rejected: 0, message: '' };
    };
    const agent = new Agent({ ca: readFileSync(ca.certFile) });
    const underWay = post(bed.port, agent, pattern(1000, 1));
    await bed.ingest.called(1);
    const stopped = bed.receiver.shutdown(10_000);
    answer.resolve();
    assert.equal(await underWay, '200 CN=server');
    await stopped;
    agent.destroy();
  },
);
