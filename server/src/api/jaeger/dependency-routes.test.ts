// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FixtureReader, withApi } from '#api/testing/api-fixture.ts';

const CALLS = {
  parent: 'shop',
  child: 'bank',
  callCount: 7,
  errorCount: 2,
  latencyMicros: { p50: 0, p95: 0, p99: 0 },
  kinds: ['call', 'messaging'],
  inferred: false,
};
const DATABASE = {
  ...CALLS,
  child: 'redis',
  callCount: 9,
  errorCount: 1,
  kinds: ['database'],
  inferred: true,
};

test('dependencies are one link for each pair, and what is inferred only when it is asked for', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const links = async (path: string): Promise<unknown> => {
      const answer = await app.inject(path);
      assert.equal(answer.statusCode, 200);
      const { data, ...rest } = answer.json<{ data: unknown }>();
      assert.deepEqual(rest, { total: 0, limit: 0, offset: 0, errors: null });
      return data;
    };
    assert.deepEqual(await links('/api/dependencies'), [CALLS]);
    assert.deepEqual(await links('/api/dependencies?inferred=true'), [CALLS, DATABASE]);
    assert.deepEqual(await links('/api/dependencies?inferred=1'), [CALLS, DATABASE]);
    assert.deepEqual(await links('/api/dependencies?inferred=TRUE'), [CALLS, DATABASE]);
    assert.deepEqual(await links('/api/dependencies?inferred=f'), [CALLS]);
    assert.deepEqual(await links('/api/dependencies?inferred='), [CALLS]);
    assert.deepEqual(await links('/api/dependencies?service=bank&inferred=true'), [CALLS]);
    assert.deepEqual(await links('/api/dependencies?service=cart'), []);
    const refused = await app.inject('/api/dependencies?inferred=maybe');
    assert.equal(refused.statusCode, 400);
    assert.match(
      refused.body,
      /unable to parse param 'inferred': \\"maybe\\" is not true or false/,
    );
  });
});

test('endTs and lookback are milliseconds, and the minutes that they touch are asked for, but for one that begins at the end', async () => {
  const reader = new FixtureReader();
  await withApi(reader, async (app) => {
    await app.inject('/api/dependencies');
    await app.inject('/api/dependencies?endTs=120000&lookback=60001');
    await app.inject('/api/dependencies?endTs=119999&lookback=59999');
    await app.inject('/api/dependencies?endTs=1000&inferred=true');
    // Windows laid end to end have each minute once.
    await app.inject('/api/dependencies?endTs=180000&lookback=60000');
    await app.inject('/api/dependencies?endTs=180001&lookback=0');
    const now = 1_700_000_000_000 / 60_000;
    assert.deepEqual(reader.ranges, [
      { fromMinute: Math.floor(now) - 24 * 60, toMinute: Math.floor(now) + 1, noInferred: true },
      { fromMinute: 0, toMinute: 2, noInferred: true },
      { fromMinute: 1, toMinute: 2, noInferred: true },
      { fromMinute: 0, toMinute: 1 },
      { fromMinute: 2, toMinute: 3, noInferred: true },
      { fromMinute: 3, toMinute: 4, noInferred: true },
    ]);
    const refused = await app.inject('/api/dependencies?lookback=1h');
    assert.equal(refused.statusCode, 400);
    assert.match(refused.body, /unable to parse param 'lookback'/);
    const late = await app.inject('/api/dependencies?endTs=15000000000000');
    assert.match(late.body, /is not a number of milliseconds of at most 13 digits"/);
  });
});
