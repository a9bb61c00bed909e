// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpoorConfig } from '../config.ts';
import { loadYaml, problemOf } from '../testing/config-file.ts';

/** Everything in one process, in the shape of Jaeger 2. */
const ALL_IN_ONE = `
service:
  extensions: [jaeger_storage, jaeger_query, remote_sampling, healthcheckv2, expvar]
  pipelines:
    traces:
      receivers: [otlp, jaeger, zipkin]
      processors: [memory_limiter, batch]
      exporters: [jaeger_storage_exporter]
  telemetry:
    resource:
      service.name: jaeger
    metrics:
      level: detailed
    logs:
      level: DEBUG
extensions:
  jaeger_query:
    storage:
      traces: some_store
    ui:
      config_file: ./config-ui.json
    http:
      endpoint: 0.0.0.0:16687
    grpc:
  jaeger_storage:
    backends:
      some_store:
        badger:
          directories:
            keys: /tmp/jaeger/keys
            values: /tmp/jaeger/values
          ephemeral: false
          ttl:
            spans: 48h
      another_store:
        memory: { max_traces: 1000 }
  remote_sampling:
    file:
      path: ./sampling-strategies.json
      reload_interval: 2s
    http:
  healthcheckv2:
    use_v2: true
    http:
      endpoint: 127.0.0.1:13134
  expvar:
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
        max_recv_msg_size_mib: 4
        keepalive: { server_parameters: { max_connection_age: 1m } }
  jaeger:
    protocols:
      thrift_http: { read_header_timeout: 3s, cors: { allowed_origins: ['*'], max_age: 9 } }
      thrift_compact: { queue_size: 7 }
  zipkin:
processors:
  batch:
  memory_limiter:
    check_interval: 1s
    limit_mib: 1000
exporters:
  jaeger_storage_exporter:
    trace_storage: some_store
`;

function loadWithWarnings(yaml: string): { config: SpoorConfig; warnings: string[] } {
  const warnings: string[] = [];
  const config = loadYaml(yaml, { warn: (message) => warnings.push(message) });
  return { config, warnings };
}

test('a file of Jaeger 2 is taken as it is', () => {
  const { config, warnings } = loadWithWarnings(ALL_IN_ONE);
  assert.deepEqual(config.service.pipelines.traces, {
    receivers: ['otlp', 'jaeger', 'zipkin'],
    processors: ['memory_limiter', 'batch'],
    exporters: ['storage'],
  });
  assert.equal(config.processors.memory_limiter?.limit_mib, 1000);
  assert.equal(config.storage.type, 'columnar');
  assert.equal(config.storage.directory, '/tmp/jaeger/values');
  assert.equal(config.storage.retention.max_age_hours, 48);
  assert.equal(config.query.http.enabled, true);
  assert.equal(config.query.http.endpoint, '0.0.0.0:16687');
  assert.equal(config.sampling.strategies_file, './sampling-strategies.json');
  assert.equal(config.sampling.reload_interval_ms, 2000);
  assert.equal(config.sampling.http.enabled, true);
  assert.equal(config.sampling.grpc.enabled, false);
  assert.equal(config.telemetry.health.endpoint, '127.0.0.1:13134');
  assert.equal(config.telemetry.log_level, 'debug');
  const { otlp, jaeger, zipkin } = config.receivers;
  assert.deepEqual(Object.keys(otlp?.protocols ?? {}), ['grpc']);
  assert.equal(otlp?.protocols.grpc?.endpoint, '0.0.0.0:4317');
  assert.equal(otlp?.protocols.grpc?.max_body_mib, 4);
  assert.equal(otlp?.protocols.grpc?.max_connection_age_ms, 60_000);
  assert.deepEqual(Object.keys(jaeger?.protocols ?? {}).sort(), ['thrift_compact', 'thrift_http']);
  assert.equal(jaeger?.protocols.thrift_http?.headers_timeout_ms, 3000);
  assert.deepEqual(jaeger?.protocols.thrift_http?.cors.allowed_origins, ['*']);
  assert.equal(jaeger?.protocols.thrift_http?.cors.max_age_s, 9);
  assert.equal(jaeger?.protocols.thrift_compact?.queue_packets, 7);
  assert.equal(zipkin?.endpoint, '127.0.0.1:9411');
  assert.deepEqual(
    warnings.map((warning) => warning.split(' ')[0]),
    [
      'service.telemetry.resource',
      'service.telemetry.metrics',
      'extensions.expvar',
      'extensions.jaeger_query.ui.config_file',
      'extensions.jaeger_storage.backends.some_store.badger.directories.keys',
      'extensions.jaeger_storage.backends.some_store.badger.ephemeral',
    ],
  );
});

test('counting spans on the way is left out, since the store does that', () => {
  const counted = ALL_IN_ONE.replace(
    '      exporters: [jaeger_storage_exporter]\n',
    '      exporters: [jaeger_storage_exporter, spanmetrics]\n' +
      '    metrics/spans: { receivers: [spanmetrics], exporters: [prometheus] }\n',
  );
  const { config, warnings } = loadWithWarnings(
    `${counted}  prometheus: { endpoint: 0.0.0.0:8889 }\nconnectors: { spanmetrics: }\n`,
  );
  assert.deepEqual(Object.keys(config.service.pipelines), ['traces']);
  assert.deepEqual(config.service.pipelines.traces?.exporters, ['storage']);
  assert.match(warnings.join('\n'), /connectors\.spanmetrics has no effect: Spoor counts/);
  assert.match(warnings.join('\n'), /exporters\.prometheus has no effect: metrics are on the port/);
  assert.match(
    problemOf(() => loadYaml(`${ALL_IN_ONE}connectors: { forward: }\n`)),
    /^connectors\.forward: Spoor has no connector "forward" \(spoor\.yaml:\d+\)$/,
  );
});

test('extensions that are not in service.extensions are not there', () => {
  const { config } = loadWithWarnings(`
service:
  extensions: [jaeger_storage]
  pipelines: { traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] } }
extensions:
  jaeger_storage: { backends: { here: { memory: } } }
  jaeger_query: { storage: { traces: here } }
receivers: { otlp: { protocols: { http: } } }
exporters: { jaeger_storage_exporter: { trace_storage: here } }
`);
  assert.equal(config.query.http.enabled, false);
  assert.equal(config.sampling.http.enabled, false);
  assert.equal(config.storage.type, 'memory');
});

test('what Spoor does not have is told with its line in the file', () => {
  const yaml = ALL_IN_ONE.replace('healthcheckv2, expvar]', 'healthcheckv2, basicauth, nope]')
    .replace('  expvar:\n', '  basicauth: {}\n')
    .replace('    http:\n      endpoint: 0.0.0.0:16687', '    base_path: /jaeger\n    ai: {}')
    .replace('reload_interval: 2s', 'reload_interval: soon')
    .replace('trace_storage: some_store', 'trace_storage: some_store\n    retries: 3');
  assert.deepEqual(problemOf(() => loadYaml(yaml)).split('\n'), [
    'extensions.basicauth: Spoor has no extension "basicauth"; there are: jaeger_storage, jaeger_query, remote_sampling, healthcheckv2 (spoor.yaml:46)',
    'service.extensions.5: Spoor has no extension "nope"; there are: jaeger_storage, jaeger_query, remote_sampling, healthcheckv2 (spoor.yaml:3)',
    'extensions.jaeger_query.base_path: Spoor serves the page and the API at / only; leave it out, and give Spoor a host name of its own in the proxy (spoor.yaml:22)',
    'extensions.jaeger_query.ai: Spoor has no setting "ai" here; it takes storage, base_path, ui, bearer_token_propagation, max_clock_skew_adjust, max_trace_size, enable_tracing, http, grpc, multi_tenancy (spoor.yaml:23)',
    'extensions.remote_sampling.file.reload_interval: "soon" is not a time (spoor.yaml:40)',
    'exporters.jaeger_storage_exporter.retries: Spoor has no setting "retries" here; it takes trace_storage, queue, retry_on_failure (spoor.yaml:67)',
  ]);
});

test('a value that moved is told with the line where it stands', () => {
  const yaml = ALL_IN_ONE.replace('0.0.0.0:16687', 'nowhere');
  assert.match(
    problemOf(() => loadYaml(yaml)),
    /^query\.http\.endpoint: must be host:port.*, not "nowhere" \(spoor\.yaml:23\)$/,
  );
});

test('a process has one store, of a kind that Spoor has', () => {
  const other = ALL_IN_ONE.replace('trace_storage: some_store', 'trace_storage: another_store');
  assert.match(
    problemOf(() => loadYaml(other)),
    /^extensions\.jaeger_query\.storage\.traces: a process has one store, and exporters\.jaeger_storage_exporter\.trace_storage is another one \(spoor\.yaml:19\)$/,
  );
  assert.match(
    problemOf(() => loadYaml(ALL_IN_ONE.replace('badger:', 'cassandra:'))),
    /^extensions\.jaeger_storage\.backends\.some_store: Spoor has no storage of kind cassandra/,
  );
  assert.match(
    problemOf(() => loadYaml(ALL_IN_ONE.replace('trace_storage: some_store', 'trace_storage: x'))),
    /must be the name of a backend of the extension jaeger_storage/,
  );
});
