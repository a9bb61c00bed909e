// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { NO_TOKEN } from '#net/token-line.ts';
import type { SpoorConfig } from './config.ts';
import { childKey, configKeys, type ConfigKey } from './config-keys.ts';
import { keysIn, valueIn } from './config-tree.ts';
import { loadConfig, type ConfigInputs } from './load-config.ts';
import { formatConfig } from './print-config.ts';
import { loadYaml, problemOf } from './testing/config-file.ts';

function load(inputs: Partial<ConfigInputs> = {}): SpoorConfig {
  return loadConfig({ env: {}, ...inputs });
}

test('without any input everything listens on loopback and its usual port', () => {
  const config = load();
  assert.equal(config.receivers.otlp?.protocols.grpc?.endpoint, '127.0.0.1:4317');
  assert.equal(config.receivers.otlp?.protocols.http?.endpoint, '127.0.0.1:4318');
  assert.equal(config.query.http.endpoint, '127.0.0.1:16686');
  assert.equal(config.telemetry.health.endpoint, '127.0.0.1:13133');
  assert.equal(config.memory_limit_mib, 400);
  assert.equal(config.storage.type, 'columnar');
});

test('a file changes what it names and an empty section keeps its defaults', () => {
  const config = loadYaml(`
receivers:
  otlp:
    protocols:
      grpc:
      http:
        endpoint: 0.0.0.0:14318
        cors: { allowed_origins: ['https://*.example'] }
`);
  assert.equal(config.receivers.otlp?.protocols.grpc?.endpoint, '127.0.0.1:4317');
  assert.equal(config.receivers.otlp?.protocols.http?.endpoint, '0.0.0.0:14318');
  assert.deepEqual(config.receivers.otlp?.protocols.http?.cors.allowed_origins, [
    'https://*.example',
  ]);
});

test('an empty file is the defaults', () => {
  assert.deepEqual(loadYaml('# nothing yet\n'), load());
});

test('the data directory is taken from the file, SPOOR_DATA, --data and --set, the later ones winning', () => {
  const yaml = 'storage: { directory: /from/file }';
  assert.equal(loadYaml(yaml).storage.directory, '/from/file');
  const env = { SPOOR_DATA: '/from/env' };
  assert.equal(loadYaml(yaml, { env }).storage.directory, '/from/env');
  assert.equal(loadYaml(yaml, { env, dataDirectory: '/data' }).storage.directory, '/data');
  const sets = ['storage.directory=/from/set'];
  assert.equal(
    loadYaml(yaml, { env, dataDirectory: '/data', sets }).storage.directory,
    '/from/set',
  );
});

test('--set takes YAML values, and texts that are no YAML as they are', () => {
  const config = load({
    sets: [
      'memory_limit_mib=512',
      'receivers.otlp.protocols.http.enabled=false',
      'receivers.otlp.protocols.http.cors.allowed_origins=[https://a.example, https://b.example]',
      'query.http.endpoint=[::1]:0',
      'telemetry.log_level=debug',
      'telemetry.log_level=warn',
    ],
  });
  assert.equal(config.memory_limit_mib, 512);
  assert.equal(config.receivers.otlp?.protocols.http?.enabled, false);
  assert.deepEqual(config.receivers.otlp?.protocols.http?.cors.allowed_origins, [
    'https://a.example',
    'https://b.example',
  ]);
  assert.equal(config.query.http.endpoint, '[::1]:0');
  assert.equal(config.telemetry.log_level, 'warn');
});

test('an unknown key in a file is told with its line and the key that was probably meant', () => {
  const message = problemOf(() =>
    loadYaml('storage:\n  type: memory\nquery:\n  htpp:\n    endpoint: 127.0.0.1:0\n'),
  );
  assert.equal(message, 'query.htpp: unknown key; did you mean query.http? (spoor.yaml:4)');
});

test('an unknown key of --set is told with the key that was probably meant', () => {
  assert.equal(
    problemOf(() => load({ sets: ['telemetry.loglevel=debug'] })),
    'telemetry.loglevel: unknown key; did you mean telemetry.log_level? (--set)',
  );
  assert.equal(
    problemOf(() => load({ sets: ['otlp.grpc.endpoint=127.0.0.1:1'] })),
    'otlp.grpc.endpoint: unknown key; did you mean receivers.otlp.protocols.grpc.endpoint? (--set)',
  );
  assert.equal(
    problemOf(() => load({ sets: ['query.http.endpoint.port=1'] })),
    'query.http.endpoint.port: unknown key: query.http.endpoint is a value and has no keys below it (--set)',
  );
  assert.match(
    problemOf(() => load({ sets: ['zzzzzzzzzz=1'] })),
    /^zzzzzzzzzz: unknown key; at the top there are: memory_limit_mib, listen_host, receivers, processors, exporters, service, sampling, storage, query, tenancy, auth, telemetry/,
  );
  assert.match(
    problemOf(() => load({ sets: ['__proto__.x=1'] })),
    /^__proto__\.x: unknown key/,
  );
});

test('every problem is told, each on a line that begins with the key', () => {
  const lines = problemOf(() =>
    load({
      sets: [
        'memory_limit_mib=lots',
        'storage.type=disk',
        'receivers.otlp.protocols.grpc.endpoint=4317',
        'receivers.otlp.protocols.http.max_body_mib=1000',
        'query.timeout_ms=1.5',
        'telemetry.health.enabled=maybe',
      ],
    }),
  ).split('\n');
  assert.deepEqual(lines, [
    'memory_limit_mib: must be a number, not "lots" (--set)',
    'receivers.otlp.protocols.grpc.endpoint: must be host:port, for example 127.0.0.1:4317, with a port of 0 to 65535, not 4317 (--set)',
    'receivers.otlp.protocols.http.max_body_mib: must be at most 64, not 1000 (--set)',
    'storage.type: must be one of columnar, memory, not "disk" (--set)',
    'query.timeout_ms: must be a whole number, not 1.5 (--set)',
    'telemetry.health.enabled: must be true or false, not "maybe" (--set)',
  ]);
});

test('what is wrong below names that are free is told with the names', () => {
  const wrong: [string, string][] = [
    ['{max_age_hours: 0}', 'storage.retention.max_age_hours: must be more than 0, not 0'],
    [
      '{tenants: {../x: {max_mib: 1}}}',
      'storage.retention.tenants: a name in it must be 1 to 64 of the characters A-Z a-z 0-9 _ -, not "../x"',
    ],
    [
      '{tenants: {a: {max_gib: 1}}}',
      'storage.retention.tenants.a.max_gib: unknown key; did you mean storage.retention.tenants.a.max_mib?',
    ],
    [
      '{services: {shop: {max_age_hours: 1, age: 1}}}',
      'storage.retention.services.shop.age: unknown key; storage.retention.services.shop has: max_age_hours',
    ],
  ];
  for (const [retention, message] of wrong) {
    assert.equal(
      problemOf(() => load({ sets: [`storage.retention=${retention}`] })),
      `${message} (--set)`,
    );
  }
  const { retention } = load({ sets: ['storage.retention.tenants.a.max_mib=3'] }).storage;
  assert.equal(retention.tenants['a']?.max_mib, 3);
});

test('a value where a section should be is told', () => {
  assert.equal(
    problemOf(() => load({ sets: ['receivers.otlp=4317'] })),
    'receivers.otlp: must be a section with keys of its own, not 4317 (--set)',
  );
  assert.equal(
    problemOf(() => loadYaml('- a\n- b\n')),
    'the configuration: must be a section with keys of its own, not a list (spoor.yaml:1)',
  );
});

test('what may be a password or token is not repeated in what is said of it', () => {
  const lines = (sets: string[]): string[] =>
    problemOf(() => load({ sets: ['exporters.otlp.endpoint=a:1', ...sets] })).split('\n');
  assert.deepEqual(
    lines([
      'auth.ingest=hunter2-and-more',
      'auth.query.tokens=hunter2-and-more',
      'exporters.otlp.headers=Bearer hunter2',
      'query.http.tls.key_password=4711',
    ]),
    [
      'exporters.otlp.headers: must be a section with keys of its own, not a text (--set)',
      'query.http.tls.key_password: must be a text, not a number (--set)',
      'auth.ingest: must be a section with keys of its own, not a text (--set)',
      'auth.query.tokens: must be a list, not a text (--set)',
    ],
  );
  assert.deepEqual(lines(['auth.query.tokens=[4711]']), [
    'auth.query.tokens.0: must be a text, not a number (--set)',
  ]);
  assert.deepEqual(lines(['auth.query.tokens=[too-short, hünter2-hunter2-hunter2]']), [
    `auth.query.tokens.0: ${NO_TOKEN} (--set)`,
    `auth.query.tokens.1: ${NO_TOKEN} (--set)`,
  ]);
  assert.deepEqual(lines(['exporters.otlp.headers={a: hünter2}']), [
    'exporters.otlp.headers.a: must be printable ASCII (--set)',
  ]);
});

test('users and passwords in addresses are refused, and not repeated', () => {
  for (const user of ['me:hunter2', ':hunter2', 'hunter2']) {
    const sets = [
      `exporters.otlp.endpoint=http://${user}@x:4317`,
      `exporters.otlphttp.endpoint=http://${user}@x:4318`,
      `sampling.strategies_file=http://${user}@x/strategies`,
    ];
    assert.deepEqual(problemOf(() => load({ sets })).split('\n'), [
      'exporters.otlp.endpoint: must be host:port, for example collector:4317, or a list of these, not "http://[redacted]@x:4317" (--set)',
      'exporters.otlphttp.endpoint: must be a URL, for example http://collector:4318, or a list of these, not "http://[redacted]@x:4318" (--set)',
      'sampling.strategies_file: must be without user and password, not "http://[redacted]@x/strategies" (--set)',
    ]);
  }
  load({ sets: ['sampling.strategies_file=/etc/me:you@x/strategies.json'] });
});

test('a body that would never fit into the memory is refused when it is configured', () => {
  const sets = ['memory_limit_mib=200', 'receivers.otlp.protocols.http.max_body_mib=64'];
  assert.equal(
    problemOf(() => load({ sets })),
    'receivers.otlp.protocols.http.max_body_mib: must be at most the 36 MiB that memory_limit_mib (200) leaves for bodies, not 64 (--set)',
  );
  load({ sets: ['memory_limit_mib=500', 'receivers.otlp.protocols.http.max_body_mib=64'] });
  load({ sets: ['memory_limit_mib=150', 'tenancy.enabled=true'] });
  sets.splice(0, 1, 'memory_limit_mib=400', 'tenancy.enabled=true');
  assert.match(
    problemOf(() => load({ sets })),
    /at most the 30 MiB that memory_limit_mib \(400\) leaves for bodies of one tenant, not 64/,
  );
});

test('the header of the tenant is a name for HTTP and gRPC, and tenants are names for a directory', () => {
  for (const header of ['x tenant', 'x-tenant-bin', 'grpc-tenant']) {
    assert.match(
      problemOf(() => load({ sets: [`tenancy.header=${header}`] })),
      /^tenancy\.header: must be a name of letters/,
    );
  }
  assert.match(
    problemOf(() => load({ sets: ['tenancy.tenants=[a, ../b]'] })),
    /^tenancy\.tenants\.1: must be 1 to 64 of the characters A-Z a-z 0-9 _ -, not "\.\.\/b"/,
  );
});

test('broken YAML and missing files are told with their place', () => {
  assert.match(
    problemOf(() => loadYaml('a: 1\nb: [1\n')),
    /^spoor\.yaml:\d: /,
  );
  assert.equal(
    problemOf(() => load({ file: '/nonexistent/spoor.yaml' })),
    '--config /nonexistent/spoor.yaml: there is no such file',
  );
  assert.match(
    problemOf(() => load({ sets: ['telemetry.log_level'] })),
    /path\.to\.key=value/,
  );
});

test('a list in place of the configuration is told with its line', () => {
  assert.equal(
    problemOf(() => loadYaml('# mine\n- a\n', { sets: ['memory_limit_mib=400'] })),
    'the configuration: must be a section with keys of its own, not a list (spoor.yaml:2)',
  );
});

test('references to the environment are replaced in files and in --set', () => {
  const env = { PORT: '14317', EMPTY: '', LIMIT: '400' };
  const config = loadYaml(
    `
memory_limit_mib: \${env:LIMIT}
storage: { directory: '\${env:NOT_SET:-/var/lib/spoor}/$$x' }
telemetry: { log_level: '\${env:EMPTY:-debug}' }
`,
    { env, sets: ['receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${env:PORT}'] },
  );
  assert.equal(config.memory_limit_mib, 400);
  assert.equal(config.storage.directory, '/var/lib/spoor/$x');
  assert.equal(config.telemetry.log_level, 'debug');
  assert.equal(config.receivers.otlp?.protocols.grpc?.endpoint, '127.0.0.1:14317');
});

test('a reference to a variable that is not set says so', () => {
  assert.equal(
    problemOf(() => loadYaml('telemetry: { log_level: "${env:NOPE}" }')),
    'telemetry.log_level: environment variable NOPE is not set; give a default with ${env:NOPE:-default} (spoor.yaml:1)',
  );
  assert.match(
    problemOf(() => loadYaml('storage: { directory: "${file:/x}" }')),
    /write \$\{env:NAME\}/,
  );
});

test('the printed configuration can be read back and explains every key, also those that are not set', () => {
  const tenants = { acme: { services: { shop: { max_age_hours: 2 } } } };
  for (const [inputs, freeNames] of [
    [{ sets: ['memory_limit_mib=444'], dataDirectory: '/x y: #z' }, []],
    [{ role: 'query' }, []],
    [{ sets: ['receivers.zipkin.tls={ cert_file: a, key_file: b }'] }, []],
    [
      { sets: [`storage.retention.tenants=${JSON.stringify(tenants)}`] },
      ['acme:', 'shop:', 'max_age_hours: 2'],
    ],
  ] as const satisfies readonly (readonly [Partial<ConfigInputs>, readonly string[]])[]) {
    const config = load(inputs);
    const text = formatConfig(config);
    assert.deepEqual(loadYaml(text, 'role' in inputs ? inputs : {}), config);
    const all = text.replaceAll(/^( *)# ( *[a-z0-9_]+:)$/gm, '$1$2');
    assert.deepEqual([...missingKeys(parse(all), configKeys())], []);
    const lines = all.split('\n').map((line) => line.trim());
    const unexplained = lines.filter(
      (line, i) => /^[a-z0-9_]+:/.test(line) && lines[i - 1]?.startsWith('#') !== true,
    );
    assert.deepEqual(unexplained, freeNames);
  }
});

/** Paths of the keys that a tree should have, with components only where they are used. */
function* missingKeys(tree: unknown, key: ConfigKey): Generator<string> {
  if (key.isNamed) {
    for (const name of keysIn(tree)) yield* missingKeys(valueIn(tree, name), childKey(key, name)!);
    return;
  }
  if (key.entry !== undefined) {
    for (const name of keysIn(tree)) yield* missingKeys(valueIn(tree, name), key.entry);
  }
  for (const [name, child] of key.children ?? []) {
    if (!keysIn(tree).includes(name)) yield child.path;
    yield* missingKeys(valueIn(tree, name), child);
  }
}
