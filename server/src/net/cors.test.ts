// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cors } from './cors.ts';

function allowed(allowedOrigins: string[], origin: string): boolean {
  const cors = new Cors({ allowedOrigins, allowedHeaders: [], maxAgeSeconds: 1 });
  return cors.responseHeaders(origin)[0] === 'access-control-allow-origin';
}

test('origins match exactly, with one wildcard, or all', () => {
  assert.ok(allowed(['https://a.example'], 'https://A.example'));
  assert.ok(!allowed(['https://a.example'], 'http://a.example'));
  assert.ok(!allowed(['https://a.example'], 'https://a.example.evil.example'));
  assert.ok(allowed(['https://*.a.example'], 'https://x.y.a.example'));
  assert.ok(!allowed(['https://*.a.example'], 'https://a.example'));
  assert.ok(!allowed(['https://*.a.example'], 'https://evil.example/.a.example'));
  assert.ok(allowed(['http://localhost:*'], 'http://localhost:3000'));
  assert.ok(!allowed(['http://localhost:*'], 'http://localhost:'));
  assert.ok(allowed(['*'], 'null'));
  assert.ok(!allowed(['https://*'], 'null'));
  assert.ok(!allowed([], 'https://a.example'));
  assert.throws(() => allowed(['https://*.*.example'], 'x'), /more than one \*/);
});

test('a cache learns that the answer depends on the origin', () => {
  const cors = new Cors({
    allowedOrigins: ['https://a.example'],
    allowedHeaders: [],
    maxAgeSeconds: 1,
  });
  assert.deepEqual(cors.responseHeaders(undefined), ['vary', 'origin']);
  assert.deepEqual(cors.responseHeaders('https://b.example'), ['vary', 'origin']);
  const any = new Cors({ allowedOrigins: ['*'], allowedHeaders: [], maxAgeSeconds: 1 });
  assert.deepEqual(any.responseHeaders('https://b.example'), ['access-control-allow-origin', '*']);
});

test('all headers are allowed by a wildcard', () => {
  const cors = new Cors({ allowedOrigins: ['*'], allowedHeaders: ['*'], maxAgeSeconds: 1 });
  const headers = cors.preflightHeaders('https://b.example', 'x-a, x-b');
  assert.equal(headers[headers.indexOf('access-control-allow-headers') + 1], 'x-a, x-b');
});
