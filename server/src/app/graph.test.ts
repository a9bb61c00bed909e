// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { encodeJaegerDatagram } from '#cli/tracegen/jaeger-datagram.ts';
import { freePorts } from '#config/testing/free-ports.ts';
import { loadYaml } from '#config/testing/config-file.ts';
import { createLogger } from '#telemetry/logger.ts';
import { buildComponents } from './components.ts';
import { SpoorServer } from './spoor-server.ts';
import type { Addresses } from './status.ts';

/** Lets `use` work with a server of a configuration in YAML. */
async function withServer(
  yaml: string,
  use: (addresses: Addresses) => Promise<void>,
): Promise<void> {
  const sets = ['storage.type=memory', ...freePorts(), 'query.ui.assets_path=/nonexistent'];
  const logger = createLogger('silent');
  const server = new SpoorServer(buildComponents(loadYaml(yaml, { sets }), logger, '1'), logger);
  try {
    await use(await server.start());
  } finally {
    await server.shutdown();
  }
}

async function sendTo(address: string, datagram: Uint8Array): Promise<void> {
  const socket = createSocket('udp4');
  const [host, port] = address.split(':');
  await new Promise((resolve) => socket.send(datagram, Number(port), host, resolve));
  socket.close();
}

async function send(url: string, name: string): Promise<Response> {
  const body = JSON.stringify({
    resourceSpans: [
      {
        scopeSpans: [{ spans: [{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), name }] }],
      },
    ],
  });
  const headers = { 'content-type': 'application/json' };
  return await fetch(`${url}/v1/traces`, { method: 'POST', headers, body });
}

/** Names of the spans that the API finds. */
async function found(addresses: Addresses): Promise<string[]> {
  const answer = await fetch(`${addresses['query']}/api/traces/${'ab'.repeat(16)}`);
  // The routes answer with this shape.
  const { data } = (await answer.json()) as { data: { spans: { operationName: string }[] }[] };
  return data.flatMap(({ spans }) => spans.map(({ operationName }) => operationName)).sort();
}

test('only what pipelines use is built, and a named receiver has an own port, address and figures', async () => {
  const yaml = `
receivers:
  otlp/edge: { protocols: { http: { endpoint: 127.0.0.1:0 } } }
service:
  pipelines:
    traces/edge: { receivers: [otlp/edge], exporters: [storage] }
    traces/zipkin: { receivers: [zipkin], exporters: [storage] }
`;
  await withServer(yaml, async (addresses) => {
    assert.deepEqual(
      Object.keys(addresses).filter((name) => /otlp|jaeger|zipkin/.test(name)),
      ['otlp/edge_http', 'zipkin_http'],
    );
    assert.equal((await send(addresses['otlp/edge_http']!, 'GET /')).status, 200);
    assert.deepEqual(await found(addresses), ['GET /']);
    const metrics = await (await fetch(`${addresses['health']}/metrics`)).text();
    assert.match(
      metrics,
      /^otelcol_receiver_accepted_spans\{receiver="otlp\/edge",transport="http"\} 1$/m,
    );
  });
});

test('a receiver feeds every pipeline that names it', async () => {
  const yaml = `
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [storage] }
    traces/again: { receivers: [otlp, zipkin], exporters: [storage] }
`;
  await withServer(yaml, async (addresses) => {
    assert.equal((await send(addresses['otlp_http']!, 'a')).status, 200);
    const metrics = await (await fetch(`${addresses['health']}/metrics`)).text();
    // Of the two copies that were written one is read.
    assert.match(metrics, /^spoor_store_memory_spans 2$/m);
    assert.deepEqual(await found(addresses), ['a']);
  });
});

test(
  'datagrams are written once to several exporters, of which one does not take them',
  { timeout: 60_000 },
  async () => {
    const yaml = `
exporters:
  otlp: { endpoint: 127.0.0.1:1, tls: { insecure: true } }
service:
  pipelines:
    traces: { receivers: [jaeger], exporters: [storage, otlp] }
`;
    await withServer(yaml, async (addresses) => {
      const batch = batchOf([span({})]);
      const datagram = encodeJaegerDatagram(batch, Uint32Array.of(0));
      await sendTo(addresses['jaeger_udp_thrift_compact']!, datagram);
      const refused = /^spoor_receiver_refused_requests_total\{.*jaeger.*\} 1$/m;
      let metrics = '';
      while (!refused.test(metrics)) {
        metrics = await (await fetch(`${addresses['health']}/metrics`)).text();
      }
      assert.match(metrics, /^spoor_store_memory_spans 1$/m);
    });
  },
);

test('without a pipeline to the store and without the page there is no store', async () => {
  const config = loadYaml('service: { pipelines: {} }', {
    sets: ['query.http.enabled=false', 'storage.directory=/dev/null/impossible', ...freePorts()],
  });
  const logger = createLogger('silent');
  const components = buildComponents(config, logger, '1');
  assert.equal(components.store, undefined);
  const server = new SpoorServer(components, logger);
  const { health } = await server.start();
  assert.equal((await fetch(`${health}/ready`)).status, 200);
  assert.equal((await fetch(`${health}/status`)).status, 200);
  await server.shutdown();
});
