// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempDisposable, rename, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { clientTlsSettings } from '#app/tls-settings.ts';
import { clientTlsSchema } from '#config/tls-config.ts';
import { ClientTls } from '#net/tls/client-tls.ts';
import { NO_OPENSSL, TestCertificates } from '#net/tls/testing/test-certificates.ts';
import { createLogger } from '#telemetry/logger.ts';
import { createSamplingApp } from './sampling-app.ts';
import { StrategiesSource } from './strategies-source.ts';
import { decodeStrategyParameters, encodeStrategyResponse } from './strategy-proto.ts';

function sourceOf(location: string): StrategiesSource {
  return new StrategiesSource({
    location,
    reloadIntervalMs: 0,
    defaultProbability: 0.25,
    logger: createLogger('silent'),
  });
}

const FILE = JSON.stringify({
  default_strategy: {
    type: 'probabilistic',
    param: 0.5,
    operation_strategies: [{ operation: '/health', type: 'probabilistic', param: 0 }],
  },
  service_strategies: [{ service: 'bank', type: 'ratelimiting', param: 5 }],
});

const OPERATIONS = {
  defaultSamplingProbability: 0.5,
  defaultLowerBoundTracesPerSecond: 0,
  perOperationStrategies: [{ operation: '/health', probabilisticSampling: { samplingRate: 0 } }],
  defaultUpperBoundTracesPerSecond: 0,
};

test('HTTP tells the strategy of a service: in today’s shape on all paths but /, where the oldest clients ask', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'spoor-'));
  const path = join(dir.path, 'strategies.json');
  await writeFile(path, FILE);
  const strategies = sourceOf(path);
  await strategies.start();
  const app = createSamplingApp(strategies);
  try {
    const ask = async (url: string): Promise<unknown> => (await app.inject(url)).json();
    const shop = {
      strategyType: 'PROBABILISTIC',
      probabilisticSampling: { samplingRate: 0.5 },
      operationSampling: OPERATIONS,
    };
    const bank = {
      strategyType: 'RATE_LIMITING',
      rateLimitingSampling: { maxTracesPerSecond: 5 },
      operationSampling: OPERATIONS,
    };
    assert.deepEqual(await ask('/sampling?service=shop'), shop);
    assert.deepEqual(await ask('/any/path?service=bank'), bank);
    assert.deepEqual(await ask('/?service=bank'), {
      ...bank,
      strategyType: 1,
      probabilisticSampling: null,
    });
    assert.deepEqual(await ask('/?service=shop'), {
      ...shop,
      strategyType: 0,
      rateLimitingSampling: null,
    });
    assert.deepEqual(await ask('/baggageRestrictions?service=shop'), []);
    for (const url of ['/sampling', '/sampling?service=a&service=b']) {
      const answer = await app.inject(url);
      assert.equal(answer.statusCode, 400);
      assert.equal(answer.body, "'service' parameter must be provided once\n");
    }
    const posted = await app.inject({ method: 'POST', url: '/sampling?service=shop' });
    assert.deepEqual([posted.statusCode, posted.headers['allow']], [405, 'GET']);
  } finally {
    await app.close();
    strategies.shutdown();
  }
});

test('a file that changes counts at once when it is read again, and one that is wrong does not', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'spoor-'));
  const path = join(dir.path, 'strategies.json');
  const rateNow = (source: StrategiesSource): number | string => {
    const strategy = source.strategyOf('shop');
    return strategy.type === 'probabilistic' ? strategy.samplingRate : strategy.type;
  };
  const put = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  const missing = sourceOf(path);
  await assert.rejects(missing.start(), { name: 'SpoorError', code: 'config' });
  await put(FILE);
  const source = sourceOf(path);
  assert.equal(rateNow(source), 0.25);
  await source.start();
  assert.equal(rateNow(source), 0.5);
  await put('{');
  await assert.rejects(source.reload(), SpoorError);
  assert.equal(rateNow(source), 0.5);
  await put('{"default_strategy":{"type":"probabilistic","param":0.75}}');
  await source.reload();
  assert.equal(rateNow(source), 0.75);
  source.shutdown();
});

test('strategies come from a server as well; one that has none now says 503', async () => {
  const answers: [number, string][] = [
    [200, FILE],
    [503, 'not now'],
    [500, 'broken'],
  ];
  const server = createServer((_request, response) => {
    const [status, body] = answers.shift()!;
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    // It listens on a port.
    const { port } = server.address() as AddressInfo;
    const source = sourceOf(`http://127.0.0.1:${port}/strategies`);
    await source.start();
    assert.equal(source.strategyOf('bank').type, 'ratelimiting');
    await source.reload();
    assert.equal(source.strategyOf('bank').type, 'probabilistic');
    await assert.rejects(source.reload(), /status 500/);
  } finally {
    server.close();
  }
});

test('one Spoor has the strategies of another, also when it starts first', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'spoor-'));
  const path = join(dir.path, 'strategies.json');
  await writeFile(
    path,
    '{"service_strategies":[{"service":"bank","type":"ratelimiting","param":5}]}',
  );
  const collector = sourceOf(path);
  const app = createSamplingApp(collector);
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const agent = new StrategiesSource({
    location: `${address}/strategies`,
    reloadIntervalMs: 1,
    defaultProbability: 1,
    logger: createLogger('silent'),
  });
  try {
    await agent.start();
    assert.deepEqual(agent.strategyOf('bank'), collector.strategyOf('bank'));
    await collector.start();
    while (agent.strategyOf('bank').type !== 'ratelimiting') await nextTurn();
    for (const service of ['bank', 'shop']) {
      assert.deepEqual(agent.strategyOf(service), collector.strategyOf(service));
    }
    await app.close();
    const later = sourceOf(`${address}/strategies`);
    await assert.rejects(later.start(), /sampling strategies: http/);
  } finally {
    agent.shutdown();
    collector.shutdown();
  }
});

test('strategies come over mTLS too', { skip: NO_OPENSSL, timeout: 20_000 }, async () => {
  using files = new TestCertificates();
  const ca = files.ca('ca');
  const cert = { ...files.read(files.make('server', { ca })), ca: readFileSync(ca.certFile) };
  const statuses = [200, 200, 500];
  const server = createHttps({ ...cert, requestCert: true }, (_request, response) => {
    const body = '{"default_strategy":{"type":"ratelimiting","param":7}}';
    response.writeHead(statuses.shift()!).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const own = files.make('agent', { ca });
  const sourceWith = (section: object): StrategiesSource => {
    const settings = clientTlsSettings(clientTlsSchema.parse({ reload_interval: '0', ...section }));
    const logger = createLogger('silent');
    return new StrategiesSource({
      location: `https://127.0.0.1:${port}/strategies`,
      tls: settings && new ClientTls('sampling.tls', settings, logger),
      reloadIntervalMs: 0,
      defaultProbability: 1,
      logger,
    });
  };
  const good = sourceWith({
    ca_file: ca.certFile,
    cert_file: own.certFile,
    key_file: own.keyFile,
  });
  try {
    await good.start();
    assert.equal(good.strategyOf('any').type, 'ratelimiting');
    await good.reload();
    await assert.rejects(good.reload(), /status 500/);
    await assert.rejects(sourceWith({}).start(), /sampling strategies: https:.*certificate/);
    await assert.rejects(sourceWith({ ca_file: '/nonexistent' }).start(), {
      message: /^sampling\.tls\.ca_file: there is no such file/,
    });
  } finally {
    good.shutdown();
    server.close();
  }
});

test('protobuf says the same as JSON', () => {
  assert.equal(
    decodeStrategyParameters(Buffer.from([10, 4, ...Buffer.from('shop'), 16, 1])),
    'shop',
  );
  assert.throws(() => decodeStrategyParameters(Buffer.from([10, 9, 1])), SpoorError);
  const half = [9, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f];
  assert.deepEqual(
    [
      ...encodeStrategyResponse({
        type: 'probabilistic',
        samplingRate: 0.5,
        operationSampling: {
          defaultSamplingProbability: 0.5,
          perOperationStrategies: [{ operation: '/a', samplingRate: 0 }],
        },
      }),
    ],
    [18, 9, ...half, 34, 17, ...half, 26, 6, 10, 2, 47, 97, 18, 0],
  );
  assert.deepEqual(
    [
      ...encodeStrategyResponse({
        type: 'ratelimiting',
        maxTracesPerSecond: 300,
        operationSampling: undefined,
      }),
    ],
    [8, 1, 26, 3, 8, 0xac, 2],
  );
});
