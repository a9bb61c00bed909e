// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { HttpReceiver, HttpReceiverSettings } from '#receivers/http-receiver.ts';
import { HTTP_DEFAULTS } from '#receivers/receiver-defaults.ts';
import {
  LOOPBACK,
  send,
  startReceiver,
  type TestBed,
} from '#receivers/testing/receiver-test-bed.ts';
import { StrategiesSource } from '#sampling/strategies-source.ts';
import { createThriftHttpReceiver } from './thrift-http-receiver.ts';

const BODY = Buffer.from('a batch');
const TYPE = { 'content-type': 'application/x-thrift' };

function start(settings: Partial<HttpReceiverSettings> = {}): Promise<TestBed<HttpReceiver>> {
  return startReceiver((parts) =>
    createThriftHttpReceiver(
      { ...HTTP_DEFAULTS, ...LOOPBACK, ...settings },
      parts,
      new StrategiesSource({
        location: '',
        reloadIntervalMs: 0,
        defaultProbability: 0.5,
        logger: parts.logger,
      }),
    ),
  );
}

test('a batch is taken with 202, whatever the query, of both content types and compressed', async () => {
  await using bed = await start();
  const requests: [string, Record<string, string>, Buffer][] = [
    ['/api/traces', TYPE, BODY],
    ['/api/traces?format=jaeger.thrift', { 'content-type': 'application/x-thrift; v=1' }, BODY],
    ['/api/traces', { 'content-type': 'application/vnd.apache.thrift.binary' }, BODY],
    ['/api/traces', { ...TYPE, 'content-encoding': 'gzip' }, gzipSync(BODY)],
  ];
  for (const [path, headers, body] of requests) {
    const answer = await send(bed.port, { path, headers }, [body]);
    assert.equal(answer.status, 202);
    assert.equal(answer.body.length, 0);
  }
  assert.deepEqual(
    bed.ingest.calls.map(({ format, body }) => [format, body.toString()]),
    Array(4).fill(['jaeger_thrift', 'a batch']),
  );
  assert.equal(bed.receiver.figures.jaeger_thrift.acceptedSpans, 4);
  assert.equal(bed.budget.figures.leases, 0);
});

test('what is refused is told as text, as Jaeger does', async () => {
  await using bed = await start({ bodyCapBytes: 1000 });
  const refusal = async (
    headers: Record<string, string>,
    body: Buffer = BODY,
  ): Promise<[number, string]> => {
    const answer = await send(bed.port, { path: '/api/traces', headers }, [body]);
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
    return [answer.status, answer.body.toString()];
  };
  assert.deepEqual(await refusal({ 'content-type': 'application/json' }), [
    400,
    'Unsupported content type: content type "application/json" is not application/x-thrift or application/vnd.apache.thrift.binary\n',
  ]);
  const [tooLarge] = await refusal(TYPE, Buffer.alloc(1001));
  assert.equal(tooLarge, 413);
  bed.ingest.answer = () => {
    throw new SpoorError('malformed', 'thrift binary: truncated');
  };
  assert.deepEqual(await refusal(TYPE), [
    400,
    'Unable to process request body: thrift binary: truncated\n',
  ]);
  bed.ingest.answer = () => {
    throw new SpoorError('overloaded', 'the disk is full', { retryAfterMs: 2500 });
  };
  const busy = await send(bed.port, { path: '/api/traces', headers: TYPE }, [BODY]);
  assert.deepEqual([busy.status, busy.headers['retry-after']], [503, '3']);
  assert.equal(busy.body.toString(), 'Cannot submit Jaeger batch: the disk is full\n');
  const elsewhere = await send(bed.port, { path: '/api/other', headers: TYPE }, [BODY]);
  assert.equal(elsewhere.status, 404);
  const { unknown, jaeger_thrift: thrift } = bed.receiver.figures;
  assert.deepEqual(
    [unknown.refusedRequests.unsupported, unknown.refusedRequests.wrong_path],
    [1, 1],
  );
  assert.deepEqual([thrift.refusedRequests.malformed, thrift.refusedRequests.overloaded], [1, 1]);
});

test('clients are told there how to sample', async () => {
  await using bed = await start();
  const ask = async (path: string): Promise<[number, string]> => {
    const answer = await send(bed.port, { path, method: 'GET' }, []);
    return [answer.status, answer.body.toString()];
  };
  assert.deepEqual(await ask('/api/sampling?service=shop'), [
    200,
    '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}',
  ]);
  assert.deepEqual(await ask('/api/baggageRestrictions?service=shop'), [200, '[]']);
  assert.deepEqual(await ask('/api/sampling'), [
    400,
    "'service' parameter must be provided once\n",
  ]);
});
