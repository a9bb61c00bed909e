// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadYaml, problemOf } from '#config/testing/config-file.ts';
import { otlpExporterSettings, otlpHttpExporterSettings } from './exporter-settings.ts';

/** Settings of the exporter with this text. */
function grpcSettings(text: string): ReturnType<typeof otlpExporterSettings> {
  const config = loadYaml(`exporters:\n  otlp/2: ${text}\n`).exporters['otlp/2'];
  return otlpExporterSettings('otlp/2', config!, 'x-tenant');
}

function httpSettings(text: string): ReturnType<typeof otlpHttpExporterSettings> {
  const config = loadYaml(`exporters:\n  otlphttp: ${text}\n`).exporters.otlphttp;
  return otlpHttpExporterSettings('otlphttp', config!, undefined);
}

/** What is wrong with it. */
function problem(type: string, text: string): string {
  return problemOf(() => loadYaml(`exporters:\n  ${type}: ${text}\n`));
}

test('an exporter over gRPC has the defaults of the collector, and no queue', () => {
  const settings = grpcSettings('{ endpoint: collector:4317 }');
  assert.equal(settings.path, 'exporters.otlp/2');
  assert.deepEqual(settings.servers, [{ host: 'collector', port: 4317, path: '', isPlain: false }]);
  assert.deepEqual(settings.protocol, {
    name: 'grpc',
    headers: {},
    tenantHeader: 'x-tenant',
    compression: 'gzip',
    timeoutMs: 5000,
  });
  assert.deepEqual(settings.retry, {
    initialIntervalMs: 500,
    maxIntervalMs: 30_000,
    multiplier: 1.5,
    maxElapsedTimeMs: 5000,
  });
  assert.equal(settings.queue.storage, 'none');
  assert.equal(settings.tls?.skipVerify, false);
});

test('where a server is, and whether it speaks plain text', () => {
  const servers = (text: string): unknown =>
    grpcSettings(text).servers.map(({ host, port, isPlain }) => [host, port, isPlain]);
  assert.deepEqual(servers('{ endpoint: a:1, tls: { insecure: true } }'), [['a', 1, true]]);
  assert.deepEqual(servers('{ endpoint: [http://a:1, https://b:2, dns:///c:3] }'), [
    ['a', 1, true],
    ['b', 2, false],
    ['c', 3, false],
  ]);
  assert.deepEqual(servers('{ endpoint: "[::1]:4317" }'), [['::1', 4317, false]]);
});

test('over HTTP an endpoint gets the path of traces, and traces_endpoint has it', () => {
  assert.deepEqual(httpSettings('{ endpoint: http://a:4318 }').servers, [
    { host: 'a', port: 4318, path: '/v1/traces', isPlain: true },
  ]);
  assert.deepEqual(httpSettings('{ endpoint: ["https://a/otlp/", "http://[::1]/"] }').servers, [
    { host: 'a', port: 443, path: '/otlp/v1/traces', isPlain: false },
    { host: '::1', port: 80, path: '/v1/traces', isPlain: true },
  ]);
  assert.deepEqual(httpSettings('{ traces_endpoint: "http://a:1/t?key=1" }').servers, [
    { host: 'a', port: 1, path: '/t?key=1', isPlain: true },
  ]);
});

test('trying again and the queue have the keys of the collector', () => {
  const { retry, queue } = grpcSettings(
    '{ endpoint: a:1, retry_on_failure: { max_elapsed_time: "0" }, sending_queue: { enabled: true, storage: disk, directory: /q, queue_size: 1073741824, num_consumers: 3 } }',
  );
  assert.equal(retry?.maxElapsedTimeMs, Infinity);
  assert.deepEqual(queue, {
    storage: 'disk',
    directory: '/q',
    capacityBytes: 1_073_741_824,
    maxUnderWay: 3,
  });
  const bytes = (storage: string): number =>
    grpcSettings(
      `{ endpoint: a:1, sending_queue: { enabled: true, directory: /q, storage: ${storage} } }`,
    ).queue.capacityBytes;
  assert.deepEqual([bytes('memory'), bytes('disk')], [64 << 20, 1 << 30]);
  const inMemory = (text: string): unknown => {
    const { capacityBytes, capacityRequests } = grpcSettings(
      `{ endpoint: a:1, sending_queue: { enabled: true, ${text} } }`,
    ).queue;
    return [capacityBytes, capacityRequests];
  };
  assert.deepEqual(inMemory('queue_size: 5000'), [64 << 20, 5000]);
  assert.deepEqual(inMemory('sizer: requests'), [64 << 20, 1000]);
  assert.deepEqual(inMemory('queue_size: 1048576'), [1 << 20, undefined]);
  assert.equal(
    grpcSettings('{ endpoint: a:1, retry_on_failure: { enabled: false } }').retry,
    undefined,
  );
});

test('what is wrong is told with its path', () => {
  assert.equal(
    problem('otlp', '{ endpoint: collector }'),
    'exporters.otlp.endpoint: must be host:port, for example collector:4317, or a list of these, not "collector" (spoor.yaml:2)',
  );
  assert.match(
    problem('otlp', '{}'),
    /^exporters\.otlp\.endpoint: must be host:port.*, not nothing/,
  );
  assert.match(
    problem('otlp', '{ endpoint: "a:0" }'),
    /^exporters\.otlp\.endpoint: must be host:port/,
  );
  assert.match(
    problem('otlp', '{ endpoint: ":4317" }'),
    /^exporters\.otlp\.endpoint: must be host:port/,
  );
  assert.match(
    problem('otlphttp', '{ endpoint: "a:4318" }'),
    /^exporters\.otlphttp\.endpoint: must be a URL/,
  );
  assert.match(problem('otlphttp', '{}'), /^exporters\.otlphttp\.endpoint: names no server/);
  assert.match(
    problem('otlp', '{ endpoint: a:1, sending_queue: { enabled: true, storage: disk } }'),
    /^exporters\.otlp\.sending_queue\.directory: names no directory/,
  );
  assert.match(
    problem('otlp', '{ endpoint: a:1, sending_queue: { sizer: bytes, queue_size: 5000 } }'),
    /^exporters\.otlp\.sending_queue\.queue_size: must be 1048576 at least/,
  );
  for (const [key, text] of [
    ['queue_size', 'queue_size: 5000'],
    ['sizer', 'sizer: requests'],
  ]) {
    const queue = `{ enabled: true, storage: disk, directory: /q, ${text} }`;
    assert.match(
      problem('kafka', `{ sending_queue: ${queue} }`),
      new RegExp(`^exporters\\.kafka\\.sending_queue\\.${key}: means requests here`),
    );
  }
  assert.match(
    problem('otlp', '{ endpoint: a:1, compression: zstd }'),
    /^exporters\.otlp\.compression: must be/,
  );
  assert.match(
    problem('otlp', '{ endpoint: a:1, headers: { x-bin: a } }'),
    /^exporters\.otlp\.headers: a name .* not "x-bin"/,
  );
});
