// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGoDuration } from './go-duration.ts';

test('Go durations are read to the ns', () => {
  const durations: [string, bigint][] = [
    ['0', 0n],
    ['1.2s', 1_200_000_000n],
    ['100ms', 100_000_000n],
    ['500us', 500_000n],
    ['500µs', 500_000n],
    ['500μs', 500_000n],
    ['7ns', 7n],
    ['1h30m', 5_400_000_000_000n],
    ['1.5h1ns', 5_400_000_000_001n],
    ['.5ms', 500_000n],
    ['+2s', 2_000_000_000n],
    ['0.000000001s', 1n],
    ['9223372036854775807ns', 9_223_372_036_854_775_807n],
  ];
  for (const [text, nanos] of durations) assert.equal(parseGoDuration(text), nanos, text);
});

test('what is no duration is refused', () => {
  for (const text of [
    '',
    '1',
    's',
    '1x',
    '-1s',
    '1s ',
    '1 s',
    '1s2',
    '1e3s',
    '.s',
    '999999999h',
    '9223372036854775808ns',
  ]) {
    assert.equal(parseGoDuration(text), undefined, text);
  }
});
