// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#config/load-config.ts';
import { freePorts } from '#config/testing/free-ports.ts';
import { createLogger } from '#telemetry/logger.ts';
import { buildComponents, type Components } from './components.ts';
import { SpoorServer } from './spoor-server.ts';
import { StartError } from './start-error.ts';

function build(...sets: string[]): { server: SpoorServer; components: Components } {
  const config = loadConfig({
    env: {},
    sets: ['storage.type=memory', ...freePorts(), 'query.ui.assets_path=/nonexistent', ...sets],
  });
  const logger = createLogger('silent');
  const components = buildComponents(config, logger, '1.2.3');
  return { components, server: new SpoorServer(components, logger) };
}

test('a server is ready once everything listens, and not while it stops', async () => {
  const { server, components } = build();
  assert.match(components.readiness.problem!, /^starting: /);
  const addresses = await server.start();
  try {
    assert.deepEqual(Object.keys(addresses), [
      'query',
      'otlp_grpc',
      'otlp_http',
      'jaeger_grpc',
      'jaeger_http',
      'jaeger_udp_thrift_compact',
      'jaeger_udp_thrift_binary',
      'jaeger_udp_zipkin_compact',
      'zipkin_http',
      'sampling_http',
      'sampling_grpc',
      'health',
    ]);
    assert.equal((await fetch(`${addresses['health']}/ready`)).status, 200);
    assert.equal((await fetch(`${addresses['query']}/api/services`)).status, 200);
    // The shape is checked by the assertion itself.
    const status = (await (await fetch(`${addresses['health']}/status`)).json()) as object;
    assert.deepEqual({ ...status, ready: true, addresses, version: '1.2.3' }, status);
  } finally {
    const stopped = server.shutdown();
    assert.match(components.readiness.problem!, /^stopping: /);
    await stopped;
  }
  assert.ok(components.listeners().every((listener) => listener.address === undefined));
});

test('spans sent to a server are found by its API', async () => {
  const { server } = build();
  const addresses = await server.start();
  try {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const nowNanos = BigInt(Date.now()) * 1_000_000n;
    const span = {
      traceId,
      spanId: '00f067aa0ba902b7',
      name: 'GET /',
      startTimeUnixNano: String(nowNanos - 5_000_000n),
      endTimeUnixNano: String(nowNanos),
    };
    const sent = await fetch(`${addresses['otlp_http']}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    });
    assert.equal(sent.status, 200);
    const found = await fetch(`${addresses['query']}/api/traces?operation=GET+/&minDuration=5ms`);
    // The routes answer with this shape.
    const { data } = (await found.json()) as { data: { traceID: string }[] };
    assert.deepEqual(
      data.map((trace) => trace.traceID),
      [traceId],
    );
    const metrics = await (await fetch(`${addresses['health']}/metrics`)).text();
    assert.match(metrics, /^otelcol_receiver_accepted_spans\{[^}]*transport="http"\} 1$/m);
  } finally {
    await server.shutdown();
  }
});

test('with tenancy on, a tenant reads what was sent in its name and nothing else', async () => {
  const { server } = build(
    'tenancy.enabled=true',
    'tenancy.header=X-Team',
    'tenancy.tenants=[a, b]',
  );
  const addresses = await server.start();
  try {
    const send = (team: string, name: string): Promise<Response> =>
      fetch(`${addresses['otlp_http']}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-team': team },
        body: JSON.stringify({
          resourceSpans: [
            {
              scopeSpans: [{ spans: [{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), name }] }],
            },
          ],
        }),
      });
    assert.equal((await send('a', 'of a')).status, 200);
    assert.equal((await send('b', 'of b')).status, 200);
    assert.equal((await send('c', 'of c')).status, 401);
    for (const team of ['a', 'b']) {
      const url = `${addresses['query']}/api/traces/${'ab'.repeat(16)}`;
      const text = await (await fetch(url, { headers: { 'x-team': team } })).text();
      assert.deepEqual(text.match(/of ./g), [`of ${team}`]);
      assert.equal((await fetch(url)).status, 401);
    }
    const metrics = await (await fetch(`${addresses['health']}/metrics`)).text();
    assert.match(metrics, /^spoor_tenant_accepted_spans_total\{tenant="a"\} 1$/m);
    assert.match(
      metrics,
      /^spoor_receiver_refused_requests_total\{[^}]*reason="unauthenticated"\} 1$/m,
    );
  } finally {
    await server.shutdown();
  }
});

test('every listener can be switched off', async () => {
  const { server } = build(
    'receivers.otlp.protocols.grpc.enabled=false',
    'receivers.otlp.protocols.http.enabled=false',
    'receivers.jaeger.protocols.grpc.enabled=false',
    'receivers.jaeger.protocols.thrift_http.enabled=false',
    'receivers.jaeger.protocols.thrift_compact.enabled=false',
    'receivers.jaeger.protocols.thrift_binary.enabled=false',
    'receivers.jaeger.protocols.zipkin_compact.enabled=false',
    'receivers.zipkin.enabled=false',
    'sampling.http.enabled=false',
    'sampling.grpc.enabled=false',
    'query.http.enabled=false',
    'telemetry.health.enabled=false',
  );
  assert.deepEqual(await server.start(), {});
  await server.shutdown();
});

test('a listener that cannot start ends the ones before it and is told by its key', async () => {
  const first = build();
  const { query } = await first.server.start();
  try {
    const { port } = new URL(query!);
    const second = build(`query.http.endpoint=127.0.0.1:${port}`);
    await assert.rejects(second.server.start(), (error) => {
      assert.ok(error instanceof StartError);
      assert.equal(error.message, `query.http.endpoint: port ${port} is in use by another process`);
      return true;
    });
    assert.ok(second.components.listeners().every((listener) => listener.address === undefined));
    assert.equal(second.components.store?.unhealthy, 'the store is not open');
  } finally {
    await first.server.shutdown();
  }
});

test('a server may be shut down before its start and more than once', async () => {
  const { server } = build();
  await server.shutdown();
  await server.shutdown();
});
