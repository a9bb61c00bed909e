// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { ReceiverParts } from '#receivers/intake.ts';
import { GRPC_DEFAULTS } from '#receivers/receiver-defaults.ts';
import { bodyOf, errorOf, TestClient } from '#receivers/testing/grpc-test-client.ts';
import { LOOPBACK, startReceiver } from '#receivers/testing/receiver-test-bed.ts';
import { StrategiesSource } from '#sampling/strategies-source.ts';
import { createJaegerGrpcReceiver } from './jaeger-grpc-receiver.ts';

const PATH = '/jaeger.api_v2.CollectorService/PostSpans';
const SAMPLING_PATH = '/jaeger.api_v2.SamplingManager/GetSamplingStrategy';

function strategies({ logger }: ReceiverParts): StrategiesSource {
  return new StrategiesSource({
    location: '',
    reloadIntervalMs: 0,
    defaultProbability: 0.5,
    logger,
  });
}

test('a batch is taken with an empty answer, and what is refused has its status', async () => {
  await using bed = await startReceiver((parts) =>
    createJaegerGrpcReceiver({ ...GRPC_DEFAULTS, ...LOOPBACK }, parts, strategies(parts)),
  );
  using client = new TestClient(bed.port);
  assert.equal(bodyOf(await client.export(Buffer.from('spans'), {}, PATH)).length, 0);
  const [call] = bed.ingest.calls;
  assert.deepEqual([call?.format, call?.body.toString()], ['jaeger_proto', 'spans']);
  for (const [code, grpcStatus] of [
    ['malformed', status.INVALID_ARGUMENT],
    ['overloaded', status.UNAVAILABLE],
  ] as const) {
    bed.ingest.answer = () => {
      throw new SpoorError(code, 'no');
    };
    assert.equal(errorOf(await client.export(Buffer.from(code), {}, PATH)).code, grpcStatus);
  }
  const unknown = errorOf(await client.export(Buffer.from('x')));
  assert.equal(unknown.code, status.UNIMPLEMENTED);
  const figures = bed.receiver.figures.jaeger_proto;
  assert.deepEqual(
    [figures.acceptedSpans, figures.refusedRequests.malformed, figures.refusedRequests.overloaded],
    [1, 1, 1],
  );
});

test('SDKs are told there how to sample', async () => {
  await using bed = await startReceiver((parts) =>
    createJaegerGrpcReceiver({ ...GRPC_DEFAULTS, ...LOOPBACK }, parts, strategies(parts)),
  );
  using client = new TestClient(bed.port);
  const service = Buffer.from([10, 4, ...Buffer.from('shop')]);
  const answer = bodyOf(await client.export(service, {}, SAMPLING_PATH));
  assert.deepEqual([...answer], [18, 9, 9, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f]);
  const wrong = errorOf(await client.export(Buffer.from([10, 9]), {}, SAMPLING_PATH));
  assert.equal(wrong.code, status.INVALID_ARGUMENT);
  assert.equal(bed.ingest.calls.length, 0);
});
