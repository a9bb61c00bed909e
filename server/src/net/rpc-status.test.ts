// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { LogThrottle } from './logger.ts';
import { makeRefusal, MAX_MESSAGE_LENGTH, refusalOf, rpcStatusOf } from './refusal.ts';
import { decodeRpcStatus, encodeInt, encodeRpcStatus, formatRpcStatus } from './rpc-status.ts';

test('a status has the bytes of google.rpc.Status', () => {
  assert.equal(encodeRpcStatus({ code: 3, message: 'no' }).toString('hex'), '080312026e6f');
  // Any of a RetryInfo of a Duration: code 14, message "full", 1 s and 500,000,000 ns.
  const url = Buffer.from('type.googleapis.com/google.rpc.RetryInfo');
  const expected = Buffer.concat([
    Buffer.from([8, 14, 18, 4]),
    Buffer.from('full'),
    Buffer.from([26, url.length + 2 + 12, 10, url.length]),
    url,
    Buffer.from([18, 10, 10, 8, 8, 1, 16, 0x80, 0xca, 0xb5, 0xee, 0x01]),
  ]);
  assert.deepEqual(encodeRpcStatus({ code: 14, message: 'full', retryDelayMs: 1500 }), expected);
});

test('a status is read as it was written, whatever other details it has', () => {
  for (const retryDelayMs of [undefined, 0, 1, 1500, 999.5, 86_400_000]) {
    const status = { code: 8, message: 'füll', retryDelayMs };
    assert.deepEqual(decodeRpcStatus(encodeRpcStatus({ ...status, violation: 'x' })), status);
  }
  const bytes = encodeRpcStatus({ code: 14, message: 'full', retryDelayMs: 1500 });
  assert.throws(() => decodeRpcStatus(bytes.subarray(0, -1)), SpoorError);
});

test('a status in JSON names its details', () => {
  assert.equal(formatRpcStatus({ code: 5, message: 'no' }), '{"code":5,"message":"no"}');
  assert.equal(
    formatRpcStatus({ code: 14, message: 'full', retryDelayMs: 1500 }),
    '{"code":14,"message":"full","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}',
  );
});

test('integers are varints', () => {
  assert.equal(encodeInt(1, 0).length, 0);
  assert.equal(encodeInt(1, 300).toString('hex'), '08ac02');
  assert.equal(encodeInt(1, 2 ** 53 - 1).toString('hex'), '08ffffffffffffff0f');
});

test('only retryable errors say when to try again', () => {
  assert.equal(refusalOf(new SpoorError('overloaded', 'x')).retryAfterMs, 1000);
  assert.equal(refusalOf(new SpoorError('overloaded', 'x', { retryAfterMs: 7 })).retryAfterMs, 7);
  assert.equal(
    refusalOf(new SpoorError('malformed', 'x', { retryAfterMs: 7 })).retryAfterMs,
    undefined,
  );
  assert.equal(refusalOf(new SpoorError('malformed', 'x')).httpStatus, 400);
  assert.equal(rpcStatusOf(refusalOf(new SpoorError('malformed', 'x'))).violation, 'x');
  assert.equal(refusalOf('anything').message, 'internal error, see the log of the server');
});

test('messages are cut and well formed', () => {
  const long = makeRefusal('internal', { http: 500, grpc: 13 }, `\ud800${'x'.repeat(9999)}`);
  assert.equal(long.message.length, MAX_MESSAGE_LENGTH);
  assert.equal(long.message[0], '\ufffd');
  assert.doesNotThrow(() => encodeURI(long.message));
});

test('the log gets one entry per interval, with the number held back', () => {
  let nowMs = 0;
  const throttle = new LogThrottle(1000, () => nowMs);
  const written: number[] = [];
  for (nowMs = 0; nowMs < 2500; nowMs += 100)
    throttle.log((suppressed) => written.push(suppressed));
  assert.deepEqual(written, [0, 9, 9]);
});
