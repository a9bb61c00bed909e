// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './duration.ts';

test('durations are written with three significant digits and a thin space', () => {
  const cases: [number, string][] = [
    [0, '0 µs'],
    [0.25, '250 ns'],
    [5, '5 µs'],
    [5.25, '5.25 µs'],
    [873, '873 µs'],
    [999.4, '999 µs'],
    [999.6, '1.00 ms'],
    [1000, '1.00 ms'],
    [12_345, '12.3 ms'],
    [999_499, '999 ms'],
    [999_500, '1.00 s'],
    [1_240_000, '1.24 s'],
    [59_940_000, '59.9 s'],
    [90_000_000, '1.50 min'],
    [8_100_000_000, '2.25 h'],
    [30 * 86_400e6, '30.0 d'],
    [400 * 86_400e6, '400 d'],
    [-1500, '−1.50 ms'],
    [Number.NaN, '–'],
  ];
  for (const [us, text] of cases) assert.equal(formatDuration(us), text.replace(' ', '\u2009'));
});

test('durations are read as Go writes them', () => {
  const cases: [string, number][] = [
    ['1.2s', 1_200_000],
    ['100ms', 100_000],
    ['500us', 500],
    ['500 µs', 500],
    ['1m30s', 90_000_000],
    ['2h', 7_200_000_000],
    ['.5ms', 500],
  ];
  for (const [text, us] of cases) assert.deepEqual(parseDuration(text), { value: us });
});

test('a duration without unit, with a wrong one or with a sign is refused with the reason', () => {
  const cases: [string, RegExp][] = [
    ['100', /“100” has no unit/],
    ['5 lightyears', /no unit “lightyears”/],
    ['-5ms', /“-5ms” is not a duration/],
    ['1s!', /“!” is not a duration/],
    ['', /Write a duration/],
    ['1toString', /There is no unit “to”/],
  ];
  for (const [text, reason] of cases) {
    const result = parseDuration(text);
    assert.ok('error' in result, text);
    assert.match(result.error, reason);
  }
});
