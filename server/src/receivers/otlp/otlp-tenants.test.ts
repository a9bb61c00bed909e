// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { bodyOf, callRaw, errorOf, TestClient } from '#receivers/testing/grpc-test-client.ts';
import {
  exchangeRaw,
  jsonStatus,
  send,
  startGrpc,
  startHttp,
  until,
} from '#receivers/testing/receiver-test-bed.ts';

const TENANCY = { header: 'X-Tenant', tenants: [] };
const LISTED = { header: 'x-tenant', tenants: ['team-a', 'team-b'] };
const JSON_TYPE = { 'content-type': 'application/json' };
/** Values that name nobody. */
const BAD_NAMES = ['', '../etc', 'a b', 'a,b', 'x'.repeat(65)];

test('the tenant of an HTTP request is in its header, and a request that names none is refused', async () => {
  await using bed = await startHttp({}, undefined, TENANCY);
  const headers = { ...JSON_TYPE, 'x-tenant': 'team-a' };
  assert.equal((await send(bed.port, { headers }, [Buffer.from('{}')])).status, 200);
  assert.equal(bed.ingest.calls[0]?.tenant, 'team-a');
  for (const name of [undefined, ...BAD_NAMES]) {
    const answer = await send(
      bed.port,
      { headers: name === undefined ? JSON_TYPE : { ...JSON_TYPE, 'x-tenant': name } },
      [Buffer.from('{}')],
    );
    assert.equal(answer.status, 401, `${name}`);
    assert.equal(jsonStatus(answer.body).code, status.UNAUTHENTICATED);
    assert.match(
      jsonStatus(answer.body).message,
      /^header "x-tenant".*(missing|tenant ".*" is not)/,
    );
    assert.equal(answer.headers['retry-after'], undefined);
  }
  const twice = await exchangeRaw(
    bed.port,
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n' +
      'X-Tenant: team-a\r\nX-Tenant: team-b\r\nConnection: close\r\n\r\n{}',
  );
  assert.match(twice, /^HTTP\/1\.1 401 /);
  assert.equal(bed.ingest.calls.length, 1);
  assert.equal(bed.receiver.figures.otlp_json.refusedRequests.unauthenticated, 7);
});

test('the tenant of a gRPC call is in its metadata, and a call that names none is refused unread', async () => {
  await using bed = await startGrpc({}, undefined, TENANCY);
  using client = new TestClient(bed.port);
  bodyOf(await client.export(Buffer.from('x'), { 'x-tenant': 'team-a' }));
  assert.equal(bed.ingest.calls[0]?.tenant, 'team-a');
  for (const metadata of [{}, ...BAD_NAMES.map((name) => ({ 'x-tenant': name }))]) {
    const error = errorOf(await client.export(Buffer.from('x'), metadata));
    assert.equal(error.code, status.UNAUTHENTICATED);
    assert.match(error.details, /^header "x-tenant".*(missing|tenant ".*" is not)/);
  }
  // Without a byte of its message.
  const twice = await callRaw(bed.port, [], { 'x-tenant': ['team-a', 'team-b'] });
  assert.equal(twice.grpcStatus, String(status.UNAUTHENTICATED));
  assert.equal(bed.ingest.calls.length, 1);
  assert.equal(bed.budget.figures.leases, 0);
});

test('where tenants are listed, others are refused', async () => {
  await using http = await startHttp({}, undefined, LISTED);
  await using grpc = await startGrpc({}, undefined, LISTED);
  using client = new TestClient(grpc.port);
  for (const [name, isKnown] of [
    ['team-a', true],
    ['team-b', true],
    ['team-c', false],
    ['TEAM-A', false],
    ['default', false],
  ] as const) {
    const headers = { ...JSON_TYPE, 'x-tenant': name };
    const answer = await send(http.port, { headers }, [Buffer.from('{}')]);
    assert.equal(answer.status, isKnown ? 200 : 401, name);
    const outcome = await client.export(Buffer.from('x'), { 'x-tenant': name });
    if (isKnown) bodyOf(outcome);
    else assert.match(errorOf(outcome).details, /^header "x-tenant": there is no tenant "/);
  }
});

test('without tenancy a tenant header is not looked at', async () => {
  await using bed = await startHttp();
  const headers = { ...JSON_TYPE, 'x-tenant': '../etc' };
  assert.equal((await send(bed.port, { headers }, [Buffer.from('{}')])).status, 200);
  assert.equal(bed.ingest.calls[0]?.tenant, 'default');
});

test('a tenant that floods is refused while others find room, over both transports', async () => {
  await using bed = await startHttp({}, 1_000_000, TENANCY);
  const begin = (tenant: string): { readonly answer: () => string; end(): void } => {
    let answer = '';
    const socket = connect(bed.port, '127.0.0.1');
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-Tenant: ${tenant}\r\nExpect: 100-continue\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n',
    );
    return { answer: () => answer, end: () => socket.destroy() };
  };
  const flood = Array.from({ length: 20 }, () => begin('noisy'));
  await until(() => flood.every(({ answer }) => answer() !== ''));
  const count = (status: string): number =>
    flood.filter(({ answer }) => answer().startsWith(`HTTP/1.1 ${status}`)).length;
  assert.equal(count('100'), 5);
  assert.equal(count('503'), 15);
  const headers = { ...JSON_TYPE, 'x-tenant': 'quiet', 'content-length': '100000' };
  const body = Buffer.alloc(100_000);
  assert.equal((await send(bed.port, { headers }, [body])).status, 200);
  assert.deepEqual(
    [...bed.tenantCounters.figures()].map(({ tenant, noRoom, bodyBytes }) => [
      tenant,
      noRoom,
      bodyBytes,
    ]),
    [
      ['noisy', 15, 0],
      ['quiet', 0, 100_000],
    ],
  );
  for (const sender of flood) sender.end();
  await until(() => bed.budget.figures.usedBytes === 0);
});
