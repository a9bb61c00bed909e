// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { formatSpanId, parseTraceId } from '@spoor/core/model/ids.ts';
import type { TraceReader } from '#storage/tracestore.ts';
import {
  batchOf,
  FixtureReader,
  FRONTEND,
  ROOT,
  SHORT_TRACE,
  TRACE,
  TRACE_ID,
  withApi,
} from '#api/testing/api-fixture.ts';

const JAEGER_TRACE = {
  traceID: TRACE_ID,
  spans: [
    {
      traceID: TRACE_ID,
      spanID: '00000000000000a1',
      operationName: 'GET /',
      references: [],
      startTime: 1700000000000001,
      duration: 2,
      tags: [{ key: 'span.kind', type: 'string', value: 'server' }],
      logs: [],
      processID: 'p1',
      warnings: null,
    },
    {
      traceID: TRACE_ID,
      spanID: '00000000000000b2',
      flags: 1,
      operationName: 'query',
      references: [
        { refType: 'CHILD_OF', traceID: TRACE_ID, spanID: '00000000000000a1' },
        { refType: 'FOLLOWS_FROM', traceID: 'f'.repeat(32), spanID: 'e'.repeat(16) },
      ],
      startTime: 1700000000000001,
      duration: 2,
      tags: [
        { key: 'error', type: 'bool', value: true },
        { key: 'otel.scope.name', type: 'string', value: 'lib' },
        { key: 'otel.scope.version', type: 'string', value: '2' },
        { key: 'otel.status_code', type: 'string', value: 'ERROR' },
        { key: 'otel.status_description', type: 'string', value: 'lost' },
        { key: 'ratio', type: 'float64', value: 'NaN' },
        { key: 'raw', type: 'binary', value: 'AQI=' },
        { key: 'rows', type: 'int64', value: '9007199254740993' },
        { key: 'span.kind', type: 'string', value: 'client' },
      ],
      logs: [
        {
          timestamp: 1700000000000002,
          fields: [{ key: 'event', type: 'string', value: 'retry' }],
        },
      ],
      processID: 'p2',
      warnings: null,
    },
  ],
  processes: {
    p1: {
      serviceName: 'frontend',
      tags: [{ key: 'host.name', type: 'string', value: 'h1' }],
    },
    p2: { serviceName: 'backend', tags: [] },
  },
  warnings: null,
};

function envelope(data: unknown, total = 0): object {
  return { data, total, limit: 0, offset: 0, errors: null };
}

function refusal(code: number, msg: string): object {
  return { data: null, total: 0, limit: 0, offset: 0, errors: [{ code, msg }] };
}

test('a trace by id is one entry of the data, also when it is asked for in upper case', async () => {
  await withApi(new FixtureReader(TRACE), async (app) => {
    for (const id of [TRACE_ID, TRACE_ID.toUpperCase(), `${TRACE_ID}?raw=false&start=1`]) {
      const answer = await app.inject(`/api/traces/${id}`);
      assert.equal(answer.statusCode, 200);
      assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
      assert.equal(answer.body, JSON.stringify(envelope([JAEGER_TRACE])));
    }
  });
});

test('prettyPrint indents the same answer by four', async () => {
  await withApi(new FixtureReader(TRACE), async (app) => {
    const answer = await app.inject(`/api/traces/${TRACE_ID}?prettyPrint=true`);
    assert.equal(answer.body, JSON.stringify(envelope([JAEGER_TRACE]), null, 4));
    const services = await app.inject('/api/services?prettyPrint=true');
    assert.equal(services.body, JSON.stringify(envelope(['a/b', 'shop'], 2), null, 4));
    const v3 = await app.inject(`/api/v3/traces/${TRACE_ID}?prettyPrint=1`);
    assert.equal(v3.body, JSON.stringify(v3.json(), null, 4));
  });
});

test('a search answers with the traces in the order of the store', async () => {
  const reader = new FixtureReader(SHORT_TRACE, TRACE);
  await withApi(reader, async (app) => {
    const answer = await app.inject('/api/traces?service=frontend&limit=2&lookback=1h');
    assert.equal(answer.statusCode, 200);
    const { data, errors } = answer.json<{ data: { traceID: string }[]; errors: null }>();
    assert.deepEqual(
      data.map((trace) => trace.traceID),
      ['a3ce929d0e0e4736', TRACE_ID],
    );
    assert.equal(errors, null);
    assert.deepEqual(data[1], JAEGER_TRACE);
    assert.equal(reader.queries[0]?.limit, 2);
  });
});

test('a page names the next one behind all that Jaeger has, and the next one goes on from there', async () => {
  const reader = new FixtureReader(SHORT_TRACE, TRACE);
  await withApi(reader, async (app) => {
    for (const path of ['/api/traces', '/api/trace-summaries']) {
      const answer = await app.inject(`${path}?service=shop&order=longest&limit=1`);
      const { nextPage, ...rest } = answer.json<{ nextPage: string }>();
      assert.deepEqual(Object.keys(rest), ['data', 'total', 'limit', 'offset', 'errors']);
      assert.match(nextPage, /^[\w.-]+$/);
      const pretty = await app.inject(`${path}?service=shop&order=longest&limit=1&prettyPrint=1`);
      assert.equal(pretty.body, JSON.stringify(answer.json(), null, 4));
      await app.inject(`${path}?service=shop&order=longest&limit=2&page=${nextPage}`);
      const { traceId } = reader.queries.at(-1)!.after!;
      assert.equal(traceId, '0000000000000000a3ce929d0e0e4736');
      const other = await app.inject(`${path}?service=shop&limit=1&page=${nextPage}`);
      assert.equal(other.statusCode, 400);
    }
  });
});

test('TraceQL in q is asked of the store, page by page, and what is wrong with it is told', async () => {
  const reader = new FixtureReader(SHORT_TRACE, TRACE);
  const q = encodeURIComponent('{ span.http.status_code >= 500 || status = error } | count() > 3');
  const wrong = encodeURIComponent('{ status = error } | by(span.a)');
  await withApi(reader, async (app) => {
    for (const path of ['/api/traces', '/api/trace-summaries']) {
      const first = await app.inject(`${path}?q=${q}&order=longest&limit=1`);
      assert.equal(first.statusCode, 200);
      const { where, having } = reader.queries.at(-1)!;
      assert.ok(where.op === 'or' && where.args.length === 2);
      assert.deepEqual(having, {
        op: 'and',
        args: [{ op: 'gt', field: { kind: 'count', where }, value: { type: 'int', value: 3n } }],
      });
      const { nextPage } = first.json<{ nextPage: string }>();
      const second = await app.inject(`${path}?q=${q}&order=longest&page=${nextPage}`);
      assert.equal(second.statusCode, 200);
      const refused = await app.inject(`${path}?q=${wrong}`);
      assert.equal(refused.statusCode, 400);
      assert.deepEqual(
        refused.json(),
        refusal(400, 'TraceQL, character 22: by() is not supported'),
      );
    }
  });
});

test('a summary has what api_v3 has of it, without numbers that are 0', async () => {
  const reader = new FixtureReader();
  reader.findTraces = async () => ({
    traces: [
      {
        traceId: parseTraceId(TRACE_ID),
        startTimeUnixNano: 1_700_000_000_000_000_001n,
        endTimeUnixNano: 2n ** 64n - 1n,
        spanCount: 3,
        errorCount: 1,
        rootServiceName: 'shop',
        rootSpanName: 'GET /',
        rootSpanId: '',
        services: [
          { name: 'bank', spanCount: 1, errorCount: 1 },
          { name: 'shop', spanCount: 2, errorCount: 0 },
        ],
      },
    ],
    next: undefined,
  });
  const summary = {
    traceId: TRACE_ID,
    rootServiceName: 'shop',
    rootOperationName: 'GET /',
    minStartTimeUnixNano: '1700000000000000001',
    maxEndTimeUnixNano: '18446744073709551615',
    spanCount: 3,
    errorSpanCount: 1,
    services: [
      { name: 'bank', spanCount: 1, errorSpanCount: 1 },
      { name: 'shop', spanCount: 2 },
    ],
  };
  const window = 'query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2027-01-01T00:00:00Z';
  await withApi(reader, async (app) => {
    const v1 = await app.inject('/api/trace-summaries?service=shop');
    assert.deepEqual(v1.json(), envelope([summary]));
    const v3 = await app.inject(`/api/v3/trace-summaries?${window}`);
    assert.deepEqual(v3.json(), { summaries: [summary] });
  });
});

test('summaries name spans without a service as the list of services does, and a trace without a root has none', async () => {
  const summary = {
    traceId: parseTraceId(TRACE_ID),
    startTimeUnixNano: 1n,
    endTimeUnixNano: 2n,
    spanCount: 6,
    errorCount: 1,
    rootServiceName: '',
    rootSpanName: 'GET /',
    rootSpanId: formatSpanId(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1), 0),
    services: [
      { name: '', spanCount: 1, errorCount: 1 },
      { name: 'bank', spanCount: 2, errorCount: 0 },
      { name: 'shop', spanCount: 3, errorCount: 0 },
    ],
  };
  const sent = { name: 'missing-service-name', spanCount: 4, errorCount: 0 };
  const reader = new FixtureReader();
  reader.findTraces = async () => ({
    traces: [
      summary,
      { ...summary, services: [summary.services[0]!, sent] },
      { ...summary, rootSpanName: '', rootSpanId: '' as const, services: [sent] },
    ],
    next: undefined,
  });
  const window = 'query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2027-01-01T00:00:00Z';
  await withApi(reader, async (app) => {
    const answer = await app.inject('/api/trace-summaries');
    const { data } = answer.json<{ data: { rootServiceName: string; services: object[] }[] }>();
    assert.deepEqual(
      data.map(({ rootServiceName, services }) => [rootServiceName, services]),
      [
        [
          'missing-service-name',
          [
            { name: 'bank', spanCount: 2 },
            { name: 'missing-service-name', spanCount: 1, errorSpanCount: 1 },
            { name: 'shop', spanCount: 3 },
          ],
        ],
        [
          'missing-service-name',
          [{ name: 'missing-service-name', spanCount: 5, errorSpanCount: 1 }],
        ],
        ['', [{ name: 'missing-service-name', spanCount: 4 }]],
      ],
    );
    const v3 = await app.inject(`/api/v3/trace-summaries?${window}`);
    assert.deepEqual(v3.json<{ summaries: object[] }>().summaries, data);
  });
});

test('a search that finds nothing is an empty list', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const answer = await app.inject('/api/traces?service=x');
    assert.equal(answer.body, JSON.stringify(envelope([])));
    const pretty = await app.inject('/api/traces?service=x&prettyPrint=true');
    assert.equal(pretty.body, JSON.stringify(envelope([]), null, 4));
  });
});

test('traces by several ids come with an error for each that is missing', async () => {
  await withApi(new FixtureReader(TRACE), async (app) => {
    const answer = await app.inject(`/api/traces?traceID=ab&traceID=${TRACE_ID}`);
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(answer.json(), {
      ...envelope([JAEGER_TRACE]),
      errors: [{ msg: 'trace not found', traceID: '00000000000000ab' }],
    });
  });
});

test('summaries of traces by id are of these and nothing else, also of traces that are summed up piece by piece', async () => {
  const spans = Array.from({ length: 20_000 }, (_, i) => ({
    ...ROOT,
    traceId: 'e'.repeat(32),
    spanId: (20_000 - i).toString(16).padStart(16, '0'),
    startTimeUnixNano: String(BigInt(ROOT.startTimeUnixNano) + BigInt(i)),
    ...(i === 0 ? {} : { parentSpanId: (20_000).toString(16).padStart(16, '0') }),
    ...(i % 2 === 0 ? { status: { code: 2 } } : {}),
  }));
  const long = batchOf({ resource: FRONTEND, scopeSpans: [{ spans }] });
  await withApi(new FixtureReader(SHORT_TRACE, TRACE, long), async (app) => {
    const ids = `traceID=ab&traceID=${TRACE_ID}&traceID=${'e'.repeat(32)}`;
    const path = `/api/trace-summaries?service=other&limit=1&${ids}`;
    const answer = await app.inject(path);
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.body, JSON.stringify(answer.json()));
    const times = {
      minStartTimeUnixNano: ROOT.startTimeUnixNano,
      maxEndTimeUnixNano: ROOT.endTimeUnixNano,
    };
    assert.deepEqual(answer.json(), {
      ...envelope([
        {
          traceId: TRACE_ID,
          rootServiceName: 'frontend',
          rootOperationName: 'GET /',
          ...times,
          spanCount: 2,
          errorSpanCount: 1,
          services: [
            { name: 'backend', spanCount: 1, errorSpanCount: 1 },
            { name: 'frontend', spanCount: 1 },
          ],
        },
        {
          traceId: 'e'.repeat(32),
          rootServiceName: 'frontend',
          rootOperationName: 'GET /',
          ...times,
          spanCount: 20_000,
          errorSpanCount: 10_000,
          services: [{ name: 'frontend', spanCount: 20_000, errorSpanCount: 10_000 }],
        },
      ]),
      errors: [{ msg: 'trace not found', traceID: '00000000000000ab' }],
    });
    const pretty = await app.inject(`${path}&prettyPrint=true`);
    assert.equal(pretty.body, JSON.stringify(answer.json(), null, 4));
    const many = await app.inject(`/api/trace-summaries?${'traceID=1&'.repeat(1001)}`);
    assert.equal(many.statusCode, 400);
  });
});

test('spans that share an id and have no service are shown with that said', async () => {
  await withApi(new FixtureReader(SHORT_TRACE), async (app) => {
    const answer = await app.inject('/api/traces/a3ce929d0e0e4736');
    const [trace] = answer.json<{ data: (typeof JAEGER_TRACE)[] }>().data;
    assert.deepEqual(
      trace?.spans.map((span) => span.warnings),
      [['2 different spans have this span id'], ['2 different spans have this span id']],
    );
    assert.deepEqual(trace?.processes, {
      p1: { serviceName: 'missing-service-name', tags: [] },
    });
  });
});

test('services and operations are listed, also of names with slashes', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const ask = async (url: string): Promise<unknown> => (await app.inject(url)).json();
    assert.deepEqual(await ask('/api/services'), envelope(['a/b', 'shop'], 2));
    assert.deepEqual(await ask('/api/services/a%2Fb/operations'), envelope(['GET /', 'tick'], 2));
    assert.deepEqual(await ask('/api/services/unknown/operations'), envelope([], 0));
    assert.deepEqual(
      await ask(`/api/services/${'%C3%A9'.repeat(1000)}/operations`),
      envelope([], 0),
    );
    assert.deepEqual(
      await ask('/api/operations?service=a%2Fb'),
      envelope(
        [
          { name: 'GET /', spanKind: '' },
          { name: 'GET /', spanKind: 'server' },
          { name: 'tick', spanKind: 'internal' },
        ],
        3,
      ),
    );
    assert.deepEqual(
      await ask('/api/operations?service=a%2Fb&spanKind=server'),
      envelope([{ name: 'GET /', spanKind: 'server' }], 1),
    );
    assert.deepEqual(await ask('/api/v3/services'), { services: ['a/b', 'shop'] });
    assert.deepEqual(await ask('/api/v3/operations?service=a%2Fb&span_kind=unspecified'), {
      operations: [{ name: 'GET /', spanKind: 'internal' }],
    });
  });
});

/** Of spans without a service, and of those that came from Jaeger like that. */
const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  '': ['', 'both', 'c'],
  'missing-service-name': ['a', 'both', 'd'],
};

test('spans without a service are those of a service with the name that Jaeger gives them', async () => {
  const reader = new FixtureReader();
  reader.getServices = async () => ['', 'a/b', 'shop'];
  reader.getOperations = async (_tenant, service) =>
    (OPERATIONS[service] ?? []).map((name) => ({ name, kind: 1 }));
  await withApi(reader, async (app) => {
    const ask = async (url: string): Promise<unknown> => (await app.inject(url)).json();
    const all = ['a/b', 'missing-service-name', 'shop'];
    assert.deepEqual(await ask('/api/services'), envelope(all, 3));
    assert.deepEqual(await ask('/api/v3/services'), { services: all });
    assert.deepEqual(
      await ask('/api/services/missing-service-name/operations'),
      envelope(['', 'a', 'both', 'c', 'd'], 5),
    );
    assert.deepEqual(await ask('/api/operations?service=shop'), envelope([], 0));
  });
});

test('errors have the shape of their API and say what is wrong', async () => {
  await withApi(new FixtureReader(TRACE), async (app) => {
    const cases: [url: string, status: number, body: object][] = [
      [`/api/traces/${'1'.repeat(32)}`, 404, refusal(404, 'trace not found')],
      ['/api/operations', 400, refusal(400, `parameter 'service' is required`)],
      [
        '/api/traces?limit=x',
        400,
        refusal(400, `unable to parse param 'limit': "x" is not a number from 1 to 10000`),
      ],
      [
        '/api/traces/xyz',
        400,
        refusal(400, 'trace id "xyz" is not 1 to 32 hex digits with one other than 0'),
      ],
      ['/api/nothing?a=1', 404, refusal(404, 'there is no GET /api/nothing')],
      ['/api', 404, refusal(404, 'there is no GET /api')],
      [
        '/api/v3/nothing',
        404,
        { error: { httpCode: 404, message: 'there is no GET /api/v3/nothing' } },
      ],
      ['/api/v3/traces/1', 404, { error: { httpCode: 404, message: 'trace not found' } }],
      [
        '/api/v3/operations',
        400,
        { error: { httpCode: 400, message: `parameter 'service' is required` } },
      ],
    ];
    for (const [url, status, body] of cases) {
      const answer = await app.inject(url);
      assert.equal(answer.statusCode, status, url);
      assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8', url);
      assert.deepEqual(answer.json(), body);
    }
    const odd = await app.inject('/api/services/%zz/operations');
    assert.equal(odd.statusCode, 400);
    assert.equal(odd.json<{ errors: { code: number }[] }>().errors[0]?.code, 400);
    const post = await app.inject({ method: 'POST', url: '/api/traces', payload: 'x' });
    assert.equal(post.statusCode, 404);
  });
});

test('a store that fails is answered by its code, and a fault tells nothing of itself', async () => {
  const failing = (error: Error): TraceReader => {
    const reader = new FixtureReader(TRACE);
    reader.getServices = () => Promise.reject(error);
    reader.findTraces = () => Promise.reject(error);
    return reader;
  };
  await withApi(
    failing(new SpoorError('overloaded', 'too busy', { retryAfterMs: 1500 })),
    async (app) => {
      for (const url of ['/api/services', '/api/traces?service=x']) {
        const answer = await app.inject(url);
        assert.equal(answer.statusCode, 503);
        assert.equal(answer.headers['retry-after'], '2');
        assert.deepEqual(answer.json(), refusal(503, 'too busy'));
      }
    },
  );
  for (const fault of [new TypeError('secret /x'), new SpoorError('internal', 'secret /x')]) {
    await withApi(failing(fault), async (app) => {
      const answer = await app.inject('/api/services');
      assert.equal(answer.statusCode, 500);
      assert.deepEqual(answer.json(), refusal(500, 'a fault in Spoor; its log has the details'));
    });
  }
});
