// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketStartNanos } from '@spoor/core/analysis/latency-bucket.ts';
import { FixtureReader, withApi } from '#api/testing/api-fixture.ts';

interface FamilyJson {
  name: string;
  type: string;
  help: string;
  metrics: {
    labels: { name: string; value: string }[];
    metricPoints: { gaugeValue: { doubleValue: number | string }; timestamp: string }[];
  }[];
}

/** Minutes 999 to 1,004 in steps of one, each over two minutes. */
const WINDOW = `endTs=${1004 * 60_000}&lookback=${5 * 60_000}&step=60000&ratePer=120000`;

function values({ metrics }: FamilyJson): (number | string)[] {
  return metrics[0]!.metricPoints.map(({ gaugeValue }) => gaugeValue.doubleValue);
}

async function ask(path: string, reader = new FixtureReader()): Promise<FamilyJson> {
  let family: FamilyJson | undefined;
  await withApi(reader, async (app) => {
    const answer = await app.inject(`/api/metrics/${path}`);
    assert.equal(answer.statusCode, 200, answer.body);
    family = answer.json<FamilyJson>();
  });
  return family!;
}

test('call rates are calls a second over the minutes that end with the point', async () => {
  const reader = new FixtureReader();
  const family = await ask(`calls?service=shop&${WINDOW}`, reader);
  assert.deepEqual(family, {
    name: 'service_call_rate',
    type: 'GAUGE',
    help: 'calls/sec, grouped by service',
    metrics: [
      {
        labels: [{ name: 'service_name', value: 'shop' }],
        metricPoints: [0, 2, 2, 0, 4, 4].map((calls, i) => ({
          gaugeValue: { doubleValue: calls / 120 },
          timestamp: `1970-01-01T16:${39 + i}:00Z`,
        })),
      },
    ].map((metric) => ({
      ...metric,
      metricPoints: metric.metricPoints.map((point, i) => ({
        ...point,
        timestamp: new Date((999 + i) * 60_000).toISOString().replace('.000Z', 'Z'),
      })),
    })),
  });
  assert.deepEqual(reader.metricsQueries, [
    { services: ['shop'], kinds: [2], byOperation: false, fromMinute: 998, toMinute: 1005 },
  ]);
});

test('spans without a service are asked for by the name that stands for none', async () => {
  const reader = new FixtureReader();
  const { metrics } = await ask(`calls?service=missing-service-name&${WINDOW}`, reader);
  assert.deepEqual(reader.metricsQueries[0]!.services, ['', 'missing-service-name']);
  assert.deepEqual(metrics[0]!.labels, [{ name: 'service_name', value: 'missing-service-name' }]);
});

test('error rates are the part of the calls that failed, and not a number where there was no call', async () => {
  const family = await ask(`errors?service=shop&groupByOperation=true&${WINDOW}`);
  assert.equal(family.name, 'service_operation_error_rate');
  assert.equal(
    family.help,
    'error rate, computed as a fraction of errors/sec over calls/sec, grouped by service & operation',
  );
  assert.deepEqual(family.metrics[0]!.labels, [
    { name: 'operation', value: 'GET /' },
    { name: 'service_name', value: 'shop' },
  ]);
  assert.deepEqual(values(family), ['NaN', 0.5, 0.5, 'NaN', 0, 0]);
});

test('latencies are a quantile in ms', async () => {
  const family = await ask(`latencies?service=shop&service=none&quantile=0.95&${WINDOW}`);
  assert.equal(family.name, 'service_latencies');
  assert.equal(family.help, '0.95th quantile latency, grouped by service');
  assert.equal(family.metrics.length, 1);
  const middle = (bucket: number): number =>
    (bucketStartNanos(bucket) + bucketStartNanos(bucket + 1)) / 2e6;
  assert.deepEqual(values(family), [
    'NaN',
    middle(300),
    middle(300),
    'NaN',
    middle(320),
    middle(320),
  ]);
});

test('metrics are indented where that is asked for', async () => {
  await withApi(new FixtureReader(), async (app) => {
    for (const service of ['shop', 'none']) {
      const path = `/api/metrics/errors?service=${service}&groupByOperation=true`;
      const plain = await app.inject(path);
      const pretty = await app.inject(`${path}&prettyPrint=true`);
      assert.equal(plain.body, JSON.stringify(plain.json()));
      assert.deepEqual(pretty.json(), plain.json());
      if (service === 'shop') assert.equal(pretty.body, JSON.stringify(plain.json(), null, 4));
    }
  });
});

test('what is left out of a question for metrics is as in Jaeger', async () => {
  const reader = new FixtureReader();
  const family = await ask(
    'calls?service=a&service=a&service=b&spanKind=client&spanKind=SPAN_KIND_SERVER',
    reader,
  );
  assert.equal(family.metrics.length, 2);
  assert.equal(family.metrics[0]!.metricPoints.length, 3600 / 5 + 1);
  const now = Math.floor(1_700_000_000_000 / 60_000);
  assert.deepEqual(reader.metricsQueries, [
    {
      services: ['a', 'b'],
      kinds: [3, 2],
      byOperation: false,
      fromMinute: now - 60 - 9,
      toMinute: now + 1,
    },
  ]);
});

test('a question for metrics that makes no sense is refused', async () => {
  await withApi(new FixtureReader(), async (app) => {
    for (const [path, message] of [
      ['calls', 'please provide at least one service name'],
      ['latencies?service=a', `unable to parse param 'quantile'`],
      ['latencies?service=a&quantile=1.5', `unable to parse param 'quantile'`],
      ['calls?service=a&spanKind=web', `unable to parse param 'spanKind'`],
      ['calls?service=a&step=0', `unable to parse param 'step'`],
      ['calls?service=a&step=1', 'over 11000'],
      ['errors?service=a&ratePer=1m', `unable to parse param 'ratePer'`],
    ] as const) {
      const answer = await app.inject(`/api/metrics/${path}`);
      assert.equal(answer.statusCode, 400, path);
      assert.ok(
        answer.json<{ errors: { msg: string }[] }>().errors[0]!.msg.includes(message),
        path,
      );
    }
  });
});

test('the least step is the minute in which spans are counted', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const answer = await app.inject('/api/metrics/minstep');
    assert.deepEqual(answer.json(), { data: 60_000, total: 0, limit: 0, offset: 0, errors: null });
  });
});

test('prettyPrint indents the same family by four', async () => {
  await withApi(new FixtureReader(), async (app) => {
    for (const services of ['service=none', 'service=shop&service=bank&groupByOperation=true']) {
      const path = `/api/metrics/calls?${services}&${WINDOW}`;
      const plain = await app.inject(path);
      const pretty = await app.inject(`${path}&prettyPrint=true`);
      assert.equal(plain.body, JSON.stringify(plain.json()));
      assert.equal(pretty.body, JSON.stringify(plain.json(), null, 4));
    }
  });
});
