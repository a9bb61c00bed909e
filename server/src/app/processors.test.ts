// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Span } from '@spoor/core/model/span.ts';
import { attributes, resource, span, traceId } from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import { loadYaml, problemOf } from '#config/testing/config-file.ts';
import { freePorts } from '#config/testing/free-ports.ts';
import { bodyOf, errorOf, retryDelay, TestClient } from '#receivers/testing/grpc-test-client.ts';
import { createLogger } from '#telemetry/logger.ts';
import { buildComponents } from './components.ts';
import { SpoorServer } from './spoor-server.ts';
import type { Addresses } from './status.ts';

const PAGE = new URL('../../../docs/reference/processors.md', import.meta.url);

/** Lets `use` work with an all-in-one server whose spans go through these processors. */
async function withProcessors(
  yaml: string,
  names: readonly string[],
  use: (addresses: Addresses) => Promise<void>,
): Promise<void> {
  const config = loadYaml(
    `processors: ${yaml}
service:
  pipelines:
    traces: { receivers: [otlp], processors: [${names.join()}], exporters: [storage] }
`,
    { sets: ['storage.type=memory', ...freePorts(), 'query.ui.assets_path=/nonexistent'] },
  );
  const logger = createLogger('silent');
  const server = new SpoorServer(buildComponents(config, logger, '1'), logger);
  try {
    await use(await server.start());
  } finally {
    await server.shutdown();
  }
}

async function post(addresses: Addresses, spans: readonly Span[]): Promise<Response> {
  const headers = { 'content-type': 'application/x-protobuf' };
  const body = encodeSpans(spans);
  return await fetch(`${addresses['otlp_http']}/v1/traces`, { method: 'POST', headers, body });
}

async function metrics(addresses: Addresses): Promise<string> {
  return await (await fetch(`${addresses['health']}/metrics`)).text();
}

/** Spans of trace 1 as the API tells them. */
async function found(addresses: Addresses) {
  const answer = await fetch(`${addresses['query']}/api/traces/${traceId(1)}`);
  // The routes answer with this shape.
  const { data } = (await answer.json()) as {
    data?: { spans: { operationName: string; tags: { key: string; value: unknown }[] }[] }[];
  };
  return (data ?? []).flatMap(({ spans }) => spans);
}

/** So slow that nothing comes back while a test runs, however busy the machine is. */
const RATE = '{ rate_limiting: { per_service: { spans_per_second: 0.001, burst: 2 } } }';

test('a sender over its limit is told over HTTP when to come again, and nothing of the request is kept', async () => {
  await withProcessors(RATE, ['rate_limiting'], async (addresses) => {
    const busy = resource('busy');
    const first = [span({ resource: busy }), span({ resource: busy, name: 'b' })];
    assert.equal((await post(addresses, first)).status, 200);
    const mixed = [span({ resource: busy, name: 'no' }), span({ name: 'no either' })];
    const refused = await post(addresses, mixed);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '60');
    assert.match(await refused.text(), /service "busy" is over its limit of spans a second/);
    assert.equal((await post(addresses, [span({ name: 'quiet' })])).status, 200);
    assert.deepEqual((await found(addresses)).map(({ operationName }) => operationName).sort(), [
      'GET /',
      'b',
      'quiet',
    ]);
    const text = await metrics(addresses);
    for (const line of [
      'jaeger_collector_spans_rejected_total{svc="busy"} 1',
      'jaeger_collector_spans_rejected_total{svc="shop"} 1',
      'jaeger_collector_spans_saved_by_svc_total{svc="busy",result="ok"} 2',
      'spoor_processor_refused_spans_total{processor="rate_limiting",pipeline="traces"} 2',
    ]) {
      assert.ok(text.includes(line), line);
    }
  });
});

test('a sender over its limit is told over gRPC when to come again', async () => {
  await withProcessors(RATE, ['rate_limiting'], async (addresses) => {
    using client = new TestClient(Number(addresses['otlp_grpc']!.split(':').at(-1)));
    const body = (...names: readonly string[]) =>
      Buffer.from(encodeSpans(names.map((name) => span({ name }))));
    bodyOf(await client.export(body('a', 'b', 'c')));
    const error = errorOf(await client.export(body('d')));
    assert.equal(error.code, 14);
    assert.match(error.details, /over its limit/);
    assert.equal(retryDelay(error)?.seconds, 60);
  });
});

test('requests that share a batch with one over its limit are taken', async () => {
  await withProcessors(RATE, ['rate_limiting'], async (addresses) => {
    const requests = ['busy', 'a', 'busy', 'b', 'busy', 'busy', 'c'].map((service, i) =>
      post(
        addresses,
        [1, 2].map((n) => span({ name: `${i} ${n}`, resource: resource(service) })),
      ),
    );
    const statuses = (await Promise.all(requests)).map(({ status }) => status);
    assert.deepEqual(
      [1, 3, 6].map((i) => statuses[i]),
      [200, 200, 200],
    );
    const busy = [0, 2, 4, 5].map((i) => statuses[i]);
    assert.equal(busy.filter((status) => status === 200).length, 1);
    assert.equal(busy.filter((status) => status === 503).length, 3);
    assert.equal((await found(addresses)).length, 8);
  });
});

test('spans go through the processors in their order', async () => {
  const yaml = `
  attributes: { actions: [{ action: insert, key: seen, value: by attributes }] }
  attributes/mask: { actions: [{ action: redact, pattern: 'by \\w+' }] }
  batch: { send_batch_max_size: 1, send_batch_size: 1 }
  filter: { spans: { exclude: { match_type: strict, attributes: [{ key: seen, value: '****' }], span_names: [no] } } }
  memory_limiter: { check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 20 }
  probabilistic_sampler: { sampling_percentage: 100 }
  resource: { attributes: [{ action: upsert, key: env, value: test }] }
`;
  const order = [
    'memory_limiter',
    'attributes',
    'attributes/mask',
    'filter',
    'probabilistic_sampler',
    'resource',
    'batch',
  ];
  await withProcessors(yaml, order, async (addresses) => {
    const spans = [
      span({ name: 'no' }),
      span({ name: 'a', attributes: attributes({ seen: 'x by y' }) }),
      span({ name: 'b' }),
    ];
    assert.equal((await post(addresses, spans)).status, 200);
    const seen = new Map(
      (await found(addresses)).map((one) => [
        one.operationName,
        one.tags.find(({ key }) => key === 'seen')?.value,
      ]),
    );
    assert.deepEqual(Object.fromEntries(seen), { a: 'x ****', b: '****' });
    const text = await metrics(addresses);
    for (const line of [
      'spoor_processor_dropped_spans_total{processor="filter",pipeline="traces",reason="filtered"} 1',
      'otelcol_processor_outgoing_items{processor="batch",pipeline="traces"} 2',
      'spoor_service_dropped_spans_total{svc="shop"} 1',
    ]) {
      assert.ok(text.includes(line), line);
    }
  });
});

test('the example of the reference page can be run as it is', () => {
  const page = readFileSync(PAGE, 'utf8');
  const yaml = /```yaml\n([^]*?)```/.exec(page)![1]!;
  const config = loadYaml(yaml, { sets: ['storage.type=memory'] });
  const { graph, rssGuard } = buildComponents(config, createLogger('silent'), '1');
  assert.equal(rssGuard.limitBytes, 800 * 1024 * 1024);
  const used = new Set(graph.counting.map(({ labels }) => labels['processor']));
  assert.deepEqual(
    Object.keys(config.processors).filter((id) => !used.has(id)),
    ['memory_limiter'],
  );
});

test('a pattern that is not understood ends the start with the place of its key', () => {
  const yaml = `
processors:
  filter/x: { spans: { include: { match_type: regexp, services: ['('] } } }
service:
  pipelines: { traces: { receivers: [otlp], processors: [filter/x], exporters: [storage] } }
`;
  const logger = createLogger('silent');
  assert.match(
    problemOf(() => buildComponents(loadYaml(yaml), logger, '1')),
    /^processors\.filter\/x\.spans\.include: pattern "\("/,
  );
});
