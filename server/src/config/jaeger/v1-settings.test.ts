// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configKeys, findKey } from '../config-keys.ts';
import { loadConfig } from '../load-config.ts';
import { problemOf } from '../testing/config-file.ts';
import { V1_FLAGS } from './v1-flags.ts';
import { variableOf, type JaegerFlag } from './v1-settings.ts';

function flags(...texts: string[]): JaegerFlag[] {
  return texts.map((text) => {
    const [, name = '', value = 'true'] = /^([^=]*)(?:=(.*))?$/.exec(text) ?? [];
    return { name, value };
  });
}

test('a flag is its name in capitals in the environment', () => {
  assert.equal(variableOf('collector.otlp.grpc.host-port'), 'COLLECTOR_OTLP_GRPC_HOST_PORT');
  assert.equal(variableOf('span-storage.type'), 'SPAN_STORAGE_TYPE');
});

test('every flag that means something sets keys that exist', () => {
  const keys = configKeys();
  for (const [name, flag] of V1_FLAGS) {
    for (const value of ['memory', '1', '1s', 'true']) {
      let meaning: ReturnType<typeof flag.read>;
      try {
        meaning = flag.read(value);
      } catch (error) {
        assert.ok(error instanceof RangeError && error.message.length > 10, name);
        continue;
      }
      if (typeof meaning === 'string') continue;
      for (const { path } of meaning) assert.ok(findKey(keys, path), `${name}: ${path.join('.')}`);
    }
  }
});

test('flags and variables of Jaeger 1 set our keys, with their units', () => {
  const { receivers, query, telemetry, storage, tenancy, sampling } = loadConfig({
    env: {
      COLLECTOR_ZIPKIN_HOST_PORT: ':9412',
      SPAN_STORAGE_TYPE: 'badger',
      MULTI_TENANCY_ENABLED: 'true',
      MULTI_TENANCY_TENANTS: 'a, b',
      JAEGER_LISTEN_HOST: '0.0.0.0',
      LOG_LEVEL: 'WARNING',
      COLLECTOR_OTLP_ENABLED: 'true',
    },
    jaegerFlags: flags(
      'collector.grpc-server.host-port=:1',
      'collector.grpc-server.max-message-size=4194304',
      'collector.http-server.read-header-timeout=2s',
      'processor.jaeger-compact.server-socket-buffer-size=1048576',
      'badger.ephemeral=false',
      'badger.span-store-ttl=72h',
      'sampling.strategies-reload-interval=1m30s',
      'collector.otlp.http.cors.allowed-origins=https://a.example,https://b.example',
    ),
  });
  assert.equal(receivers.zipkin?.endpoint, ':9412');
  assert.equal(receivers.jaeger?.protocols.grpc?.endpoint, ':1');
  assert.equal(receivers.jaeger?.protocols.grpc?.max_body_mib, 4);
  assert.equal(receivers.jaeger?.protocols.thrift_http?.headers_timeout_ms, 2000);
  assert.equal(receivers.jaeger?.protocols.thrift_compact?.socket_buffer_kib, 1024);
  assert.deepEqual(receivers.otlp?.protocols.http?.cors.allowed_origins, [
    'https://a.example',
    'https://b.example',
  ]);
  assert.equal(receivers.otlp?.protocols.grpc?.enabled, true);
  assert.equal(query.http.endpoint, '0.0.0.0:16686');
  assert.equal(telemetry.health.endpoint, '0.0.0.0:13133');
  assert.equal(telemetry.log_level, 'warn');
  assert.equal(storage.type, 'columnar');
  assert.equal(storage.retention.max_age_hours, 72);
  assert.deepEqual(tenancy.tenants, ['a', 'b']);
  assert.equal(sampling.reload_interval_ms, 90_000);
});

test('a flag wins over its variable, and --set over both', () => {
  const env = { COLLECTOR_ZIPKIN_HOST_PORT: ':1' };
  const jaegerFlags = flags('collector.zipkin.host-port=:2');
  const endpoint = (sets: string[], all = jaegerFlags): string | undefined =>
    loadConfig({ env, jaegerFlags: all, sets }).receivers.zipkin?.endpoint;
  assert.equal(endpoint([], []), ':1');
  assert.equal(endpoint([]), ':2');
  assert.equal(endpoint(['receivers.zipkin.endpoint=:3']), ':3');
});

test('a collector writes to Kafka and an ingester reads from it as Jaeger’s do', () => {
  const env = {
    SPAN_STORAGE_TYPE: 'kafka',
    KAFKA_PRODUCER_BROKERS: 'a:1,b:2',
    KAFKA_PRODUCER_COMPRESSION: 'zstd',
    KAFKA_PRODUCER_PLAINTEXT_USERNAME: 'u',
    KAFKA_PRODUCER_PLAINTEXT_PASSWORD: 'p',
    KAFKA_PRODUCER_AUTHENTICATION: 'plaintext',
  };
  const { exporters, service } = loadConfig({ env, role: 'collector' });
  assert.deepEqual(service.pipelines.traces?.exporters, ['kafka']);
  assert.deepEqual(exporters.kafka?.brokers, ['a:1', 'b:2']);
  assert.equal(exporters.kafka?.producer.compression, 'zstd');
  assert.equal(exporters.kafka?.auth.sasl?.username, 'u');
  const traces = { topic: 'jaeger-spans', encoding: 'jaeger_proto' };
  assert.deepEqual(exporters.kafka?.traces, traces);
  assert.equal(exporters.kafka?.tls, undefined);
  const jaegerFlags = flags(
    'kafka.consumer.encoding=json',
    'kafka.consumer.tls.enabled=true',
    'kafka.consumer.brokers=a:1',
  );
  const { receivers } = loadConfig({ env: {}, role: 'ingester', jaegerFlags });
  assert.equal(receivers.kafka?.group_id, 'jaeger-ingester');
  assert.deepEqual(receivers.kafka?.traces, { ...traces, encoding: 'jaeger_json' });
  assert.equal(receivers.kafka?.tls?.insecure, false);
});

test('the agent sends where Jaeger’s agent would, over OTLP', () => {
  const load = (...texts: string[]): unknown => {
    const { exporters } = loadConfig({ env: {}, role: 'agent', jaegerFlags: flags(...texts) });
    return { endpoint: exporters.otlp?.endpoint, insecure: exporters.otlp?.tls.insecure };
  };
  const hosts = 'reporter.grpc.host-port=a:14250, b:1';
  const endpoint = ['a:4317', 'b:1'];
  assert.deepEqual(load(hosts), { endpoint, insecure: true });
  assert.deepEqual(load('reporter.grpc.tls.enabled', hosts), { endpoint, insecure: false });
  assert.match(
    problemOf(() => loadConfig({ env: {}, role: 'agent' })),
    /^exporters\.otlp\.endpoint: must be host:port, for example collector:4317, .*not nothing$/,
  );
});

test('tags for all processes are a processor in the pipeline', () => {
  const { processors, service } = loadConfig({
    env: { COLLECTOR_TAGS: 'cluster=a, zone = b' },
    jaegerFlags: flags('collector.tags=x=y'),
    sets: [
      'processors.batch={}',
      'service.pipelines.traces.processors=[batch, resource/jaeger_tags]',
    ],
  });
  assert.deepEqual(processors['resource/jaeger_tags']?.attributes, [
    { action: 'insert', key: 'x', value: 'y' },
  ]);
  assert.deepEqual(service.pipelines.traces?.processors, ['batch', 'resource/jaeger_tags']);
  const alone = loadConfig({ env: { COLLECTOR_TAGS: 'cluster=a, zone = b' } });
  assert.deepEqual(alone.processors['resource/jaeger_tags']?.attributes, [
    { action: 'insert', key: 'cluster', value: 'a' },
    { action: 'insert', key: 'zone', value: 'b' },
  ]);
  assert.deepEqual(alone.service.pipelines.traces?.processors, ['resource/jaeger_tags']);
  assert.match(
    problemOf(() => loadConfig({ env: { COLLECTOR_TAGS: 'a=${HOST:x}' } })),
    /^COLLECTOR_TAGS: a: set its value in a file/,
  );
});

test('what has no effect is told and what cannot be had is an error that says what to use', () => {
  const warnings: string[] = [];
  loadConfig({
    role: 'query',
    env: { COLLECTOR_QUEUE_SIZE: '2000', METRICS_STORAGE_TYPE: 'prometheus' },
    jaegerFlags: flags('collector.zipkin.host-port=:9411', 'query.enable-tracing'),
    warn: (message) => warnings.push(message),
  });
  assert.deepEqual(warnings, [
    'COLLECTOR_QUEUE_SIZE has no effect: spans wait in no queue: a sender is answered once they are safe, and memory_limit_mib bounds what is under way',
    'METRICS_STORAGE_TYPE has no effect: Spoor counts rates, errors and latencies itself, from all stored spans',
    '--query.enable-tracing has no effect: Spoor sends no traces of itself',
    '--collector.zipkin.host-port has no effect: no pipeline uses receivers.zipkin',
  ]);
  assert.deepEqual(
    problemOf(() =>
      loadConfig({
        env: { SPAN_STORAGE_TYPE: 'memory,cassandra' },
        jaegerFlags: flags(
          'es.server-urls=x',
          'query.base-path=/jaeger',
          'collector.otlp.enabled=maybe',
        ),
      }),
    ).split('\n'),
    [
      'SPAN_STORAGE_TYPE: Spoor has no storage of type cassandra; it has its own, which takes the place of badger, memory and kafka',
      '--es.server-urls: Spoor keeps spans in its own store, see the keys below storage',
      '--collector.otlp.enabled: must be true or false, not "maybe"',
      '--query.base-path: Spoor serves the page and the API at / only; leave it out, and give Spoor a host name of its own in the proxy',
    ],
  );
  assert.match(
    problemOf(() => loadConfig({ env: {}, jaegerFlags: flags('collector.zipkin.host-port=9411') })),
    /^receivers\.zipkin\.endpoint: must be host:port.*\(--collector\.zipkin\.host-port\)$/,
  );
});
