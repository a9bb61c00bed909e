// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { GRPC_DEFAULTS } from '#receivers/receiver-defaults.ts';
import { bodyOf, errorOf, TestClient } from '#receivers/testing/grpc-test-client.ts';
import { LOOPBACK, startReceiver } from '#receivers/testing/receiver-test-bed.ts';
import { createJaegerGrpcReceiver } from './jaeger-grpc-receiver.ts';

const PATH = '/jaeger.api_v2.CollectorService/PostSpans';

test('a batch is taken with an empty answer, and what is refused has its status', async () => {
  await using bed = await startReceiver((parts) =>
    createJaegerGrpcReceiver({ ...GRPC_DEFAULTS, ...LOOPBACK }, parts),
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
