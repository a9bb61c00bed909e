// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { startTokens, TOKEN } from '#net/testing/test-tokens.ts';
import { bodyOf, callRaw, errorOf, TestClient } from '#receivers/testing/grpc-test-client.ts';
import {
  exchangeRaw,
  jsonStatus,
  LOOPBACK,
  send,
  startGrpc,
  startHttp,
  startReceiver,
} from '#receivers/testing/receiver-test-bed.ts';
import { HTTP_DEFAULTS } from '#receivers/receiver-defaults.ts';
import { createZipkinHttpReceiver } from '#receivers/zipkin/zipkin-http-receiver.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const BEARER = { authorization: `Bearer ${TOKEN}` };
const BODY = [Buffer.from('{}')];

test('a request over HTTP without a good token is answered 401 before its body is read', async () => {
  await using bed = await startHttp({}, undefined, undefined, await startTokens());
  const good = await send(bed.port, { headers: { ...JSON_TYPE, ...BEARER } }, BODY);
  assert.equal(good.status, 200);
  for (const headers of [JSON_TYPE, { ...JSON_TYPE, authorization: 'Bearer wrong' }]) {
    const answer = await send(bed.port, { headers }, BODY);
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['www-authenticate'], 'Bearer realm="Spoor"');
    assert.equal(answer.headers['retry-after'], undefined);
    assert.equal(jsonStatus(answer.body).code, status.UNAUTHENTICATED);
  }
  // No `100 Continue`, and no memory for a body that will not come.
  const text = await exchangeRaw(
    bed.port,
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      'Content-Length: 9999999\r\nExpect: 100-continue\r\n\r\n',
  );
  assert.match(text, /^HTTP\/1\.1 401 /);
  assert.equal(bed.budget.figures.peakBytes < 9_999_999, true);
  assert.equal(bed.receiver.figures.otlp_json.refusedRequests.unauthenticated, 3);
  assert.equal(bed.ingest.calls.length, 1);
});

test('a gRPC call without a good token is UNAUTHENTICATED before its message is read', async () => {
  await using bed = await startGrpc({}, undefined, undefined, await startTokens());
  using client = new TestClient(bed.port);
  bodyOf(await client.export(Buffer.from('x'), BEARER));
  for (const metadata of [{}, { authorization: 'Bearer wrong' }]) {
    const error = errorOf(await client.export(Buffer.from('x'), metadata));
    assert.equal(error.code, status.UNAUTHENTICATED);
    assert.match(error.details, /token/);
  }
  const unread = await callRaw(bed.port, [], { authorization: `Bearer ${TOKEN}x` });
  assert.equal(unread.grpcStatus, String(status.UNAUTHENTICATED));
  assert.equal(bed.receiver.figures.otlp_proto.refusedRequests.unauthenticated, 3);
  assert.equal(bed.ingest.calls.length, 1);
});

test('health is asked for without a token', async () => {
  await using bed = await startGrpc({}, undefined, undefined, await startTokens());
  const answer = await callRaw(bed.port, [Buffer.alloc(5)], {
    ':path': '/grpc.health.v1.Health/Check',
  });
  assert.equal(answer.grpcStatus, '0');
});

test('a tenant that the token names is that of the spans', async () => {
  const tokens = await startTokens({ tokens: [`${TOKEN} acme`] });
  const tenancy = { header: 'x-tenant', tenants: [] };
  await using http = await startHttp({}, undefined, tenancy, tokens);
  await using grpc = await startGrpc({}, undefined, tenancy, tokens);
  using client = new TestClient(grpc.port);
  const headers = { ...JSON_TYPE, ...BEARER };
  assert.equal((await send(http.port, { headers }, BODY)).status, 200);
  bodyOf(await client.export(Buffer.from('x'), BEARER));
  assert.equal(http.ingest.calls[0]?.tenant, 'acme');
  assert.equal(grpc.ingest.calls[0]?.tenant, 'acme');
  const other = { ...headers, 'x-tenant': 'globex' };
  assert.equal((await send(http.port, { headers: other }, BODY)).status, 401);
  const error = errorOf(await client.export(Buffer.from('x'), { ...BEARER, 'x-tenant': 'globex' }));
  assert.equal(error.code, status.UNAUTHENTICATED);
  assert.equal(grpc.ingest.calls.length, 1);
});

test('tokens that come in clear text from other machines are warned of', async () => {
  const tokens = await startTokens();
  const everywhere = { host: '0.0.0.0' };
  await using http = await startHttp(everywhere, undefined, undefined, tokens);
  await using grpc = await startGrpc(everywhere, undefined, undefined, tokens);
  await using local = await startHttp({}, undefined, undefined, tokens);
  await using open = await startGrpc(everywhere);
  const warning =
    'receivers.test: tokens come here in clear text; set receivers.test.tls unless a proxy before it speaks TLS';
  assert.deepEqual([http.log, grpc.log, local.log, open.log], [[warning], [warning], [], []]);
});

test('web pages may send the token, which a preflight does not', async () => {
  const cors = { allowedOrigins: ['*'], allowedHeaders: [], maxAgeSeconds: 1 };
  await using bed = await startHttp({ cors }, undefined, undefined, await startTokens());
  const origin = 'https://shop.example';
  const preflight = await send(bed.port, { method: 'OPTIONS', headers: { origin } });
  assert.equal(preflight.status, 204);
  assert.match(String(preflight.headers['access-control-allow-headers']), /\bauthorization\b/);
  const answer = await send(bed.port, { headers: { ...JSON_TYPE, origin } }, BODY);
  assert.equal(answer.status, 401);
  assert.equal(answer.headers['access-control-allow-origin'], '*');
});

test('protocols that answer with text say it in theirs', async () => {
  await using bed = await startReceiver(
    (parts) => createZipkinHttpReceiver({ ...HTTP_DEFAULTS, ...LOOPBACK }, parts),
    undefined,
    undefined,
    await startTokens(),
  );
  const path = '/api/v2/spans';
  const answer = await send(bed.port, { path, headers: JSON_TYPE }, BODY);
  assert.equal(answer.status, 401);
  assert.equal(answer.headers['www-authenticate'], 'Bearer realm="Spoor"');
  assert.match(answer.body.toString(), /^header "authorization" with a token is missing\n$/);
  const headers = { ...JSON_TYPE, ...BEARER };
  assert.equal((await send(bed.port, { path, headers }, BODY)).status, 202);
});
