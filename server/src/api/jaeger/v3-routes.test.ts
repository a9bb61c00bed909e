// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  batchOf,
  FixtureReader,
  ROOT,
  SHORT_TRACE,
  TRACE,
  TRACE_ID,
  withApi,
} from '#api/testing/api-fixture.ts';

test('api_v3 gives back every bit of the spans that were sent', async () => {
  const resourceSpans = [
    {
      resource: {
        attributes: [{ key: 'service.name', value: { stringValue: 'full' } }],
        droppedAttributesCount: 1,
      },
      schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
      scopeSpans: [
        {
          scope: {
            name: 'lib',
            version: '2',
            attributes: [{ key: 's', value: { boolValue: true } }],
            droppedAttributesCount: 2,
          },
          schemaUrl: 'https://example.com/scope',
          spans: [
            {
              ...ROOT,
              traceState: 'a=1,b=2',
              parentSpanId: '00000000000000ff',
              flags: 769,
              kind: 5,
              startTimeUnixNano: '1700000000000000001',
              endTimeUnixNano: '18446744073709551615',
              attributes: [
                { key: 'i', value: { intValue: '-9223372036854775808' } },
                { key: 'd', value: { doubleValue: 0.1 } },
                { key: 'inf', value: { doubleValue: '-Infinity' } },
                { key: 'b', value: { bytesValue: '/wAB' } },
                { key: 'empty', value: {} },
                { key: 'absent' },
                { key: 'twice', value: { stringValue: '1' } },
                { key: 'twice', value: { stringValue: '2' } },
                {
                  key: 'nested',
                  value: {
                    kvlistValue: {
                      values: [
                        { key: 'a', value: { arrayValue: { values: [{ intValue: '1' }, {}] } } },
                        { key: 'none', value: { arrayValue: {} } },
                      ],
                    },
                  },
                },
              ],
              droppedAttributesCount: 3,
              events: [
                {
                  timeUnixNano: '1700000000000000002',
                  name: 'e',
                  attributes: [{ key: 'k', value: { stringValue: '' } }],
                  droppedAttributesCount: 4,
                },
                { timeUnixNano: '0' },
              ],
              droppedEventsCount: 5,
              links: [
                {
                  traceId: 'f'.repeat(32),
                  spanId: 'e'.repeat(16),
                  traceState: 'c=3',
                  attributes: [{ key: 'l', value: { intValue: '7' } }],
                  droppedAttributesCount: 6,
                  flags: 1,
                },
              ],
              droppedLinksCount: 7,
              status: { message: 'no', code: 2 },
            },
          ],
        },
        { spans: [{ ...ROOT, status: {} }] },
      ],
    },
    { scopeSpans: [{ scope: {}, spans: [ROOT] }] },
  ];
  await withApi(new FixtureReader(batchOf(...resourceSpans)), async (app) => {
    const answer = await app.inject(`/api/v3/traces/${TRACE_ID}`);
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
    assert.deepEqual(answer.json(), { result: { resourceSpans } });
  });
});

test('api_v3 groups spans of few resources and keeps the order where there are many', async () => {
  const spansOf = (resources: number): object[] =>
    Array.from({ length: 300 }, (_, i) => ({
      resource: { attributes: [{ key: 'n', value: { intValue: String(i % resources) } }] },
      scopeSpans: [{ spans: [{ ...ROOT, spanId: (i + 1).toString(16).padStart(16, '0') }] }],
    }));
  type Answer = { result: { resourceSpans: { scopeSpans: { spans: unknown[] }[] }[] } };
  const read = async (resources: number): Promise<[groups: number, spans: number]> => {
    let counts: [number, number] = [0, 0];
    await withApi(new FixtureReader(batchOf(...spansOf(resources))), async (app) => {
      const { resourceSpans } = (await app.inject(`/api/v3/traces/${TRACE_ID}`)).json<Answer>()
        .result;
      const spans = resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
      counts = [resourceSpans.length, spans.length];
    });
    return counts;
  };
  assert.deepEqual(await read(3), [3, 300]);
  assert.deepEqual(await read(100), [300, 300]);
});

test('a search of api_v3 has the spans of all traces in one result, or is answered with 404', async () => {
  const window = 'query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2027-01-01T00:00:00Z';
  const reader = new FixtureReader(TRACE, SHORT_TRACE);
  type Answer = {
    result: { resourceSpans: { scopeSpans: { spans: { traceId: string }[] }[] }[] };
    nextPage?: string;
  };
  await withApi(reader, async (app) => {
    const answer = await app.inject(`/api/v3/traces?${window}`);
    const { result, nextPage } = answer.json<Answer>();
    const spans = result.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
    const short = '0000000000000000a3ce929d0e0e4736';
    assert.deepEqual(
      spans.map(({ traceId }) => traceId),
      [TRACE_ID, TRACE_ID, short, short],
    );
    assert.equal(nextPage, undefined);
    const page = await app.inject(`/api/v3/traces?${window}&query.search_depth=1&prettyPrint=1`);
    assert.equal(page.body, JSON.stringify(page.json(), null, 4));
    const token = page.json<Answer>().nextPage!;
    await app.inject(`/api/v3/traces?${window}&query.page=${token}`);
    assert.equal(reader.queries.at(-1)?.after?.traceId, TRACE_ID);
  });
  await withApi(new FixtureReader(), async (app) => {
    const answer = await app.inject(`/api/v3/traces?${window}`);
    assert.equal(answer.statusCode, 404);
    assert.deepEqual(answer.json(), { error: { httpCode: 404, message: 'No traces found' } });
    const summaries = await app.inject(`/api/v3/trace-summaries?${window}`);
    assert.deepEqual(summaries.json(), { summaries: [] });
  });
});
