// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { HttpAppListener } from './http-app-listener.ts';

const FREE = { host: '127.0.0.1', port: 0 };

test('an application listens between start and shutdown, and only then has an address', async () => {
  const listener = new HttpAppListener(FREE, () => {
    const app = Fastify();
    app.get('/', () => 'hello');
    return app;
  });
  await listener.shutdown(1000);
  assert.equal(listener.address, undefined);
  await listener.start();
  const { host, port } = listener.address!;
  assert.equal(await (await fetch(`http://${host}:${port}/`)).text(), 'hello');
  await listener.shutdown(1000);
  await listener.shutdown(1000);
  assert.equal(listener.address, undefined);
  await assert.rejects(fetch(`http://${host}:${port}/`));
});

test('an address in use is an error, and the listener can be shut down all the same', async () => {
  const first = new HttpAppListener(FREE, () => Fastify());
  await first.start();
  const second = new HttpAppListener(first.address!, () => Fastify());
  await assert.rejects(second.start(), { code: 'EADDRINUSE' });
  await second.shutdown(1000);
  await first.shutdown(1000);
});

test('a request that does not end is cut at the deadline', { timeout: 20_000 }, async () => {
  const begun = Promise.withResolvers<void>();
  const listener = new HttpAppListener(FREE, () => {
    const app = Fastify();
    app.get('/', () => {
      begun.resolve();
      return new Promise(() => undefined);
    });
    return app;
  });
  await listener.start();
  const { host, port } = listener.address!;
  const request = assert.rejects(fetch(`http://${host}:${port}/`));
  await begun.promise;
  await listener.shutdown(50);
  await request;
});
