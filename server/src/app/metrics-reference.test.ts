// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PLAIN_SPAN } from '@spoor/core/wire/jaeger/testing/jaeger-model.ts';
import { agentMessage } from '@spoor/core/wire/jaeger/testing/thrift-batch.ts';
import { loadConfig } from '#config/load-config.ts';
import { freePorts } from '#config/testing/free-ports.ts';
import { createLogger } from '#telemetry/logger.ts';
import { TOKEN } from '#net/testing/test-tokens.ts';
import { NO_OPENSSL, TestCertificates } from '#net/tls/testing/test-certificates.ts';
import { buildComponents } from './components.ts';
import { SpoorServer } from './spoor-server.ts';

const OPTIONS = { skip: NO_OPENSSL };

const PAGE = new URL('../../../docs/reference/metrics.md', import.meta.url);

/** What `/metrics` of a server with everything on says, after a request of a tenant. */
async function scrape(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-metrics-'));
  using files = new TestCertificates();
  const { certFile, keyFile } = files.make('server');
  const config = loadConfig({
    env: {},
    sets: [
      `auth.ingest.tokens=["${TOKEN}"]`,
      `sampling.http.tls.cert_file=${certFile}`,
      `sampling.http.tls.key_file=${keyFile}`,
      `storage.directory=${directory}`,
      'tenancy.enabled=true',
      ...freePorts(),
      'receivers.jaeger.protocols.thrift_compact.tenant=acme',
      'exporters.otlp.endpoint=127.0.0.1:1',
      `exporters.otlp.tls.cert_file=${certFile}`,
      `exporters.otlp.tls.key_file=${keyFile}`,
      'service.pipelines.traces/away.receivers=[zipkin]',
      'service.pipelines.traces/away.exporters=[otlp]',
      'query.ui.assets_path=/nonexistent',
      'processors.rate_limiting.per_service.spans_per_second=1000000',
      'service.pipelines.traces.processors=[rate_limiting]',
    ],
  });
  const logger = createLogger('silent');
  const server = new SpoorServer(buildComponents(config, logger, '1.2.3'), logger);
  try {
    const addresses = await server.start();
    const answer = await fetch(`${addresses['otlp_http']}/v1/traces`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [config.tenancy.header]: 'acme',
        authorization: `Bearer ${TOKEN}`,
      },
      body: '{}',
    });
    assert.equal(answer.status, 200);
    await sendDatagram(addresses['jaeger_udp_thrift_compact']!, JAEGER_MESSAGE);
    for (;;) {
      const text = await (await fetch(`${addresses['health']}/metrics`)).text();
      if (text.includes('spoor_jaeger_client_')) return text;
    }
  } finally {
    await server.shutdown();
    rmSync(directory, { recursive: true });
  }
}

/** The first batch of a client of Jaeger, in the compact protocol. */
const JAEGER_MESSAGE = agentMessage(
  'compact',
  { serviceName: 'shop', processTags: [['client-uuid', 'c1']], spans: [PLAIN_SPAN] },
  [[3, { type: 'i64', value: 1n }]],
);

async function sendDatagram(address: string, bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(`udp://${address}`);
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.send(bytes, Number(port), hostname, (error) => (error ? reject(error) : resolve()));
  });
  socket.close();
}

/** The page: a line for each metric. */
function formatPage(text: string): string {
  const rows = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)((?:\n[^#\n].*)*)/gm)].map(
    ([, name = '', help = '', type = '', samples = '']) => {
      const names = new Set(
        [...samples.matchAll(/[{,]([a-z_]+)="/g)].map(([, label]) => `\`${label!}\``),
      );
      return `| \`${name}\` | ${type} | ${[...names].join(', ')} | ${help} |`;
    },
  );
  return `# Metrics

What \`GET /metrics\` on the health port (13133) and on the query port says, for Prometheus. Counters are since the start of the process. Labels have values of fixed sets or of the configuration, but for \`tenant\`, which is there when tenants are on, \`service\` and \`svc\`, of which only the first ones have lines of their own. The names that begin with \`otelcol_\` are the OpenTelemetry collector's, those with \`jaeger_\` Jaeger's. [Operating the store](../guide/operating-the-store.md) says which of them to watch.

This page is written by a test: \`SPOOR_WRITE_REFERENCE=1 node --test server/src/app/metrics-reference.test.ts\`.

| name | type | labels | meaning |
| --- | --- | --- | --- |
${rows.sort().join('\n')}
`;
}

/** Without the padding that the formatter of this repository adds to tables. */
function withoutPadding(page: string): string {
  return page.replaceAll(/ *\| */g, '|').replaceAll(/\| ?-+/g, '|-');
}

test(
  'the page of metrics has every metric, with its type, labels and meaning',
  OPTIONS,
  async () => {
    const page = formatPage(await scrape());
    if (process.env['SPOOR_WRITE_REFERENCE'] !== undefined) writeFileSync(PAGE, page);
    assert.equal(withoutPadding(readFileSync(PAGE, 'utf8')), withoutPadding(page));
  },
);

test('counters end in _total and nothing else does', OPTIONS, async () => {
  const text = await scrape();
  const odd = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
    .filter(([, name]) => !name!.startsWith('otelcol_'))
    .filter(([, name, type]) => name!.endsWith('_total') !== (type === 'counter'))
    .map(([, name]) => name);
  assert.deepEqual(odd, []);
});
