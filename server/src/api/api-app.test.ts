// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import {
  batchOf,
  FixtureReader,
  FRONTEND,
  ROOT,
  TRACE,
  TRACE_ID,
  withApi,
} from './testing/api-fixture.ts';
import { staticUi } from './ui/static-ui.ts';

test('every answer carries the security headers', async () => {
  await withApi(new FixtureReader(), async (app) => {
    for (const url of ['/', '/api/services', '/api/traces/0', '/api/nothing', '/metrics']) {
      const { headers } = await app.inject(url);
      assert.equal(
        headers['content-security-policy'],
        "default-src 'self';script-src 'self';style-src 'self';img-src 'self' data:;font-src 'self';" +
          "connect-src 'self';frame-ancestors 'none';base-uri 'none';object-src 'none'",
        url,
      );
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'same-origin');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['strict-transport-security'], undefined);
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
  });
});

test('metrics are served beside the API', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const answer = await app.inject('/metrics');
    assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/);
    assert.match(answer.body, /^process_resident_memory_bytes \d+$/m);
  });
});

test('without a built page, how to build it is said', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const answer = await app.inject('/search');
    assert.equal(answer.statusCode, 503);
    assert.match(answer.body, /npm start/);
  });
});

test('a page that is not built is told in the log when the server is made', () => {
  const warnings: string[] = [];
  const logger = { warn: (_: object, message: string) => warnings.push(message) };
  staticUi('/nonexistent', logger);
  assert.deepEqual(warnings, ['the web page has not been built: `npm run build -w ui` does it']);
});

test('the page answers every path that is no file, and nothing outside of it is served', async () => {
  const root = mkdtempSync(join(tmpdir(), 'spoor-ui-'));
  const uiDirectory = join(root, 'dist');
  mkdirSync(join(uiDirectory, 'assets'), { recursive: true });
  writeFileSync(join(uiDirectory, 'index.html'), '<!doctype html>page');
  writeFileSync(join(uiDirectory, 'assets', 'index-abc123.js'), 'script');
  writeFileSync(join(uiDirectory, '.hidden'), 'hidden');
  writeFileSync(join(root, 'secret.txt'), 'secret');
  try {
    await withApi(
      new FixtureReader(),
      async (app) => {
        for (const url of [
          '/',
          '/search',
          '/trace/abc?uiFind=x',
          '/apis',
          '/index.html',
          '/.hidden',
        ]) {
          const answer = await app.inject(url);
          assert.equal(answer.statusCode, 200, url);
          assert.equal(answer.body, '<!doctype html>page', url);
          assert.match(String(answer.headers['content-type']), /^text\/html/);
          assert.equal(answer.headers['cache-control'], 'no-cache');
        }
        const page = await app.inject('/search');
        const again = { 'if-none-match': String(page.headers['etag']) };
        assert.equal((await app.inject({ url: '/search', headers: again })).statusCode, 304);
        const head = await app.inject({ method: 'HEAD', url: '/' });
        assert.equal(head.headers['content-length'], String('<!doctype html>page'.length));
        assert.equal(head.body, '');
        const part = { url: '/assets/index-abc123.js', headers: { range: 'bytes=1-2' } };
        assert.equal((await app.inject(part)).body, 'cr');
        const script = await app.inject('/assets/index-abc123.js');
        assert.equal(script.body, 'script');
        assert.match(String(script.headers['content-type']), /^(?:text|application)\/javascript/);
        assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
        for (const url of ['/assets/gone.js', '/assets', '/assets/']) {
          assert.equal((await app.inject(url)).statusCode, 404, url);
        }
        for (const url of [
          '/../secret.txt',
          '/%2e%2e/secret.txt',
          '/..%2fsecret.txt',
          '/assets/..%2f..%2fsecret.txt',
          '/assets/%2e%2e/%2e%2e/secret.txt',
          '/..%5csecret.txt',
          '//secret.txt',
          `/${join(root, 'secret.txt')}`,
          '/secret.txt%00.js',
        ]) {
          assert.doesNotMatch((await app.inject(url)).body, /^secret/, url);
        }
        const post = await app.inject({ method: 'POST', url: '/search', payload: 'x' });
        assert.equal(post.statusCode, 404);
      },
      { uiDirectory },
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});

const TENANCY = { header: 'X-Tenant', tenants: ['one', 'two'] };

test('every route that reads asks for the tenant, and hands it to the store', async () => {
  const asked: string[] = [];
  const reader = new FixtureReader(TRACE);
  const [getTraces, findTraces] = [reader.getTraces.bind(reader), reader.findTraces.bind(reader)];
  reader.getTraces = (tenant, ids, options) => {
    asked.push(tenant);
    return getTraces(tenant, ids, options);
  };
  reader.findTraces = (tenant, query) => {
    asked.push(tenant);
    return findTraces(tenant, query);
  };
  reader.getServices = async (...[tenant]: [string?]) => {
    asked.push(tenant!);
    return [];
  };
  reader.getOperations = async (tenant) => {
    asked.push(tenant);
    return [];
  };
  reader.getDependencies = async (tenant) => {
    asked.push(tenant);
    return [];
  };
  reader.getSpanMetrics = async (tenant) => {
    asked.push(tenant);
    return [];
  };
  const counts = { entries: [], isComplete: true, startMinUnixNano: 0n, startMaxUnixNano: 0n };
  reader.getAttributeNames = async (tenant) => {
    asked.push(tenant);
    return counts;
  };
  reader.getAttributeValues = async (tenant) => {
    asked.push(tenant);
    return counts;
  };
  const urls = [
    '/api/services',
    '/%61pi/services',
    '/api/services/',
    '/api/services/shop/operations',
    '/api/operations?service=shop',
    '/api/traces?service=shop',
    `/api/traces?traceID=${TRACE_ID}`,
    `/api/traces/${TRACE_ID}`,
    '/api/trace-summaries?service=shop',
    '/api/trace-summaries?service=shop&details=true',
    `/api/trace-summaries?traceID=${TRACE_ID}`,
    '/api/dependencies',
    '/api/metrics/calls?service=shop',
    '/api/metrics/errors?service=shop',
    '/api/metrics/latencies?service=shop&quantile=0.9',
    '/api/attributes',
    '/api/attributes/values?name=host',
    '/api/v3/traces?query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2027-01-01T00:00:00Z',
    '/api/v3/trace-summaries?query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2027-01-01T00:00:00Z',
    '/api/v3/services',
    '/api/v3/operations?service=shop',
    `/api/v3/traces/${TRACE_ID}`,
  ];
  await withApi(
    reader,
    async (app) => {
      for (const url of urls) {
        for (const name of [undefined, '', 'three', 'one, two', '../one', 'default']) {
          const headers = name === undefined ? {} : { 'x-tenant': name };
          const answer = await app.inject({ url, headers });
          assert.equal(answer.statusCode, 401, `${url} ${name}`);
          assert.match(answer.body, /header \\"x-tenant\\"/);
        }
        assert.deepEqual(asked, [], url);
        for (const name of ['one', 'two']) {
          const answer = await app.inject({ url, headers: { 'x-tenant': name } });
          assert.equal(answer.statusCode, 200, url);
          assert.equal(answer.headers['vary'], 'x-tenant');
          assert.deepEqual([...new Set(asked.splice(0))], [name]);
        }
      }
      // The store is not asked for it.
      assert.equal((await app.inject('/api/metrics/minstep')).statusCode, 401);
      // They tell of all tenants.
      const metrics = await app.inject({ url: '/metrics', headers: { 'x-tenant': 'one' } });
      assert.equal(metrics.statusCode, 404);
    },
    { tenancy: TENANCY },
  );
});

/** Paths of all routes, as the router itself tells them: a tree with four characters of indent a level. */
function routesOf(app: FastifyInstance): string[] {
  const parents: string[] = [];
  return [...app.printRoutes({ commonPrefix: false }).matchAll(/^(.*)[├└]── (\S+) \(/gm)].map(
    ([, indent, path]) => {
      const depth = indent!.length / 4;
      parents[depth] = (depth === 0 ? '' : parents[depth - 1]!) + path!;
      return parents[depth];
    },
  );
}

test('no route reads anything for a request without a tenant', async () => {
  const read: string[] = [];
  const reader = new Proxy(new FixtureReader(TRACE), {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        read.push(String(name));
        return Reflect.apply(value, target, args);
      };
    },
  });
  const query =
    'service=shop&quantile=0.9&key=a' +
    '&query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2027-01-01T00:00:00Z';
  await withApi(
    reader,
    async (app) => {
      await app.ready();
      const paths = routesOf(app).filter((path) => path.startsWith('/api/'));
      assert.ok(paths.length >= 11 && paths.includes('/api/v3/traces/:id'));
      for (const path of paths) {
        await app.inject(`${path.replaceAll(/:\w+/g, TRACE_ID)}?${query}`);
        assert.deepEqual(read, [], path);
      }
      await app.inject({ url: '/api/services', headers: { 'x-tenant': 'one' } });
      assert.deepEqual(read, ['getServices', 'unreadable']);
    },
    { tenancy: TENANCY },
  );
});

function bigTrace(spans: number): SpanBatch {
  return batchOf({
    resource: FRONTEND,
    scopeSpans: [
      {
        spans: Array.from({ length: spans }, (_, i) => ({
          ...ROOT,
          spanId: (i + 1).toString(16).padStart(16, '0'),
          attributes: [{ key: 'text', value: { stringValue: 'x'.repeat(1000) } }],
        })),
      },
    ],
  });
}

test('a long answer is streamed whole to a client that reads it', async () => {
  await withApi(new FixtureReader(bigTrace(2000)), async (app) => {
    const base = await app.listen({ host: '127.0.0.1', port: 0 });
    const answer = await fetch(`${base}/api/traces/${TRACE_ID}`);
    assert.equal(answer.headers.get('transfer-encoding'), 'chunked');
    const { data } = (await answer.json()) as { data: { spans: unknown[] }[] };
    assert.equal(data[0]?.spans.length, 2000);
  });
});
