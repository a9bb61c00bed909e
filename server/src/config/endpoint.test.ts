// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEndpoint, formatHttpUrl, parseEndpoint } from './endpoint.ts';

test('endpoints are names, addresses or nothing, and a port', () => {
  assert.deepEqual(parseEndpoint('127.0.0.1:4317'), { host: '127.0.0.1', port: 4317 });
  assert.deepEqual(parseEndpoint('localhost:0'), { host: 'localhost', port: 0 });
  assert.deepEqual(parseEndpoint('[::1]:65535'), { host: '::1', port: 65535 });
  assert.deepEqual(parseEndpoint(':80'), { host: '0.0.0.0', port: 80 });
});

test('what is no endpoint is refused', () => {
  for (const text of [
    '',
    '4317',
    'a:',
    'a:65536',
    'a:-1',
    '::1:80',
    '[::1]',
    'a b:1',
    'http://a:1',
  ]) {
    assert.equal(parseEndpoint(text), undefined, text);
  }
});

test('endpoints are written as they are read, and as URLs that open', () => {
  assert.equal(formatEndpoint({ host: '::1', port: 1 }), '[::1]:1');
  assert.equal(formatHttpUrl({ host: '0.0.0.0', port: 80 }, '/x'), 'http://localhost:80/x');
  assert.equal(formatHttpUrl({ host: '::1', port: 80 }), 'http://[::1]:80');
});
