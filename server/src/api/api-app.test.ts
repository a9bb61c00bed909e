// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { TraceQuery } from '@spoor/core/query/trace-query.ts';
import type { ReadOptions } from '#storage/tracestore.ts';
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

test('a client that goes away ends the reading', { timeout: 20_000 }, async () => {
  const ended = Promise.withResolvers<unknown>();
  const batch = bigTrace(50);
  const reader = new FixtureReader();
  reader.getTraces = async function* (_tenant, _ids, options) {
    options?.signal?.addEventListener('abort', () => ended.resolve(options.signal?.reason));
    for (;;) yield batch;
  };
  await withApi(reader, async (app) => {
    const base = await app.listen({ host: '127.0.0.1', port: 0 });
    const request = get(`${base}/api/traces?traceID=1`, (response) => {
      response.once('data', () => request.destroy());
    });
    request.on('error', () => undefined);
    const reason = await ended.promise;
    assert.ok(reason instanceof SpoorError);
    assert.equal(reason.code, 'cancelled');
  });
});

/** Sends what may be no request as it should be. @returns what comes until the connection is closed */
async function ask(base: string, request: string): Promise<[head: string, body: string]> {
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  socket.write(request);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer.split('\r\n\r\n') as [string, string];
}

test('the longest TraceQL fits into a request, and what is longer than a request may be is refused in the form of the API', async () => {
  const reader = new FixtureReader(TRACE);
  await withApi(reader, async (app) => {
    const base = await app.listen({ host: '127.0.0.1', port: 0 });
    const q = `{ name = "${'€'.repeat(8192 - 13)}" }`;
    const fits = await fetch(`${base}/api/trace-summaries?q=${encodeURIComponent(q)}&service=shop`);
    assert.equal(fits.status, 200);
    assert.equal(reader.queries.length, 1);
    for (const [request, status, code, message] of [
      [
        `GET /api/services?${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
        '431 Request Header Fields Too Large',
        431,
        'the request line and headers are longer than 98304 bytes',
      ],
      [
        'GET / HTTP/1.1\r\nno header\r\n\r\n',
        '400 Bad Request',
        400,
        'this is no HTTP/1.1 request',
      ],
    ] as const) {
      const [head, body] = await ask(base, request);
      assert.match(head, new RegExp(`^HTTP/1.1 ${status}\r\n`));
      assert.match(head, /\r\ncontent-type: application\/json; charset=utf-8\r\n/i);
      assert.match(head, new RegExp(`\r\ncontent-length: ${body.length}(?:\r\n|$)`, 'i'));
      assert.deepEqual(JSON.parse(body), {
        data: null,
        total: 0,
        limit: 0,
        offset: 0,
        errors: [{ code, msg: message }],
      });
    }
  });
});

test('a request without Host, and one with an expectation that is not known, are refused in the form of the API', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const base = await app.listen({ host: '127.0.0.1', port: 0 });
    for (const [header, status, message] of [
      ['accept: */*', 400, 'a request in HTTP/1.1 must have a Host header'],
      [
        'host: localhost\r\nexpect: foo',
        417,
        'the expectation "foo" is not known, only 100-continue',
      ],
    ] as const) {
      const [head, body] = await ask(base, `GET /api/services HTTP/1.1\r\n${header}\r\n\r\n`);
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
      assert.match(head, /\r\ncontent-type: application\/json; charset=utf-8\r\n/i);
      assert.match(head, /\r\nx-content-type-options: nosniff\r\n/i);
      const { errors } = JSON.parse(body) as { errors: object[] };
      assert.deepEqual(errors, [{ code: status, msg: message }]);
      const [, v3] = await ask(base, `GET /api/v3/services HTTP/1.1\r\n${header}\r\n\r\n`);
      assert.deepEqual(JSON.parse(v3), { error: { httpCode: status, message } });
    }
    const [old] = await ask(base, 'GET /api/services HTTP/1.0\r\nexpect: foo\r\n\r\n');
    assert.match(old, /^HTTP\/1.1 200 OK\r\n/);
    const [continued] = await ask(
      base,
      'GET /api/services HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n',
    );
    assert.equal(continued, 'HTTP/1.1 100 Continue');
  });
});

test('a body that is too large is refused whatever is asked, and the connection goes on', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const base = await app.listen({ host: '127.0.0.1', port: 0 });
    const host = 'HTTP/1.1\r\nhost: localhost\r\n';
    const next = `GET /api/nothing ${host}connection: close\r\n\r\n`;
    const declared = (bytes: number): string =>
      `content-length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`;
    const chunked = (chunks: number): string =>
      `transfer-encoding: chunked\r\n\r\n${`400\r\n${'x'.repeat(1024)}\r\n`.repeat(chunks)}0\r\n\r\n`;
    for (const [request, body, status] of [
      ['GET /api/services', declared(65_536), 200],
      ['GET /api/services', chunked(64), 200],
      ['GET /api/services', declared(65_537), 413],
      ['GET /api/services', chunked(65), 413],
      ['GET /api/v3/services', declared(100_000), 413],
      ['GET /', chunked(100), 413],
      ['POST /api/services', declared(65_537), 413],
    ] as const) {
      const told = `${request} ${body.slice(0, 30)}`;
      const [head, answer] = await ask(base, `${request} ${host}${body}${next}`);
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `), told);
      assert.match(answer, /HTTP\/1.1 404 Not Found/, told);
      if (status !== 413) continue;
      const message = 'the body is larger than 65536 bytes, and no route reads one';
      const error = request.includes('v3')
        ? `{"error":{"httpCode":413,"message":"${message}"}}`
        : `"errors":[{"code":413,"msg":"${message}"}]}`;
      assert.ok(answer.includes(error), told);
    }
  });
});

test('a refused body that does not end is not read for ever', { timeout: 20_000 }, async () => {
  await withApi(new FixtureReader(), async (app) => {
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    for (const [header, piece] of [
      ['content-length: 1000000000', 'x'.repeat(65_536)],
      ['transfer-encoding: chunked', `10000\r\n${'x'.repeat(65_536)}\r\n`],
    ] as const) {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      const send = (): void => {
        if (!socket.destroyed) socket.write(piece, send);
      };
      socket.write(`GET /api/services HTTP/1.1\r\nhost: localhost\r\n${header}\r\n\r\n`, send);
      try {
        assert.match(String(await once(socket, 'data')), /^HTTP\/1.1 413 /);
        await new Promise((resolve) => socket.resume().on('close', resolve));
      } finally {
        socket.destroy();
      }
    }
  });
});

test(
  'a request whose head or body does not come in time is ended',
  { timeout: 20_000 },
  async () => {
    await withApi(
      new FixtureReader(),
      async (app) => {
        const base = await app.listen({ host: '127.0.0.1', port: 0 });
        const head = 'GET /api/services HTTP/1.1\r\nhost: localhost\r\n';
        const [late, body] = await ask(base, head);
        assert.match(late, /^HTTP\/1.1 408 Request Timeout\r\n/);
        const { errors } = JSON.parse(body) as { errors: object[] };
        assert.deepEqual(errors, [{ code: 408, msg: 'the request did not come in time' }]);
        const [answered] = await ask(base, `${head}content-length: 100\r\n\r\nabc`);
        assert.match(answered, /^HTTP\/1.1 200 OK\r\n/);
      },
      { requestTimeoutMs: 50 },
    );
  },
);

test('a path that cannot be read is refused without being repeated as a whole', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const long = await app.inject(`/api/services/${'x'.repeat(5000)}/operations`);
    assert.equal(long.statusCode, 414);
    assert.deepEqual(long.json<{ errors: object[] }>().errors, [
      { code: 414, msg: 'a name in the path is longer than 4096 characters' },
    ]);
    const v3 = await app.inject(`/api/v3/traces/${'1'.repeat(5000)}`);
    assert.equal(v3.statusCode, 414);
    assert.deepEqual(v3.json(), {
      error: { httpCode: 414, message: 'a name in the path is longer than 4096 characters' },
    });
    const odd = await app.inject(`/api/services/%zz${'x'.repeat(5000)}/operations`);
    assert.equal(odd.statusCode, 400);
    const [{ msg }] = odd.json<{ errors: [{ msg: string }] }>().errors;
    assert.match(msg, /^the path "\/api\/services\/%zzx+.*cannot be decoded$/);
    assert.ok(msg.length < 200);
  });
});

test('a read that takes too long is stopped and answered', async () => {
  const reader = new FixtureReader();
  reader.findTraces = (_tenant: string, _query: TraceQuery, options?: ReadOptions) =>
    new Promise((_resolve, reject) => {
      options?.signal?.addEventListener('abort', () => {
        reject(new SpoorError('cancelled', 'the read was ended'));
      });
    });
  await withApi(
    reader,
    async (app) => {
      const answer = await app.inject('/api/traces?service=x');
      assert.equal(answer.statusCode, 504);
      assert.match(
        answer.json<{ errors: { msg: string }[] }>().errors[0]!.msg,
        /nothing for 100 ms \(query\.timeout_ms\)/,
      );
    },
    { timeoutMs: 100 },
  );
});
