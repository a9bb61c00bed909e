// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect } from 'node:tls';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from '#net/logger.ts';
import { serverTlsSchema } from '#config/tls-config.ts';
import { NO_OPENSSL, TestCertificates } from '#net/tls/testing/test-certificates.ts';
import { HttpAppListener } from './http-app-listener.ts';
import { serverTlsSettings } from './tls-settings.ts';

const FREE = { path: 'query.http', endpoint: { host: '127.0.0.1', port: 0 }, tls: undefined };

/** A logger that keeps what is said. */
function makeLogger(): { logger: Logger; log: string[] } {
  const log: string[] = [];
  const write = (_details: object, message: string): void => {
    log.push(message);
  };
  return { logger: { info: write, warn: write, error: write }, log };
}

function hello(): FastifyInstance {
  const app = Fastify();
  app.get('/', (request) => `hello over ${request.protocol}`);
  return app;
}

test('an application listens between start and shutdown, and only then has an address', async () => {
  const listener = new HttpAppListener(FREE, hello, makeLogger().logger);
  await listener.shutdown(1000);
  assert.equal(listener.address, undefined);
  await listener.start();
  const { host, port } = listener.address!;
  assert.equal(await (await fetch(`http://${host}:${port}/`)).text(), 'hello over http');
  await listener.shutdown(1000);
  await listener.shutdown(1000);
  assert.equal(listener.address, undefined);
  await assert.rejects(fetch(`http://${host}:${port}/`));
});

test('an address in use is an error, and the listener can be shut down all the same', async () => {
  const first = new HttpAppListener(FREE, () => Fastify(), makeLogger().logger);
  await first.start();
  const second = new HttpAppListener(
    { ...FREE, endpoint: first.address! },
    () => Fastify(),
    makeLogger().logger,
  );
  await assert.rejects(second.start(), { code: 'EADDRINUSE' });
  await second.shutdown(1000);
  await first.shutdown(1000);
});

test('a request that does not end is cut at the deadline', { timeout: 20_000 }, async () => {
  const begun = Promise.withResolvers<void>();
  const listener = new HttpAppListener(
    FREE,
    () => {
      const app = Fastify();
      app.get('/', () => {
        begun.resolve();
        return new Promise(() => undefined);
      });
      return app;
    },
    makeLogger().logger,
  );
  await listener.start();
  const { host, port } = listener.address!;
  const request = assert.rejects(fetch(`http://${host}:${port}/`));
  await begun.promise;
  await listener.shutdown(50);
  await request;
});

test(
  'with a tls section it speaks TLS only, on each of its addresses',
  { skip: NO_OPENSSL, timeout: 20_000 },
  async () => {
    using files = new TestCertificates();
    const pair = files.make('server');
    const config = serverTlsSchema.parse({ cert_file: pair.certFile, key_file: pair.keyFile });
    const tls = config && serverTlsSettings(config);
    const place = { ...FREE, endpoint: { host: 'localhost', port: 0 }, tls };
    const listener = new HttpAppListener(place, hello, makeLogger().logger);
    await listener.start();
    const { port } = listener.address!;
    const agent = new Agent({ ca: readFileSync(pair.certFile) });
    const [answer] = (await once(get({ host: 'localhost', port, agent }), 'response')) as [
      IncomingMessage,
    ];
    assert.equal(await text(answer), 'hello over https');
    for (const host of ['127.0.0.1', '[::1]']) {
      const status = await fetch(`http://${host}:${port}`).then(
        (plain) => plain.status,
        () => 'closed',
      );
      assert.notEqual(status, 200);
    }
    // A handshake that is under way does not hold the end up.
    const half = connectPlain({ host: 'localhost', port }).on('error', () => undefined);
    while (listener.tls!.figures.openHandshakes === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all([once(half, 'close'), listener.shutdown(60_000)]);
    await assert.rejects(once(get({ host: 'localhost', port, agent }), 'response'));
    agent.destroy();
  },
);

test('TLS on a port without it is said in the log', async () => {
  const { logger, log } = makeLogger();
  const listener = new HttpAppListener(FREE, hello, logger);
  await listener.start();
  const { host, port } = listener.address!;
  const [error] = (await once(connect({ host, port }), 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ERR_SSL_WRONG_VERSION_NUMBER');
  assert.deepEqual(log, ['query.http: TLS on a port that speaks plain text']);
  await listener.shutdown(1000);
});
