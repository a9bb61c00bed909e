// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROCESSOR_SCHEMAS } from './component-schemas.ts';
import { loadConfig } from './load-config.ts';
import { formatConfig } from './print-config.ts';
import { loadYaml, problemOf } from './testing/config-file.ts';

test('without any input all receivers write to the store', () => {
  const { receivers, exporters, service } = loadConfig({ env: {} });
  assert.deepEqual(Object.keys(receivers), ['otlp', 'jaeger', 'zipkin']);
  assert.deepEqual(Object.keys(exporters), ['storage']);
  assert.deepEqual(service.pipelines, {
    traces: { receivers: ['otlp', 'jaeger', 'zipkin'], processors: [], exporters: ['storage'] },
  });
});

test('a component may be there several times, each with its name and the settings of its type', () => {
  const yaml = `
receivers:
  otlp/edge:
    protocols:
      grpc: { endpoint: 0.0.0.0:5317 }
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [storage] }
    traces/edge: { receivers: [otlp/edge], exporters: [storage] }
`;
  const sets = ['receivers.otlp/edge.protocols.grpc.max_connections=7'];
  const { receivers, service } = loadYaml(yaml, { sets });
  const edge = receivers['otlp/edge']?.protocols;
  assert.equal(edge?.grpc?.endpoint, '0.0.0.0:5317');
  assert.equal(edge?.grpc?.max_connections, 7);
  assert.equal(receivers.otlp?.protocols.grpc?.endpoint, '127.0.0.1:4317');
  assert.deepEqual(service.pipelines['traces/edge']?.receivers, ['otlp/edge']);
});

test('a component serves the protocols that it lists, and those of the preset are there already', () => {
  const { receivers } = loadYaml(`
receivers:
  otlp/edge: { protocols: { http: } }
  otlp: { protocols: { http: { endpoint: 127.0.0.1:1 } } }
`);
  assert.deepEqual(Object.keys(receivers['otlp/edge']?.protocols ?? {}), ['http']);
  assert.deepEqual(Object.keys(receivers.otlp?.protocols ?? {}).sort(), ['grpc', 'http']);
  assert.equal(
    problemOf(() => loadYaml('receivers:\n  otlp/edge:\n')),
    'receivers.otlp/edge.protocols: names no protocol; there are: grpc, http (spoor.yaml:2)',
  );
});

test('pipelines of a file take the place of those of the preset', () => {
  const { service } = loadYaml(
    'service: { pipelines: { traces/own: { receivers: [otlp], exporters: [storage] } } }',
  );
  assert.deepEqual(Object.keys(service.pipelines), ['traces/own']);
});

test('--set changes a list of a pipeline', () => {
  const { service } = loadConfig({
    env: {},
    sets: ['service.pipelines.traces.receivers=[zipkin]'],
  });
  assert.deepEqual(service.pipelines.traces?.receivers, ['zipkin']);
  assert.deepEqual(service.pipelines.traces?.exporters, ['storage']);
});

test('unknown keys inside of a named component are told with their line', () => {
  const yaml = `
receivers:
  otlp/2:
    protocols:
      grcp: { endpoint: 127.0.0.1:1 }
      http: { endpiont: 127.0.0.1:1, max_connections: 0 }
  zipkn/x: {}
`;
  assert.deepEqual(problemOf(() => loadYaml(yaml)).split('\n'), [
    'receivers.otlp/2.protocols.http.max_connections: must be at least 1, not 0 (spoor.yaml:6)',
    'receivers.otlp/2.protocols.http.endpiont: unknown key; did you mean receivers.otlp/2.protocols.http.endpoint? (spoor.yaml:6)',
    'receivers.otlp/2.protocols.grcp: unknown key; did you mean receivers.otlp/2.protocols.grpc? (spoor.yaml:5)',
    'receivers.zipkn/x: unknown key; did you mean receivers.zipkin/x? (spoor.yaml:7)',
  ]);
  assert.match(
    problemOf(() => loadYaml('receivers: { otlp/a b: {} }')),
    /^receivers\.otlp\/a b: unknown key/,
  );
});

test('a pipeline that names what is not configured is told with its line', () => {
  const yaml = `
service:
  pipelines:
    traces:
      receivers:
        - otlp
        - otlp
        - zipkn
      processors: [nope]
      exporters: [storage/2]
`;
  assert.deepEqual(problemOf(() => loadYaml(yaml)).split('\n'), [
    'service.pipelines.traces.receivers.1: "otlp" is named twice (spoor.yaml:7)',
    'service.pipelines.traces.receivers.2: "zipkn" is not configured; did you mean zipkin? (spoor.yaml:8)',
    `service.pipelines.traces.processors.0: "nope" is not configured; ${NO_PROCESSOR} (spoor.yaml:9)`,
    'service.pipelines.traces.exporters.0: "storage/2" is not configured; did you mean storage? Else give it a section exporters.storage/2 (spoor.yaml:10)',
  ]);
});

const NO_PROCESSOR = `there are: ${Object.keys(PROCESSOR_SCHEMAS).join(', ')}`;

test('a pipeline needs receivers and exporters, and there are only pipelines of traces', () => {
  assert.equal(
    problemOf(() => loadYaml('service:\n  pipelines:\n    traces:\n      receivers: []\n')),
    'service.pipelines.traces.receivers: must be at least 1 entries long, not a list (spoor.yaml:4)\n' +
      'service.pipelines.traces.exporters: must be a list, not nothing (spoor.yaml:3)',
  );
  for (const signal of ['logs', 'metrics/b']) {
    assert.equal(
      problemOf(() => loadYaml(`service: { pipelines: { ${signal}: {} } }`)),
      `service.pipelines.${signal}: Spoor takes traces only; leave this pipeline out (spoor.yaml:1)`,
    );
  }
});

test('two parts on one port are told', () => {
  const yaml = `
receivers:
  otlp/2: { protocols: { http: } }
  jaeger/2: { protocols: { thrift_compact: { endpoint: 127.0.0.1:4318 } } }
service:
  pipelines: { traces: { receivers: [otlp, otlp/2, jaeger/2], exporters: [storage] } }
`;
  assert.equal(
    problemOf(() => loadYaml(yaml)),
    'receivers.otlp/2.protocols.http.endpoint: port 4318 is that of receivers.otlp.protocols.http.endpoint already (spoor.yaml:3)',
  );
  const sets = ['query.http.endpoint=127.0.0.1:4318'];
  assert.match(
    problemOf(() => loadConfig({ env: {}, sets })),
    /^query\.http\.endpoint: port 4318/,
  );
  loadConfig({ env: {}, sets: [...sets, 'receivers.otlp.protocols.http.enabled=false'] });
});

test('passwords and tokens are not printed', () => {
  const printed = formatConfig(
    loadYaml(`
auth: { ingest: { tokens: [geheim-1-0123456789, geheim-2-0123456789] } }
query: { http: { tls: { pkcs12_file: a.p12, pkcs12_password: geheim-3 } } }
exporters:
  otlp: { endpoint: 'a:1', headers: { Authorization: Bearer geheim-4 } }
  kafka: { auth: { sasl: { username: u, password: geheim-5 } } }
`),
  );
  assert.doesNotMatch(printed, /geheim/);
  assert.equal(printed.match(/\[redacted\]/g)?.length, 5);
});

test('a printed configuration with named components can be read back', () => {
  const config = loadYaml(`
receivers: { zipkin/2: { endpoint: 127.0.0.1:1 } }
service: { pipelines: { traces/z: { receivers: [zipkin/2, otlp], exporters: [storage] } } }
`);
  assert.deepEqual(loadYaml(formatConfig(config)), config);
});
