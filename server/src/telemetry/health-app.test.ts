// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createHealthApp } from './health-app.ts';
import { Metrics, type MetricSources } from './metrics.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { Readiness } from './readiness.ts';

function createMetrics(sources: Partial<MetricSources> = {}): Metrics {
  return new Metrics({
    version: '1.2.3',
    process: new ProcessMetrics(),
    receivers: () => [],
    components: () => [],
    tls: () => [],
    tokens: () => [],
    jaegerClients: () => [],
    tenants: () => [],
    bodies: () => ({ limitBytes: 10, usedBytes: 5, peakBytes: 6, refusals: 0 }),
    waitingBodies: () => 3,
    memory: () => ({ limitBytes: 400, isTight: true }),
    storeFigures: () => new Map(),
    ...sources,
  });
}

test('ready and health say why not while starting, draining or unable to write', async () => {
  let storeProblem: string | undefined;
  const readiness = new Readiness(() => storeProblem);
  const app = createHealthApp({
    problem: () => readiness.problem,
    status: () => ({ version: '1.2.3' }),
    metrics: createMetrics(),
  });
  const ask = async (path: string): Promise<[number, string]> => {
    const { statusCode, body } = await app.inject(path);
    return [statusCode, body];
  };
  try {
    assert.deepEqual(await ask('/ready'), [503, 'starting: not every part is up yet\n']);
    assert.deepEqual(await ask('/live'), [200, 'live\n']);
    readiness.setReady();
    assert.deepEqual(await ask('/ready'), [200, 'ready\n']);
    assert.deepEqual(await ask('/health'), [200, '{"status":"UP"}']);
    storeProblem = 'the disk is full';
    assert.deepEqual(await ask('/ready'), [503, 'storage: the disk is full\n']);
    storeProblem = undefined;
    assert.deepEqual(await ask('/ready/'), [200, 'ready\n']);
    readiness.setDraining();
    const [status, body] = await ask('/health');
    assert.equal(status, 503);
    assert.match(body, /^\{"status":"DOWN","reason":"stopping: /);
    assert.deepEqual(await ask('/live'), [200, 'live\n']);
    assert.deepEqual(await ask('/status'), [200, '{"version":"1.2.3"}']);
    assert.equal((await ask('/other'))[0], 404);
  } finally {
    await app.close();
  }
});

test('metrics have the figures of receivers, bodies, store and process, as they are now', async () => {
  let bytes = 10;
  const metrics = createMetrics({
    receivers: () => [
      {
        receiver: 'otlp',
        transport: 'http',
        acceptedSpans: 3,
        refusedSpans: 1,
        requests: 2,
        refusedRequests: new Map([
          ['malformed', 0],
          ['overloaded', 1],
        ]),
        wireBytes: 100,
        bodyBytes: 200,
        connections: { open: 4, dropped: 0 },
      },
    ],
    storeFigures: () =>
      new Map([
        ['store_bytes', { kind: 'gauge', help: 'Bytes on disk.', value: bytes }],
        ['store_spans_written_total', { kind: 'counter', help: 'Spans written.', value: 7 }],
      ]),
  });
  await metrics.expose();
  bytes = 20;
  const text = await metrics.expose();
  for (const line of [
    'otelcol_receiver_accepted_spans{receiver="otlp",transport="http"} 3',
    'otelcol_receiver_refused_spans{receiver="otlp",transport="http"} 1',
    'spoor_receiver_requests_total{receiver="otlp",transport="http"} 2',
    'spoor_receiver_refused_requests_total{receiver="otlp",transport="http",reason="malformed"} 0',
    'spoor_receiver_refused_requests_total{receiver="otlp",transport="http",reason="overloaded"} 1',
    'spoor_receiver_connections{receiver="otlp",transport="http"} 4',
    'spoor_bodies_in_flight_used_bytes 5',
    'spoor_store_bytes 20',
    '# TYPE spoor_store_spans_written_total counter',
    'spoor_store_spans_written_total 7',
    'spoor_build_info{version="1.2.3"} 1',
    '# TYPE process_cpu_seconds_total counter',
    'nodejs_eventloop_lag_p99_seconds 0',
  ]) {
    assert.ok(text.split('\n').includes(line), line);
  }
  assert.match(text, /^process_resident_memory_bytes \d{7,}$/m);
});

test('the event loop is watched only between start and shutdown', async () => {
  const figures = new ProcessMetrics();
  figures.shutdown();
  figures.start();
  figures.start();
  figures.shutdown();
  figures.shutdown();
  assert.ok(figures.memory().rssBytes > 0);
  assert.ok(figures.uptimeSeconds >= 0);
});

/** An application that listens, and where. */
async function listen(
  silentTimeoutMs: number | undefined,
): Promise<{ app: FastifyInstance; at: { host: string; port: number } }> {
  const metrics = createMetrics();
  const options = { problem: () => undefined, status: () => ({}), metrics };
  const app = createHealthApp(
    silentTimeoutMs === undefined ? options : { ...options, silentTimeoutMs },
  );
  const { hostname, port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  return { app, at: { host: hostname, port: Number(port) } };
}

test('a connection that is silent is closed', async () => {
  const { app, at } = await listen(50);
  try {
    await once(connect(at).resume(), 'close');
  } finally {
    await app.close();
  }
});

test('with all connections in use, those that are idle make room', async () => {
  const { app, at } = await listen(undefined);
  try {
    app.server.maxConnections = 1;
    const request = 'GET /live HTTP/1.1\r\nhost: x\r\n\r\n';
    const idle = connect(at);
    idle.write(request);
    assert.match(String(await once(idle, 'data')), /^HTTP\/1\.1 200 OK/);
    idle.resume();
    connect(at).on('error', () => undefined);
    await once(idle, 'close');
    const next = connect(at);
    next.write(request);
    assert.match(String(await once(next, 'data')), /^HTTP\/1\.1 200 OK/);
  } finally {
    await app.close();
  }
});
