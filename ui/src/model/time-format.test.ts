// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatAge,
  formatDateTimeInput,
  formatLocalTime,
  formatUtcTime,
  parseDateTimeInput,
} from './time-format.ts';

const AT_US = Date.UTC(2026, 10, 23, 6, 3, 22, 45) * 1000;

test('times are written with milliseconds', () => {
  assert.equal(formatUtcTime(AT_US), '2026-11-23 06:03:22.045 UTC');
  assert.match(formatLocalTime(AT_US), /^2026-11-2[234] \d\d:\d\d:22\.045$/);
  assert.equal(formatUtcTime(Number.NaN), '–');
});

test('ages are in the largest unit that fits', () => {
  const ages: [number, string][] = [
    [2, 'just now'],
    [42, '42 s ago'],
    [200, '3 min ago'],
    [7200, '2 h ago'],
    [200_000, '2 d ago'],
    [-300, 'in 5 min'],
  ];
  for (const [seconds, text] of ages) assert.equal(formatAge(AT_US, AT_US + seconds * 1e6), text);
});

test('a date-time input reads back what it was given, to the second', () => {
  assert.equal(parseDateTimeInput(formatDateTimeInput(AT_US)), AT_US - 45_000);
  assert.equal(parseDateTimeInput(''), undefined);
  assert.equal(parseDateTimeInput('2026-13-99T'), undefined);
});
