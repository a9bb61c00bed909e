// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf, FixtureReader, ROOT, TRACE_ID, withApi } from '#api/testing/api-fixture.ts';

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
