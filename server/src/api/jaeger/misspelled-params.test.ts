// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FixtureReader, withApi } from '#api/testing/api-fixture.ts';

test('a parameter that looks like a misspelled one is refused by every route that takes some', async () => {
  await withApi(new FixtureReader(), async (app) => {
    for (const [path, name, meant] of [
      ['/api/traces?', 'serivce', 'service'],
      ['/api/trace-summaries?', 'minSpan', 'minSpans'],
      ['/api/operations?service=x&', 'spnKind', 'spanKind'],
      ['/api/dependencies?', 'inferrd', 'inferred'],
      ['/api/dependencies?', 'lookBack', 'lookback'],
      ['/api/attributes?', 'prefx', 'prefix'],
      ['/api/attributes?', 'end_ts', 'endTs'],
      ['/api/attributes/values?name=x&', 'scop', 'scope'],
      ['/api/metrics/calls?service=x&', 'stp', 'step'],
      ['/api/metrics/errors?service=x&', 'grupByOperation', 'groupByOperation'],
      ['/api/metrics/latencies?service=x&quantile=0.5&', 'rate_per', 'ratePer'],
    ] as const) {
      const answer = await app.inject(`${path}${name}=5`);
      assert.equal(answer.statusCode, 400, answer.body);
      assert.deepEqual(answer.json<{ errors: object[] }>().errors, [
        { code: 400, msg: `unknown parameter "${name}"; did you mean ${meant}?` },
      ]);
    }
    const v3 = await app.inject('/api/v3/operations?service=x&spnKind=server');
    assert.deepEqual(v3.json(), {
      error: { httpCode: 400, message: 'unknown parameter "spnKind"; did you mean spanKind?' },
    });
  });
});

test('what Jaeger and its clients send is let pass', async () => {
  const metrics =
    'service=x&quantile=0.95&endTs=1700000000000&lookback=3600000&step=60000&ratePer=600000' +
    '&spanKind=server&groupByOperation=true&tag=a:b&prettyPrint=true';
  await withApi(new FixtureReader(), async (app) => {
    for (const path of [
      '/api/dependencies?endTs=1700000000000&lookback=3600000&prettyPrint=1&_=17000000',
      '/api/dependencies?start=1&end=2&service=shop&namespace=x',
      `/api/metrics/latencies?${metrics}`,
      `/api/metrics/calls?${metrics}`,
      `/api/metrics/errors?${metrics}`,
      '/api/metrics/minstep?service=x',
      '/api/operations?service=x&span_kind=server',
      '/api/operations?service=x&spanKind=',
      '/api/traces?service=x&operation=y&tag=a:b&tags={"c":"d"}&start=1&end=2&lookback=1h&limit=20' +
        '&minDuration=1ms&maxDuration=1s&raw=true',
    ]) {
      const answer = await app.inject(path);
      assert.equal(answer.statusCode, 200, answer.body);
    }
  });
});
