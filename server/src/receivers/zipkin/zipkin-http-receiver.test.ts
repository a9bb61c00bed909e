// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { HTTP_DEFAULTS } from '#receivers/receiver-defaults.ts';
import { LOOPBACK, send, startReceiver } from '#receivers/testing/receiver-test-bed.ts';
import { createZipkinHttpReceiver } from './zipkin-http-receiver.ts';

const BODY = Buffer.from('spans');
const start = () =>
  startReceiver((parts) => createZipkinHttpReceiver({ ...HTTP_DEFAULTS, ...LOOPBACK }, parts));

test('spans of both versions are taken with 202, by path and content type', async () => {
  await using bed = await start();
  const requests: [string, Record<string, string>, string][] = [
    ['/api/v2/spans', { 'content-type': 'application/json' }, 'zipkin_json'],
    ['/api/v2/spans', { 'content-type': 'application/json; charset=utf-8' }, 'zipkin_json'],
    ['/api/v2/spans', { 'content-type': 'text/plain' }, 'zipkin_json'],
    ['/api/v2/spans', {}, 'zipkin_json'],
    ['/api/v2/spans', { 'content-type': 'application/x-protobuf' }, 'zipkin_proto'],
    ['/api/v1/spans', { 'content-type': 'application/json' }, 'zipkin_v1_json'],
    ['/api/v1/spans', { 'content-type': 'application/x-thrift' }, 'zipkin_v1_thrift'],
  ];
  for (const [path, headers] of requests) {
    const zipped = { ...headers, 'content-encoding': 'gzip' };
    const plain = await send(bed.port, { path, headers }, [BODY]);
    const compressed = await send(bed.port, { path, headers: zipped }, [gzipSync(BODY)]);
    assert.deepEqual([plain.status, compressed.status], [202, 202]);
    assert.equal(plain.body.length, 0);
  }
  assert.deepEqual(
    bed.ingest.calls.map(({ format, body }) => [format, body.toString()]),
    requests.flatMap(([, , format]) => Array(2).fill([format, 'spans'])),
  );
});

test('a web page sends what its browser asks about first, or is let in, or nothing', async () => {
  await using bed = await start();
  const path = '/api/v2/spans';
  const statusOf = async (port: number, headers: Record<string, string>): Promise<number> =>
    (await send(port, { path, headers: { origin: 'https://shop.example', ...headers } }, [BODY]))
      .status;
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
    assert.equal(await statusOf(bed.port, headers), 415, type);
    assert.equal(await statusOf(bed.port, { ...headers, origin: 'null' }), 415, type);
  }
  assert.equal(await statusOf(bed.port, { 'content-type': 'application/json' }), 202);
  assert.equal(bed.ingest.calls.length, 1);
  const cors = { ...HTTP_DEFAULTS.cors, allowedOrigins: ['https://shop.example'] };
  await using open = await startReceiver((parts) =>
    createZipkinHttpReceiver({ ...HTTP_DEFAULTS, ...LOOPBACK, cors }, parts),
  );
  assert.equal(await statusOf(open.port, { 'content-type': 'text/plain' }), 202);
});

test('what is refused is told as text', async () => {
  await using bed = await start();
  const path = '/api/v2/spans';
  bed.ingest.answer = () => {
    throw new SpoorError('malformed', 'zipkin json: not a list');
  };
  const malformed = await send(bed.port, { path }, [BODY]);
  assert.deepEqual(
    [malformed.status, malformed.body.toString()],
    [400, 'zipkin json: not a list\n'],
  );
  bed.ingest.answer = () => {
    throw new SpoorError('unavailable', 'no');
  };
  const busy = await send(bed.port, { path }, [BODY]);
  assert.deepEqual([busy.status, busy.headers['retry-after']], [503, '1']);
  assert.equal((await send(bed.port, { path: '/api/v2/trace/1' }, [BODY])).status, 404);
  const get = await send(bed.port, { path, method: 'GET' });
  assert.deepEqual([get.status, get.headers.allow], [405, 'POST']);
  const coding = await send(bed.port, { path, headers: { 'content-encoding': 'br' } }, [BODY]);
  assert.equal(coding.status, 415);
});
