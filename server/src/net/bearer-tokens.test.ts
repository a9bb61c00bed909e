// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Tenancy } from './tenancy.ts';
import { startTokens, TOKEN } from './testing/test-tokens.ts';

const OTHER = 'AnotherToken/with+all~signs._-==';
const REFUSED = { code: 'unauthenticated' };

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

test('a request is let in with one of the tokens and with nothing else', async () => {
  const tokens = await startTokens({ tokens: [TOKEN, OTHER] });
  for (const good of [`Bearer ${TOKEN}`, `bearer ${OTHER}`, `BEARER  ${TOKEN} `]) {
    assert.deepEqual(tokens.grantOf(good), { tenants: new Set() });
  }
  for (const missing of [undefined, '', 7]) assert.throws(() => tokens.grantOf(missing), REFUSED);
  const wrong = [
    TOKEN,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN}, Bearer ${OTHER}`,
    `Digest ${TOKEN}`,
    basic('me', TOKEN),
  ];
  for (const header of wrong) {
    assert.throws(() => tokens.grantOf(header), {
      ...REFUSED,
      message: 'the token is not known here',
    });
  }
  assert.deepEqual(tokens.figures.refused, { missing: 3, wrong: wrong.length, wrong_tenant: 0 });
  assert.deepEqual(tokens.challenges, ['Bearer realm="Spoor"']);
});

test('where a browser asks for it, a token is the password of any user', async () => {
  const tokens = await startTokens({ tokens: [TOKEN], acceptBasic: true });
  for (const user of ['', 'me', '我']) tokens.grantOf(basic(user, TOKEN));
  tokens.grantOf(`Bearer ${TOKEN}`);
  for (const header of [basic('me', `${TOKEN}:`), basic(TOKEN, ''), 'Basic ', 'Basic !']) {
    assert.throws(() => tokens.grantOf(header), REFUSED);
  }
  assert.equal(tokens.challenges.length, 2);
});

test('tokens come from a file, which is read again, and stay as they were when it is broken', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-tokens-'));
  try {
    const file = join(directory, 'tokens');
    writeFileSync(file, `# of the agents\n\n${TOKEN}\r\n  ${OTHER} acme,globex\n`);
    const log: string[] = [];
    const tokens = await startTokens({ tokens: [], tokensFile: file }, log);
    assert.equal(tokens.grantOf(`Bearer ${TOKEN}`).tenants.size, 0);
    assert.deepEqual(tokens.grantOf(`Bearer ${OTHER}`).tenants, new Set(['acme', 'globex']));

    writeFileSync(file, `${OTHER}\n${TOKEN.slice(0, 10)}\n`);
    await tokens.reload();
    await tokens.reload();
    tokens.grantOf(`Bearer ${TOKEN}`);
    assert.equal(tokens.figures.failedReloads, 1);
    assert.match(
      log[0]!,
      /list of tokens cannot be used.*auth\.test\.tokens_file: line 2 is not a token/,
    );
    assert.ok(!log[0]!.includes(TOKEN.slice(0, 10)));

    writeFileSync(file, OTHER);
    await tokens.reload();
    assert.throws(() => tokens.grantOf(`Bearer ${TOKEN}`), REFUSED);
    assert.equal(tokens.figures.tokens, 1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('what is no token ends the start, and is not repeated', async () => {
  const short = 'only-15-letters';
  for (const bad of [short, '', `${TOKEN} a b`, `${TOKEN} ../x`, `${TOKEN}é`]) {
    await assert.rejects(startTokens({ tokens: [TOKEN, bad] }), (error: Error) => {
      assert.match(error.message, /^auth\.test\.tokens: entry 2 is not a token/);
      assert.ok(bad === '' || !error.message.includes(bad));
      return true;
    });
  }
  await assert.rejects(startTokens({ tokensFile: '/nonexistent' }), {
    message: /^auth\.test\.tokens_file: there is no such file: \/nonexistent$/,
  });
});

test('a token of tenants opens these, names the tenant where it is one, and others open all', async () => {
  const tokens = await startTokens({
    tokens: [
      `${TOKEN} acme`,
      `${OTHER} acme,globex`,
      'token-of-everybody',
      'token-of-default-00 default',
    ],
  });
  const tenancy = new Tenancy({ header: 'X-Tenant', tenants: [] }, tokens);
  const tenantOf = (token: string, tenant?: string, of = tenancy): string =>
    of.tenantOf((header) => (header === 'authorization' ? `Bearer ${token}` : tenant));
  assert.equal(tenantOf(TOKEN, 'acme'), 'acme');
  assert.equal(tenantOf(TOKEN), 'acme');
  assert.equal(tenantOf(OTHER, 'globex'), 'globex');
  assert.equal(tenantOf('token-of-everybody', 'initech'), 'initech');
  for (const [token, tenant] of [
    [TOKEN, 'globex'],
    [OTHER, 'initech'],
  ] as const) {
    assert.throws(() => tenantOf(token, tenant), {
      ...REFUSED,
      message: 'the token is not for this tenant',
    });
  }
  assert.throws(() => tenantOf(OTHER), { message: /names the tenant, is missing/ });
  assert.throws(() => tenantOf('token-of-everybody'), { message: /names the tenant, is missing/ });
  assert.throws(() => tenancy.tenantOf(() => undefined), { message: /"authorization"/ });
  // Without tenancy there is one tenant.
  const off = new Tenancy(undefined, tokens);
  assert.throws(() => tenantOf(TOKEN, undefined, off), REFUSED);
  assert.equal(tenantOf('token-of-default-00', undefined, off), 'default');
  assert.equal(tokens.figures.refused.wrong_tenant, 3);
});

test('tokens of tenants that are not let in are warned of, since they open nothing', async () => {
  const log: string[] = [];
  await startTokens({ tokens: [`${TOKEN} acme`, OTHER], knownTenants: ['acme'] }, log);
  await startTokens({ tokens: [`${TOKEN} acme`], knownTenants: [] }, log);
  assert.deepEqual(log, []);
  const tokens = [`${TOKEN} acme,default`, `${OTHER} globex`];
  await startTokens({ tokens, knownTenants: ['default'] }, log);
  assert.deepEqual(log, [
    'auth.test: tokens are for tenants that are not let in: acme, globex; see tenancy.enabled and tenancy.tenants',
  ]);
});

test('who is refused is in the log, once in a while for each reason, and without the token', async () => {
  const log: string[] = [];
  const tokens = await startTokens({ tokens: [TOKEN] }, log);
  for (let i = 0; i < 3; i++) {
    assert.throws(() => tokens.grantOf(`Bearer ${OTHER}`, '127.0.0.1'), REFUSED);
    assert.throws(() => tokens.grantOf(undefined, '127.0.0.1'), REFUSED);
  }
  assert.deepEqual(log, [
    'auth.test: request refused: the token is not known here',
    'auth.test: request refused: header "authorization" with a token is missing',
  ]);
  // A browser comes without one first.
  const page = await startTokens({ tokens: [TOKEN], acceptBasic: true }, log);
  assert.throws(() => page.grantOf(undefined), REFUSED);
  assert.equal(log.length, 2);
});
