// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import type { Operation } from '@spoor/core/query/operation-list.ts';
import { FixtureReader, withApi } from './testing/api-fixture.ts';

const LISTS = ['/api/services/shop/operations', '/api/operations', '/api/v3/operations'];

/** More than are made in a test unless all of them are made at once. */
const MAX_MADE = 5_000_000;

/** Has operations without end. */
class EndlessReader extends FixtureReader {
  readonly #closed = Promise.withResolvers<void>();
  /** Resolves when nobody wants more of them. */
  readonly closed = this.#closed.promise;

  override async getOperations(): Promise<Iterable<Operation>> {
    return this.#operations();
  }

  *#operations(): Generator<Operation> {
    try {
      for (let i = 0; i < MAX_MADE; i++) yield { name: `operation ${i}`, kind: 2 };
      throw new Error('nobody reads so fast');
    } finally {
      this.#closed.resolve();
    }
  }
}

for (const path of LISTS) {
  test(`${path} is written while it is made, others are answered meanwhile, and it ends with its client`, () => {
    const reader = new EndlessReader();
    return withApi(reader, async (app) => {
      const base = await app.listen({ host: '127.0.0.1', port: 0 });
      const begun = Promise.withResolvers<string>();
      const request = get(`${base}${path}?service=shop`, (response) => {
        response.once('data', (chunk: Buffer) => begun.resolve(chunk.toString('latin1')));
      });
      request.on('error', () => undefined);
      assert.match(await begun.promise, /^\{"(data|operations)":\[.*"operation 0".*"operation 1"/);
      assert.equal((await app.inject('/api/services')).statusCode, 200);
      request.destroy();
      await reader.closed;
    });
  });
}

test('others are answered while nothing of a long list is asked for, until that takes too long', () =>
  withApi(
    new EndlessReader(),
    async (app) => {
      const none = app.inject('/api/operations?service=shop&spanKind=client');
      const first = await Promise.race([none, app.inject('/api/services')]);
      assert.equal(first.statusCode, 200);
      assert.equal((await none).statusCode, 504);
    },
    { timeoutMs: 100 },
  ));

test('a list that is written piece by piece is what the whole would be, in every style and length', async () => {
  const reader = new FixtureReader();
  for (const length of [0, 1, 2, 5000]) {
    const operations = Array.from({ length }, (_, i) => ({
      name: `"${i}" \u{1f600}`,
      kind: i % 6,
    }));
    reader.getOperations = async () => operations;
    const kinds = ['', 'internal', 'server', 'client', 'producer', 'consumer'];
    const data = operations.map(({ name, kind }) => ({ name, spanKind: kinds[kind] }));
    const whole = { data, total: length, limit: 0, offset: 0, errors: null };
    await withApi(reader, async (app) => {
      const flat = await app.inject('/api/operations?service=shop');
      assert.equal(flat.body, JSON.stringify(whole));
      const pretty = await app.inject('/api/operations?service=shop&prettyPrint=true');
      assert.equal(pretty.body, JSON.stringify(whole, null, 4));
    });
  }
});
