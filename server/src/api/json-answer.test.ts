// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import type { Operation } from '@spoor/core/query/operation-list.ts';
import type { Dependency, SpanMetrics } from '#storage/tracestore.ts';
import { FixtureReader, withApi } from './testing/api-fixture.ts';

const OPERATIONS = /^\{"(data|operations)":\[.*"operation 0".*"operation 1"/;
const SERIES = /^\{"name":.*"metrics":\[.*"operation 0".*"operation 1"/;

/** Lists, and what they begin with. */
const LISTS = [
  ['/api/services/shop/operations?', OPERATIONS],
  ['/api/operations?service=shop', OPERATIONS],
  ['/api/v3/operations?service=shop', OPERATIONS],
  ['/api/metrics/calls?service=shop&groupByOperation=true&lookback=0', SERIES],
  ['/api/metrics/errors?service=shop&groupByOperation=true&lookback=0', SERIES],
  ['/api/metrics/latencies?service=shop&groupByOperation=true&lookback=0&quantile=1', SERIES],
] as const;

/** More than are made in a test unless all of them are made at once. */
const MAX_MADE = 20_000_000;

/** Has operations without end. */
class EndlessReader extends FixtureReader {
  readonly #closed = Promise.withResolvers<void>();
  /** Resolves when nobody wants more of them. */
  readonly closed = this.#closed.promise;

  override async getOperations(): Promise<Iterable<Operation>> {
    return this.#names().map((name) => ({ name, kind: 2 }));
  }

  override async getSpanMetrics(): Promise<Iterable<SpanMetrics>> {
    const minutes = {
      minute: Uint32Array.of(7),
      calls: Float64Array.of(2),
      errors: Float64Array.of(1),
      start: Uint32Array.of(0, 1),
      latency: { bucket: Uint32Array.of(300), count: Float64Array.of(2) },
    };
    return this.#names().map((operation) => ({ service: 'shop', operation, minutes }));
  }

  override async getDependencies(): Promise<Iterable<Dependency>> {
    const calls = { kind: 'call', isInferred: false, calls: 1, errors: 0 } as const;
    const latency = { bucket: Uint32Array.of(300), count: Float64Array.of(1) };
    return this.#names().map((callee) => ({ ...calls, caller: 'shop', callee, latency }));
  }

  *#names(): Generator<string, void, undefined> {
    try {
      for (let i = 0; i < MAX_MADE; i++) yield `operation ${i}`;
      throw new Error('nobody reads so fast');
    } finally {
      this.#closed.resolve();
    }
  }
}

for (const [path, pattern] of LISTS) {
  test(`${path.replace(/\?.*/, '')} is written while it is made, others are answered meanwhile, and it ends with its client`, () => {
    const reader = new EndlessReader();
    return withApi(reader, async (app) => {
      const base = await app.listen({ host: '127.0.0.1', port: 0 });
      const begun = Promise.withResolvers<string>();
      const request = get(`${base}${path}`, (response) => {
        response.once('data', (chunk: Buffer) => begun.resolve(chunk.toString('latin1')));
      });
      request.on('error', () => undefined);
      assert.match(await begun.promise, pattern);
      assert.equal((await app.inject('/api/services')).statusCode, 200);
      request.destroy();
      await reader.closed;
    });
  });
}

for (const path of [
  '/api/operations?service=shop&spanKind=client',
  '/api/dependencies?service=cart',
]) {
  test(`others are answered while nothing of a long list is asked for, until that takes too long: ${path}`, () =>
    withApi(
      new EndlessReader(),
      async (app) => {
        const none = app.inject(path);
        const first = await Promise.race([none, app.inject('/api/services')]);
        assert.equal(first.statusCode, 200);
        assert.equal((await none).statusCode, 504);
      },
      { timeoutMs: 500 },
    ));
}

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
