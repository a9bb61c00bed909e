// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FixtureReader, TRACE, withApi } from './testing/api-fixture.ts';

async function statusesOf(
  knownHosts: readonly string[] | undefined,
  hosts: readonly string[],
): Promise<number[]> {
  const statuses: number[] = [];
  const options = knownHosts === undefined ? {} : { knownHosts };
  await withApi(
    new FixtureReader(TRACE),
    async (app) => {
      for (const host of hosts) {
        const answer = await app.inject({ url: '/api/services', headers: { host } });
        statuses.push(answer.statusCode);
      }
    },
    options,
  );
  return statuses;
}

const HERE = [
  '127.0.0.1:16686',
  'localhost',
  'LOCALHOST:1',
  '[::1]:16686',
  'a.localhost',
  '10.0.0.7',
];
const ELSEWHERE = [
  'evil.example',
  'evil.example:16686',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
];

test('a server that is for this machine answers by no name that may point to it by chance', async () => {
  assert.deepEqual(
    await statusesOf([], HERE),
    HERE.map(() => 200),
  );
  assert.deepEqual(
    await statusesOf([], ELSEWHERE),
    ELSEWHERE.map(() => 403),
  );
});

test('names are known by configuration, or are not looked at', async () => {
  const own = ['traces.example', 'TRACES.example:443', 'evil.example'];
  assert.deepEqual(await statusesOf(['traces.example'], own), [200, 200, 403]);
  assert.deepEqual(
    await statusesOf(['*'], ELSEWHERE),
    ELSEWHERE.map(() => 200),
  );
  assert.deepEqual(
    await statusesOf(undefined, ELSEWHERE),
    ELSEWHERE.map(() => 200),
  );
});

test('the page is refused as well, and what is said names the key', async () => {
  await withApi(
    new FixtureReader(TRACE),
    async (app) => {
      const answer = await app.inject({ url: '/', headers: { host: 'evil.example' } });
      assert.equal(answer.statusCode, 403);
      assert.match(
        answer.body,
        /\\"evil\.example\\" is no name of this server.*query\.http\.allowed_hosts/,
      );
    },
    { knownHosts: [] },
  );
});
