// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBytes, encodeInt, encodeRpcStatus, encodeText } from '#net/rpc-status.ts';
import { parseRetryAfter } from './http-transport.ts';
import { decodeExportResponse, decodeRetryDelayMs } from './otlp-answer.ts';

test('an empty response acknowledges everything', () => {
  assert.deepEqual(decodeExportResponse(new Uint8Array(0)), {
    kind: 'acked',
    rejectedSpans: 0,
    message: '',
  });
});

test('a partial success says how many spans were rejected', () => {
  const partial = Buffer.concat([encodeInt(1, 3), encodeText(2, 'no trace id')]);
  assert.deepEqual(decodeExportResponse(encodeBytes(1, partial)), {
    kind: 'acked',
    rejectedSpans: 3,
    message: 'no trace id',
  });
});

test('a response that is cut off is refused', () => {
  assert.throws(() => decodeExportResponse(Uint8Array.of(0x0a, 9, 1)), { code: 'malformed' });
});

test('the delay of a RetryInfo is found, whatever else the status holds', () => {
  const status = { code: 14, message: 'full', retryDelayMs: 1250, violation: 'x' };
  assert.equal(decodeRetryDelayMs(encodeRpcStatus(status)), 1250);
  assert.equal(decodeRetryDelayMs(encodeRpcStatus({ code: 14, message: 'full' })), undefined);
  assert.equal(decodeRetryDelayMs(Uint8Array.of(255)), undefined);
});

test('Retry-After is read as seconds or as a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(parseRetryAfter('2', now), 2000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 2026 00:00:05 GMT', now), 5000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 2025 00:00:05 GMT', now), 0);
  assert.equal(parseRetryAfter('soon', now), undefined);
  assert.equal(parseRetryAfter(undefined, now), undefined);
});
