// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '#net/testing/raw-request.ts';
import { FixtureReader, listen, TRACE, withApi } from './testing/api-fixture.ts';

test('the longest TraceQL fits into a request, and what is longer than a request may be is refused in the form of the API', async () => {
  const reader = new FixtureReader(TRACE);
  await withApi(reader, async (app) => {
    const port = await listen(app);
    const q = `{ name = "${'€'.repeat(8192 - 13)}" }`;
    const fits = await fetch(
      `http://127.0.0.1:${port}/api/trace-summaries?q=${encodeURIComponent(q)}&service=shop`,
    );
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
      const [head, body] = await ask(port, request);
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
    const port = await listen(app);
    for (const [header, status, message] of [
      ['accept: */*', 400, 'a request in HTTP/1.1 must have a Host header'],
      ['host: localhost\r\nexpect: foo', 417, 'expectation "foo" is not known, only 100-continue'],
    ] as const) {
      const [head, body] = await ask(port, `GET /api/services HTTP/1.1\r\n${header}\r\n\r\n`);
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
      assert.match(head, /\r\ncontent-type: application\/json; charset=utf-8\r\n/i);
      assert.match(head, /\r\nx-content-type-options: nosniff\r\n/i);
      const { errors } = JSON.parse(body) as { errors: object[] };
      assert.deepEqual(errors, [{ code: status, msg: message }]);
      const [, v3] = await ask(port, `GET /api/v3/services HTTP/1.1\r\n${header}\r\n\r\n`);
      assert.deepEqual(JSON.parse(v3), { error: { httpCode: status, message } });
    }
    const [old] = await ask(port, 'GET /api/services HTTP/1.0\r\nexpect: foo\r\n\r\n');
    assert.match(old, /^HTTP\/1.1 200 OK\r\n/);
    const [continued] = await ask(
      port,
      'GET /api/services HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n',
    );
    assert.equal(continued, 'HTTP/1.1 100 Continue');
  });
});

test(
  'a request whose head or body does not come in time is ended',
  { timeout: 20_000 },
  async () => {
    await withApi(
      new FixtureReader(),
      async (app) => {
        const port = await listen(app);
        const head = 'GET /api/services HTTP/1.1\r\nhost: localhost\r\n';
        const [late, body] = await ask(port, head);
        assert.match(late, /^HTTP\/1.1 408 Request Timeout\r\n/);
        const { errors } = JSON.parse(body) as { errors: object[] };
        assert.deepEqual(errors, [{ code: 408, msg: 'the request did not come in time' }]);
        const [answered] = await ask(port, `${head}content-length: 100\r\n\r\nabc`);
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
