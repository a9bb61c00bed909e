// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, type Tenant, type TraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { MemoryStore } from '#storage/memory/memory-store.ts';
import type { ReadOptions } from '#storage/tracestore.ts';
import { batchOf, withApi } from '#api/testing/api-fixture.ts';

/** A store that remembers which traces were read whole. */
class WatchedStore extends MemoryStore {
  readonly read: TraceId[] = [];

  override getTraces(
    tenant: Tenant,
    ids: readonly TraceId[],
    options?: ReadOptions,
  ): AsyncGenerator<SpanBatch, void, undefined> {
    this.read.push(...ids);
    return super.getTraces(tenant, ids, options);
  }
}

/** When all test spans are, in ns; the API's clock says so as well. */
const NOW = 1_700_000_000_000_000_000n;

const traceId = (digit: string): string => digit.repeat(32);

/** A span of trace `digit`; `begin` and `end` in ns. */
function spanOf(digit: string, id: number, parent: number, begin: number, end: number): object {
  const hex = (number: number): string => number.toString(16).padStart(16, '0');
  return {
    traceId: traceId(digit),
    spanId: hex(id),
    ...(parent === 0 ? {} : { parentSpanId: hex(parent) }),
    name: `span ${id}`,
    startTimeUnixNano: String(NOW - 1_000_000n + BigInt(begin)),
    endTimeUnixNano: String(NOW - 1_000_000n + BigInt(end)),
  };
}

function batchOfServices(services: Readonly<Record<string, readonly object[]>>): SpanBatch {
  return batchOf(
    ...Object.entries(services).map(([name, spans]) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: name } }] },
      scopeSpans: [{ spans }],
    })),
  );
}

/** A trace with a root, of 10 ns, in which the bank takes 4. */
const ROOTED = batchOfServices({
  shop: [spanOf('a', 1, 0, 30, 40)],
  bank: [{ ...spanOf('a', 2, 1, 32, 36), status: { code: 2 } }],
});
/** A trace whose root is missing. */
const ROOTLESS = batchOfServices({
  shop: [spanOf('b', 3, 9, 21, 25)],
  bank: [spanOf('b', 2, 9, 20, 23), spanOf('b', 4, 3, 21, 25)],
});
/** A trace of one service and 500,000 ns: a root, and children one after the other. */
function longTrace(digit: string, spanCount: number, begin: number): SpanBatch {
  const root = spanOf(digit, 1, 0, begin, begin + 500_000);
  const children = Array.from({ length: spanCount - 1 }, (_, i) =>
    spanOf(digit, i + 2, 1, begin + i, begin + i + 1),
  );
  return batchOfServices({ shop: [root, ...children] });
}

async function storeOf(...batches: SpanBatch[]): Promise<WatchedStore> {
  const store = new WatchedStore();
  await store.start();
  for (const batch of batches) await store.write(DEFAULT_TENANT, batch);
  return store;
}

/** Of {@link ROOTED}, with details. */
const ROOTED_JSON = {
  traceId: traceId('a'),
  rootServiceName: 'shop',
  rootOperationName: 'span 1',
  minStartTimeUnixNano: String(NOW - 999_970n),
  maxEndTimeUnixNano: String(NOW - 999_960n),
  spanCount: 2,
  errorSpanCount: 1,
  services: [
    { name: 'bank', spanCount: 1, errorSpanCount: 1, selfTimeNano: '4' },
    { name: 'shop', spanCount: 1, selfTimeNano: '6' },
  ],
};
/** Of {@link ROOTLESS}. */
const ROOTLESS_JSON = {
  traceId: traceId('b'),
  rootServiceName: '',
  rootOperationName: '',
  firstServiceName: 'bank',
  firstOperationName: 'span 2',
  minStartTimeUnixNano: String(NOW - 999_980n),
  maxEndTimeUnixNano: String(NOW - 999_975n),
  spanCount: 3,
  services: [
    { name: 'bank', spanCount: 2, selfTimeNano: '7' },
    { name: 'shop', spanCount: 1, selfTimeNano: '0' },
  ],
};

function answerOf(...data: object[]): object {
  return { data, total: 0, limit: 0, offset: 0, errors: null };
}

test('with details a summary tells self times, and what stands first where the root is missing', async () => {
  await withApi(await storeOf(ROOTED, ROOTLESS), async (app) => {
    const answer = await app.inject('/api/trace-summaries?details=true');
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
    assert.equal(answer.body, JSON.stringify(answerOf(ROOTED_JSON, ROOTLESS_JSON)));
    const pretty = await app.inject('/api/trace-summaries?details=1&prettyPrint=true');
    assert.equal(pretty.body, JSON.stringify(answerOf(ROOTED_JSON, ROOTLESS_JSON), null, 4));
    const none = await app.inject('/api/trace-summaries?details=true&service=unknown');
    assert.equal(none.body, JSON.stringify(answerOf()));
  });
});

test('without details nothing is read for them', async () => {
  const store = await storeOf(ROOTED, ROOTLESS);
  await withApi(store, async (app) => {
    const plain = await app.inject('/api/trace-summaries');
    assert.ok(!/selfTimeNano|firstServiceName|firstOperationName/.test(plain.body));
    for (const flag of ['details=false', 'details=', 'details=0']) {
      const answer = await app.inject(`/api/trace-summaries?${flag}`);
      assert.equal(answer.body, plain.body);
    }
    assert.deepEqual(store.read, []);
  });
});

test('pages with details are the same pages', async () => {
  await withApi(await storeOf(ROOTED, ROOTLESS), async (app) => {
    const search = '/api/trace-summaries?order=longest&limit=1';
    const plain = await app.inject(search);
    const first = await app.inject(`${search}&details=true`);
    const { nextPage } = plain.json<{ nextPage: string }>();
    assert.equal(first.body, JSON.stringify({ ...answerOf(ROOTED_JSON), nextPage }));
    const second = await app.inject(`${search}&details=true&page=${nextPage}`);
    assert.equal(second.body, JSON.stringify(answerOf(ROOTLESS_JSON)));
  });
});

test('summaries of traces by id have the same details', async () => {
  await withApi(await storeOf(ROOTED, ROOTLESS), async (app) => {
    const ids = ['b', 'e', 'a'].map((digit) => `traceID=${traceId(digit)}`).join('&');
    const answer = await app.inject(`/api/trace-summaries?${ids}&details=true`);
    assert.deepEqual(answer.json(), {
      ...answerOf(ROOTLESS_JSON, ROOTED_JSON),
      errors: [{ msg: 'trace not found', traceID: traceId('e') }],
    });
    const plain = await app.inject(`/api/trace-summaries?${ids}`);
    assert.ok(!/selfTimeNano|firstServiceName/.test(plain.body));
  });
});

test('a trace of more than 20,000 spans has no details, and is not read for them', async () => {
  const longest = longTrace('c', 20_000, 0);
  const tooLong = longTrace('d', 20_001, 25);
  const store = await storeOf(tooLong, ROOTED, longest, ROOTLESS);
  await withApi(store, async (app) => {
    type Answer = { data: { traceId: string; services: { selfTimeNano?: string }[] }[] };
    const selfTimes = (answer: Answer): object =>
      Object.fromEntries(
        answer.data.map((one) => [one.traceId, one.services.map((part) => part.selfTimeNano)]),
      );
    const expected = {
      [traceId('a')]: ['4', '6'],
      [traceId('d')]: [undefined],
      [traceId('b')]: ['7', '0'],
      [traceId('c')]: ['500000'],
    };
    const found = await app.inject('/api/trace-summaries?details=true');
    assert.deepEqual(selfTimes(found.json()), expected);
    assert.deepEqual(store.read, ['a', 'b', 'c'].map(traceId));
    assert.deepEqual(
      found.json<Answer>().data.map((one) => one.traceId),
      ['a', 'd', 'b', 'c'].map(traceId),
    );
    const ids = ['a', 'b', 'c', 'd'].map((digit) => `traceID=${traceId(digit)}`).join('&');
    const asked = await app.inject(`/api/trace-summaries?details=true&${ids}`);
    assert.deepEqual(selfTimes(asked.json()), expected);
  });
});

test('a trace that was deleted or has become too long since it was found has no details', async () => {
  const store = await storeOf(ROOTED, ROOTLESS, longTrace('c', 10, 0));
  store.getTraces = async function* () {
    yield batchOfServices({ shop: [spanOf('a', 1, 0, 30, 40), spanOf('a', 5, 1, 30, 31)] });
    yield longTrace('c', 20_001, 0);
  };
  await withApi(store, async (app) => {
    const answer = await app.inject('/api/trace-summaries?details=true');
    const { data } = answer.json<{ data: { traceId: string; services: object[] }[] }>();
    assert.deepEqual(
      data.map((one) => [one.traceId, one.services]),
      [
        [
          traceId('a'),
          [
            // Its span is not there any more.
            { name: 'bank', spanCount: 1, errorSpanCount: 1, selfTimeNano: '0' },
            { name: 'shop', spanCount: 1, selfTimeNano: '10' },
          ],
        ],
        [
          traceId('b'),
          [
            { name: 'bank', spanCount: 2 },
            { name: 'shop', spanCount: 1 },
          ],
        ],
        [traceId('c'), [{ name: 'shop', spanCount: 10 }]],
      ],
    );
  });
});

test('a store that fails while spans are read is answered by its code', async () => {
  const store = await storeOf(ROOTED);
  store.getTraces = () => {
    throw new SpoorError('overloaded', 'too busy');
  };
  await withApi(store, async (app) => {
    const answer = await app.inject('/api/trace-summaries?details=true');
    assert.equal(answer.statusCode, 503);
  });
});

test('a value of details that is no boolean is refused, and a misspelled name as well', async () => {
  await withApi(await storeOf(), async (app) => {
    for (const [query, message] of [
      ['details=maybe', `unable to parse param 'details': "maybe" is not true or false`],
      [
        `details=maybe&traceID=${traceId('a')}`,
        `unable to parse param 'details': "maybe" is not true or false`,
      ],
      ['detail=true', 'unknown parameter "detail"; did you mean details?'],
    ] as const) {
      const answer = await app.inject(`/api/trace-summaries?${query}`);
      assert.equal(answer.statusCode, 400, query);
      assert.deepEqual(answer.json<{ errors: object[] }>().errors, [{ code: 400, msg: message }]);
    }
  });
});
