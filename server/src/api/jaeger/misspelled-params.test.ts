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

test('a name that the other API has is refused like a misspelled one', async () => {
  const window = 'query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2027-01-01T00:00:00Z&';
  await withApi(new FixtureReader(), async (app) => {
    for (const [path, name, meant] of [
      ['/api/traces?', 'serviceName', 'service'],
      ['/api/traces?', 'query.service_name', 'service'],
      ['/api/traces?', 'query.operationName', 'operation'],
      ['/api/traces?', 'attributes', 'tags'],
      ['/api/traces?', 'query.start_time_min', 'start'],
      ['/api/traces?', 'startTimeMax', 'end'],
      ['/api/traces?', 'durationMin', 'minDuration'],
      ['/api/trace-summaries?', 'query.durationMax', 'maxDuration'],
      ['/api/trace-summaries?', 'query.search_depth', 'limit'],
      ['/api/trace-summaries?', 'numTraces', 'limit'],
      ['/api/trace-summaries?', 'query.limit', 'limit'],
      ['/api/trace-summaries?', 'query.q', 'q'],
      ['/api/dependencies?', 'serviceName', 'service'],
      ['/api/operations?', 'query.service_name', 'service'],
      [`/api/v3/traces?${window}`, 'service', 'query.serviceName'],
      [`/api/v3/traces?${window}`, 'query.operation', 'query.operationName'],
      [`/api/v3/traces?${window}`, 'tag', 'query.attributes'],
      [`/api/v3/traces?${window}`, 'tags', 'query.attributes'],
      [`/api/v3/traces?${window}`, 'start', 'query.startTimeMin'],
      [`/api/v3/traces?${window}`, 'end', 'query.startTimeMax'],
      [`/api/v3/traces?${window}`, 'minDuration', 'query.durationMin'],
      [`/api/v3/trace-summaries?${window}`, 'max_duration', 'query.durationMax'],
      [`/api/v3/trace-summaries?${window}`, 'limit', 'query.searchDepth'],
      [`/api/v3/trace-summaries?${window}`, 'q', 'query.q'],
      [`/api/v3/trace-summaries?${window}`, 'serviceName', 'query.serviceName'],
    ] as const) {
      const { statusCode, body } = await app.inject(`${path}${name}=5`);
      assert.equal(statusCode, 400, `${path}${name}`);
      const message = JSON.stringify(`unknown parameter "${name}"; did you mean ${meant}?`);
      assert.ok(body.includes(message), body);
    }
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
