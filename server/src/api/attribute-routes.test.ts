// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FixtureReader, withApi } from './testing/api-fixture.ts';

function envelope(data: unknown, total: number): object {
  return { data, total, limit: 0, offset: 0, errors: null };
}

const COUNTED = { startUnixMs: 5, endUnixMs: 8 };

test('names and values of attributes come with counts and with what they were counted over', async () => {
  const reader = new FixtureReader();
  await withApi(reader, async (app) => {
    const names = await app.inject('/api/attributes?prefix=h&limit=2&endTs=10000&lookback=4000');
    const attributes = [
      { scope: 'span', name: 'http.method', count: 9 },
      { scope: 'resource', name: 'host.name', count: 4 },
    ];
    assert.deepEqual(names.json(), envelope({ attributes, complete: true, ...COUNTED }, 2));
    const values = await app.inject('/api/attributes/values?name=a/b&scope=resource');
    const list = [{ value: 'GET', type: 'string', count: 9 }];
    assert.deepEqual(values.json(), envelope({ values: list, complete: false, ...COUNTED }, 1));
    assert.deepEqual(reader.attributeQueries, [
      {
        prefix: 'h',
        limit: 2,
        startMinUnixNano: 6_000_000_000n,
        startMaxUnixNano: 10_001_000_000n,
      },
      {
        prefix: '',
        limit: 100,
        startMinUnixNano: 1_699_913_600_000_000_000n,
        startMaxUnixNano: 1_700_000_000_001_000_000n,
        scope: 'resource',
        name: 'a/b',
      },
    ]);
  });
});

test('a question for attributes that makes no sense is refused', async () => {
  await withApi(new FixtureReader(), async (app) => {
    for (const [path, message] of [
      ['/api/attributes?limit=0', `unable to parse param 'limit'`],
      ['/api/attributes?limit=1001', `unable to parse param 'limit'`],
      ['/api/attributes?lookback=1h', `unable to parse param 'lookback'`],
      ['/api/attributes/values', `parameter 'name' is required`],
      ['/api/attributes/values?name=a&scope=event', `unable to parse param 'scope'`],
    ] as const) {
      const answer = await app.inject(path);
      assert.equal(answer.statusCode, 400, path);
      assert.ok(answer.body.includes(message), path);
    }
  });
});
