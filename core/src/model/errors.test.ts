// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { ERROR_CODES, quote, SpoorError } from './errors.ts';

test('an error says whether the sender may try again, and keeps its cause', () => {
  const cause = new Error('disk');
  const error = new SpoorError('overloaded', 'memory: 310 > 300 MiB', { cause, retryAfterMs: 500 });
  assert.equal(error.retryable, true);
  assert.equal(error.retryAfterMs, 500);
  assert.equal(error.cause, cause);
  assert.equal(String(error), 'SpoorError: memory: 310 > 300 MiB');
  assert.equal(new SpoorError('malformed', 'x').retryable, false);
  assert.equal('cause' in new SpoorError('malformed', 'x'), false);
});

test('what is retryable over HTTP is also retryable over gRPC', () => {
  // 499 and CANCELLED are for a sender that went away.
  const retryableHttp = [429, 499, 502, 503, 504];
  const retryableGrpc = [1, 4, 8, 10, 11, 14, 15];
  for (const [code, { retryable, http, grpc }] of Object.entries(ERROR_CODES)) {
    assert.equal(retryableHttp.includes(http), retryable, code);
    if (retryable) assert.ok(retryableGrpc.includes(grpc), code);
  }
});

test('a quoted value is cut, and shows its control characters', () => {
  assert.equal(quote('a\n"b"'), '"a\\n\\"b\\""');
  assert.equal(quote('x'.repeat(101)), `"${'x'.repeat(100)}…"`);
});
