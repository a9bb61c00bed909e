// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { test } from 'node:test';
import { loadConfig } from '#config/load-config.ts';
import { freePorts } from '#config/testing/free-ports.ts';
import { loadYaml, problemOf } from '#config/testing/config-file.ts';
import { NO_OPENSSL, TestCertificates } from '#net/tls/testing/test-certificates.ts';
import { createLogger } from '#telemetry/logger.ts';
import { buildComponents } from './components.ts';
import { SpoorServer } from './spoor-server.ts';

const OPTIONS = { skip: NO_OPENSSL, timeout: 30_000 };

/** The sections that listen with connections. */
const SECTIONS = [
  'query.http',
  'receivers.otlp.protocols.grpc',
  'receivers.otlp.protocols.http',
  'receivers.jaeger.protocols.grpc',
  'receivers.jaeger.protocols.thrift_http',
  'receivers.zipkin',
  'sampling.http',
  'sampling.grpc',
  'telemetry.health',
];

function build(sets: readonly string[]): SpoorServer {
  const config = loadConfig({
    env: {},
    sets: ['storage.type=memory', ...freePorts(), 'query.ui.assets_path=/nonexistent', ...sets],
  });
  const logger = createLogger('silent');
  return new SpoorServer(buildComponents(config, logger, '1.2.3'), logger);
}

async function read(url: string, ca: Buffer): Promise<string> {
  const [answer] = (await once(get(url, { ca, agent: false }), 'response')) as [IncomingMessage];
  return text(answer);
}

test('every port with connections speaks TLS when told so', OPTIONS, async () => {
  using files = new TestCertificates();
  const { certFile, keyFile } = files.make('server');
  const server = build(
    SECTIONS.flatMap((section) => [
      `${section}.tls.cert_file=${certFile}`,
      `${section}.tls.key_file=${keyFile}`,
    ]),
  );
  const addresses = await server.start();
  try {
    const tcp = Object.entries(addresses).filter(([name]) => !name.includes('udp'));
    assert.equal(tcp.length, SECTIONS.length);
    const ca = readFileSync(certFile);
    for (const [name, address] of tcp) {
      const isGrpc = name.endsWith('grpc');
      const url = new URL(isGrpc ? `https://${address}` : address);
      assert.equal(url.protocol, 'https:');
      const socket = connect({
        host: url.hostname,
        port: Number(url.port),
        ca,
        ALPNProtocols: ['h2', 'http/1.1'],
      });
      await once(socket, 'secureConnect');
      assert.equal(socket.alpnProtocol, isGrpc ? 'h2' : 'http/1.1', name);
      socket.destroy();
    }
    assert.equal(await read(`${addresses['health']}/ready`, ca), 'ready\n');
    assert.match(await read(`${addresses['query']}/api/services`, ca), /"data":/);
    const metrics = await read(`${addresses['health']}/metrics`, ca);
    const ends = [
      ...metrics.matchAll(
        /^spoor_tls_certificate_expiry_timestamp_seconds\{section="([^"]+)"\} (\d+)$/gm,
      ),
    ];
    assert.deepEqual(new Set(ends.map(([, section]) => section)), new Set(SECTIONS));
    assert.ok(ends.every(([, , seconds]) => Number(seconds) > Date.now() / 1000));
  } finally {
    await server.shutdown();
  }
});

test('metrics can be asked for while ports with TLS and lists of tokens have not started', async () => {
  const sets = [
    'sampling.http.tls.pkcs12_file=/nonexistent',
    'auth.query.tokens_file=/nonexistent',
  ];
  const config = loadConfig({ env: {}, sets: ['storage.type=memory', ...freePorts(), ...sets] });
  const { health } = buildComponents(config, createLogger('silent'), '1.2.3');
  assert.ok(health);
  await health.start();
  try {
    const { host, port } = health.address!;
    const metrics = await (await fetch(`http://${host}:${port}/metrics`)).text();
    assert.match(metrics, /^spoor_auth_tokens\{section="auth.query"\} 0$/m);
    assert.match(metrics, /^spoor_tls_handshakes_total\{section="sampling.http"\} 0$/m);
  } finally {
    await health.shutdown(1000);
  }
});

test('a certificate that cannot be read ends the start, with its key', async () => {
  for (const section of ['sampling.http', 'receivers.zipkin', 'sampling.grpc']) {
    const server = build([
      `${section}.tls.cert_file=/nonexistent.crt`,
      `${section}.tls.key_file=/nonexistent.key`,
    ]);
    await assert.rejects(server.start(), {
      name: 'StartError',
      message: `${section}.tls.cert_file: there is no such file: /nonexistent.crt`,
    });
  }
});

test('a section of TLS is checked as a whole', () => {
  const problem = (tls: string): string =>
    problemOf(() => loadYaml(`query:\n  http:\n    tls:\n${tls}\n`));
  const at = 'query.http.tls';
  assert.equal(
    problem(''),
    `${at}.cert_file: must be set, with key_file, or pkcs12_file instead of both, not nothing (spoor.yaml:3)`,
  );
  assert.equal(
    problem('      cert_file: a.crt'),
    `${at}.key_file: must be set where cert_file is, not nothing (spoor.yaml:3)`,
  );
  assert.equal(
    problem('      pkcs12_file: a.p12\n      key_file: a.key'),
    `${at}.key_file: must be left out where pkcs12_file is set, not "a.key" (spoor.yaml:5)`,
  );
  assert.equal(
    problem('      { pkcs12_file: a, min_version: 1.1 }'),
    `${at}.min_version: must be 1.2 or 1.3, not 1.1 (spoor.yaml:4)`,
  );
  assert.equal(
    problem('      { pkcs12_file: a, clientCaFile: b }'),
    `${at}.clientCaFile: unknown key; did you mean ${at}.client_ca_file? (spoor.yaml:4)`,
  );
});
