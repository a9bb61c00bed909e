// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FixtureReader, batchOf, withApi } from '#api/testing/api-fixture.ts';

// An OTLP request, and what Jaeger 1.76 with its memory storage answered for it, as it does and with raw=true. Spans are
// ordered by start; Jaeger has them as they came.
const [REQUEST, ADJUSTED, RAW] = readFileSync(
  new URL('../testing/jaeger-answers.jsonl', import.meta.url),
  'utf8',
)
  .split('\n', 3)
  // Its three lines are known.
  .map((line) => JSON.parse(line) as unknown) as [
  { resourceSpans: object[] },
  { traceID: string },
  { spans: { spanID: string }[] },
];

test('a trace is answered as Jaeger answers it', async () => {
  await withApi(new FixtureReader(batchOf(...REQUEST.resourceSpans)), async (app) => {
    const answer = await app.inject(`/api/traces/${ADJUSTED.traceID}`);
    assert.deepEqual(answer.json<{ data: unknown[] }>().data, [ADJUSTED]);
  });
});

test('with raw it is answered as it was sent, where Jaeger says nothing of ids that are there twice', async () => {
  await withApi(new FixtureReader(batchOf(...REQUEST.resourceSpans)), async (app) => {
    for (const path of [`/api/traces/${ADJUSTED.traceID}?raw=1`, '/api/traces?service=x&raw=T']) {
      const spans = RAW.spans.map((span) =>
        span.spanID === '00000000000000b2'
          ? { ...span, warnings: ['2 different spans have this span id'] }
          : span,
      );
      const answer = await app.inject(path);
      assert.deepEqual(answer.json<{ data: unknown[] }>().data, [{ ...RAW, spans }]);
    }
    const wrong = await app.inject(`/api/traces/${ADJUSTED.traceID}?raw=maybe`);
    assert.equal(wrong.statusCode, 400);
  });
});
