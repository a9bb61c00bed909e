// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FixtureReader, SHORT_TRACE, TRACE, TRACE_ID, withApi } from './testing/api-fixture.ts';

const ALL_ROUTES = [
  '/api/services',
  '/api/services/a%2Fb/operations',
  '/api/operations?service=shop',
  '/api/traces?service=shop',
  '/api/traces?service=shop&prettyPrint=true',
  `/api/traces?traceID=${TRACE_ID}`,
  '/api/trace-summaries?service=shop',
  '/api/trace-summaries?service=shop&details=true',
  `/api/traces/${TRACE_ID}`,
  '/api/dependencies',
  '/api/metrics/calls?service=shop',
  '/api/attributes',
  '/api/attributes/values?name=http.method',
  '/api/v3/services',
  '/api/v3/operations?service=shop',
  `/api/v3/traces/${TRACE_ID}`,
  '/api/v3/traces?query.service_name=shop&query.start_time_min=2023-11-14T22:00:00Z&query.start_time_max=2023-11-14T23:00:00Z',
  '/api/v3/trace-summaries?query.service_name=shop&query.start_time_min=2023-11-14T22:00:00Z&query.start_time_max=2023-11-14T23:00:00Z',
];
const WARNING =
  'this answer may be incomplete: 131072 spans in 2 blocks, starting from 2023-11-14T22:13:20.000Z ' +
  'to 2023-11-14T22:15:00.001Z, cannot be read; the log and /status say why';

function damagedReader(): FixtureReader {
  const reader = new FixtureReader(TRACE, SHORT_TRACE);
  reader.unreadableSpans = {
    blocks: 2,
    spans: 131_072,
    startMinUnixNano: 1_700_000_000_000_000_000n,
    startMaxUnixNano: 1_700_000_100_001_999_999n,
  };
  return reader;
}

type Body = Record<string, unknown> & { data?: { warnings?: unknown }[] };

test('while blocks cannot be read every answer with data says so in its warnings, and is as before but for that', async () => {
  const whole = new Map<string, Body>();
  await withApi(new FixtureReader(TRACE, SHORT_TRACE), async (app) => {
    for (const url of ALL_ROUTES) {
      const answer = await app.inject(url);
      assert.equal(answer.statusCode, 200, url + answer.body);
      whole.set(url, answer.json());
      assert.equal('warnings' in whole.get(url)!, false, url);
    }
  });
  await withApi(damagedReader(), async (app) => {
    for (const url of ALL_ROUTES) {
      const answer = await app.inject(url);
      assert.equal(answer.statusCode, 200, url);
      const { warnings, ...rest } = answer.json<Body>();
      assert.deepEqual(warnings, [WARNING], url);
      if (url.startsWith('/api/traces')) {
        for (const trace of rest.data!) {
          assert.deepEqual(trace.warnings, [WARNING], url);
          trace.warnings = null;
        }
      }
      assert.deepEqual(rest, whole.get(url), url);
    }
  });
});

test('a trace that is not found may be in what cannot be read', async () => {
  const id = '1'.repeat(32);
  await withApi(damagedReader(), async (app) => {
    const answer = await app.inject(`/api/traces/${id}`);
    assert.equal(answer.statusCode, 404);
    const { errors } = answer.json<{ errors: unknown }>();
    assert.deepEqual(errors, [{ code: 404, msg: `trace not found; ${WARNING}` }]);
    const v3 = await app.inject(`/api/v3/traces/${id}`);
    assert.equal(v3.statusCode, 404);
    assert.match(v3.body, /may be incomplete: 131072 spans/);
  });
});
