// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRfc3339 } from './rfc3339.ts';

test('times are read to the nanosecond, in any zone', () => {
  assert.equal(parseRfc3339('1970-01-01T00:00:00Z'), 0n);
  assert.equal(parseRfc3339('2026-01-01T12:00:00Z'), 1_767_268_800_000_000_000n);
  assert.equal(parseRfc3339('2026-01-01T12:00:00.123456789Z'), 1_767_268_800_123_456_789n);
  assert.equal(parseRfc3339('2026-01-01t14:00:00.5+02:00'), 1_767_268_800_500_000_000n);
  assert.equal(parseRfc3339('1969-12-31T23:59:59.999999999Z'), -1n);
});

test('what is no such time is not read', () => {
  for (const text of [
    '',
    '2026-01-01',
    '2026-01-01T12:00:00',
    '2026-01-01 12:00:00Z',
    '2026-02-30T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-01-01T25:00:00Z',
    '2026-01-01T12:00:00.1234567890Z',
    '1767268800000000',
  ]) {
    assert.equal(parseRfc3339(text), undefined, text);
  }
});
