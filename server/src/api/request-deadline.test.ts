// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { TraceQuery } from '@spoor/core/query/trace-query.ts';
import type { ReadOptions } from '#storage/tracestore.ts';
import { FixtureReader, listen, TRACE, withApi } from './testing/api-fixture.ts';

test('a client that goes away ends the reading', { timeout: 20_000 }, async () => {
  const ended = Promise.withResolvers<unknown>();
  const reader = new FixtureReader();
  reader.getTraces = async function* (_tenant, _ids, options) {
    options?.signal?.addEventListener('abort', () => ended.resolve(options.signal?.reason));
    for (;;) yield TRACE;
  };
  await withApi(reader, async (app) => {
    const port = await listen(app);
    const request = get(`http://127.0.0.1:${port}/api/traces?traceID=1`, (response) => {
      response.once('data', () => request.destroy());
    });
    request.on('error', () => undefined);
    const reason = await ended.promise;
    assert.ok(reason instanceof SpoorError);
    assert.equal(reason.code, 'cancelled');
  });
});

test('a read that takes too long is stopped and answered', async () => {
  const reader = new FixtureReader();
  reader.findTraces = (_tenant: string, _query: TraceQuery, options?: ReadOptions) =>
    new Promise((_resolve, reject) => {
      options?.signal?.addEventListener('abort', () => {
        reject(new SpoorError('cancelled', 'the read was ended'));
      });
    });
  await withApi(
    reader,
    async (app) => {
      const answer = await app.inject('/api/traces?service=x');
      assert.equal(answer.statusCode, 504);
      assert.match(
        answer.json<{ errors: { msg: string }[] }>().errors[0]!.msg,
        /nothing for 100 ms \(query\.timeout_ms\)/,
      );
    },
    { timeoutMs: 100 },
  );
});
