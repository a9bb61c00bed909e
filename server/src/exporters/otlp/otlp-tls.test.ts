// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import test from 'node:test';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { clientTlsSettings } from '#app/tls-settings.ts';
import { clientTlsSchema } from '#config/tls-config.ts';
import { requestOf } from '#exporters/testing/example-requests.ts';
import type { Transport } from '#exporters/sending/transport.ts';
import { ClientTls } from '#net/tls/client-tls.ts';
import { refusePlainText } from '#net/tls/plain-text.ts';
import {
  NO_OPENSSL,
  TestCertificates,
  type CertificateFiles,
} from '#net/tls/testing/test-certificates.ts';
import { RAW_TRACE_SERVICE } from '#exporters/testing/trace-service.ts';
import { GrpcTransport } from './grpc-transport.ts';
import { HttpTransport } from './http-transport.ts';

const NEVER = new AbortController().signal;
const REQUEST = requestOf(1);
const SETTINGS = {
  headers: {},
  tenantHeader: undefined,
  compression: 'none',
  timeoutMs: 10_000,
  maxConnections: 2,
} as const;
const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A server that lets in clients with a certificate of a CA, and notes their names. */
interface TlsServer extends Disposable {
  readonly port: number;
  readonly clients: string[];
}

async function serveHttps(pair: CertificateFiles, ca: CertificateFiles): Promise<TlsServer> {
  const clients: string[] = [];
  const server = https.createServer(
    {
      cert: readFileSync(pair.certFile),
      key: readFileSync(pair.keyFile),
      ca: readFileSync(ca.certFile),
      requestCert: true,
    },
    (request, response) => {
      // Every connection of this server is one.
      clients.push(String((request.socket as TLSSocket).getPeerX509Certificate()?.subject));
      request.resume();
      request.on('end', () => response.end());
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    clients,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function serveGrpc(pair: CertificateFiles, ca: CertificateFiles): Promise<TlsServer> {
  const clients: string[] = [];
  const server = new Server();
  server.addService(RAW_TRACE_SERVICE, {
    Export: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const subject = call.getAuthContext().sslPeerCertificate?.subject.CN;
      clients.push(`CN=${String(subject)}`);
      answer(null, Buffer.alloc(0));
    },
  });
  const how = ServerCredentials.createSsl(
    readFileSync(ca.certFile),
    [{ cert_chain: readFileSync(pair.certFile), private_key: readFileSync(pair.keyFile) }],
    true,
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', how, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, clients, [Symbol.dispose]: () => server.forceShutdown() };
}

async function makeTls(section: object): Promise<ClientTls> {
  const settings = clientTlsSettings(clientTlsSchema.parse({ reload_interval: '0', ...section }));
  const tls = new ClientTls('exporters.otlp.tls', settings!, LOG);
  await tls.start();
  return tls;
}

for (const [name, serve, Protocol] of [
  ['http', serveHttps, HttpTransport],
  ['grpc', serveGrpc, GrpcTransport],
] as const) {
  const connect = (port: number, host: string, tls: ClientTls): Transport =>
    new Protocol(
      SETTINGS,
      { host, port, ip: '127.0.0.1', path: '/v1/traces', isPlain: false },
      host,
      tls,
    );

  test(
    `${name}: a server is believed by its CA and name, and told who sends; the next connection has new certificates`,
    { skip: NO_OPENSSL },
    async () => {
      using files = new TestCertificates();
      const ca = files.ca('ca');
      const own = files.make('first', { ca });
      const second = files.make('second', { ca });
      using server = await serve(files.make('server', { ca }), ca);
      const section = { ca_file: ca.certFile, cert_file: own.certFile, key_file: own.keyFile };
      const tls = await makeTls(section);
      const good = ['collector.example', 'localhost', '127.0.0.1'].map((host) =>
        connect(server.port, host, tls),
      );
      for (const transport of good) await transport.send(REQUEST, NEVER);
      assert.deepEqual(server.clients, ['CN=first', 'CN=first', 'CN=first']);

      const stranger = connect(server.port, 'elsewhere.example', tls);
      await assert.rejects(stranger.send(REQUEST, NEVER), /[Aa]ltnames|elsewhere\.example/);
      const renamed = connect(
        server.port,
        'elsewhere.example',
        await makeTls({ ...section, server_name_override: 'collector.example' }),
      );
      await renamed.send(REQUEST, NEVER);
      const distrustful = connect(
        server.port,
        'localhost',
        await makeTls({ ...section, ca_file: files.ca('other').certFile }),
      );
      await assert.rejects(distrustful.send(REQUEST, NEVER), { code: 'unavailable' });
      const nobody = connect(server.port, 'localhost', await makeTls({ ca_file: ca.certFile }));
      await assert.rejects(nobody.send(REQUEST, NEVER), { code: 'unavailable' });

      copyFileSync(second.certFile, own.certFile);
      copyFileSync(second.keyFile, own.keyFile);
      await tls.reload();
      await good[0]!.send(REQUEST, NEVER);
      assert.equal(server.clients.at(-1), 'CN=second');
      for (const one of [...good, stranger, renamed, distrustful, nobody]) one.close();
    },
  );
}

test('plain text to a gRPC port with TLS may be sent again, and the error asks for TLS', async () => {
  const server = createServer((socket) => {
    socket.once('data', (first: Buffer) => refusePlainText(socket, first));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const address = { host: 'localhost', ip: '127.0.0.1', port, path: '', isPlain: true };
  const transport = new GrpcTransport(SETTINGS, address, 'exporters.otlp', undefined);
  try {
    await assert.rejects(transport.send(REQUEST, NEVER), {
      code: 'unavailable',
      message: /does it want TLS\?/,
    });
  } finally {
    transport.close();
    server.close();
  }
});
