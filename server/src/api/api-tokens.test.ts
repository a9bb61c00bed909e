// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTokens, TOKEN } from '#net/testing/test-tokens.ts';
import { FixtureReader, TRACE, withApi } from './testing/api-fixture.ts';

test('with tokens, nothing of the query port is given away without one', async () => {
  const uiDirectory = mkdtempSync(join(tmpdir(), 'spoor-ui-'));
  writeFileSync(join(uiDirectory, 'index.html'), '<title>page</title>');
  writeFileSync(join(uiDirectory, 'app.js'), 'page');
  try {
    const tokens = await startTokens({ tokens: [TOKEN], acceptBasic: true });
    await withApi(
      new FixtureReader(TRACE),
      async (app) => {
        const basic = `Basic ${Buffer.from(`me:${TOKEN}`).toString('base64')}`;
        const urls = [
          '/',
          '/trace/1',
          '/app.js',
          '/metrics',
          '/api/services',
          '/%61pi/services',
          '/api/v3/services',
        ];
        for (const url of urls) {
          const refused = await app.inject(url);
          assert.equal(refused.statusCode, 401, url);
          assert.deepEqual(refused.headers['www-authenticate'], [
            'Basic realm="Spoor", charset="UTF-8"',
            'Bearer realm="Spoor"',
          ]);
          assert.doesNotMatch(refused.body, /page|shop/);
          assert.equal((await app.inject({ url, method: 'HEAD' })).statusCode, 401, url);
          for (const authorization of [basic, `Bearer ${TOKEN}`]) {
            const answer = await app.inject({ url, headers: { authorization } });
            assert.equal(answer.statusCode, 200, url);
          }
        }
        const nowhere = await app.inject({ url: '/api/nowhere', method: 'POST' });
        assert.equal(nowhere.statusCode, 401);
        assert.equal(tokens.figures.refused.missing, urls.length * 2 + 1);
      },
      { uiDirectory, tokens },
    );
  } finally {
    rmSync(uiDirectory, { recursive: true });
  }
});

test('a token that is for a tenant reads that of this one only', async () => {
  const tokens = await startTokens({ tokens: [`${TOKEN} acme`], acceptBasic: true });
  await withApi(
    new FixtureReader(TRACE),
    async (app) => {
      const authorization = `Bearer ${TOKEN}`;
      const url = '/api/services';
      const own = await app.inject({ url, headers: { authorization } });
      assert.equal(own.statusCode, 200);
      const other = await app.inject({ url, headers: { authorization, 'x-tenant': 'globex' } });
      assert.equal(other.statusCode, 401);
      assert.equal(other.headers['www-authenticate']?.length, 2);
    },
    { tokens, tenancy: { header: 'x-tenant', tenants: [] } },
  );
});
