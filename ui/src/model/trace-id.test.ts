// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTraceIdText } from './trace-id.ts';

test('a trace id is read in the forms in which people paste it', () => {
  const id = '4bf92f3577b34da6a3ce929d0e0e4736';
  for (const text of [
    id,
    ` ${id.toUpperCase()}\n`,
    '4bf92f35-77b3-4da6-a3ce-929d0e0e4736',
    `00-${id}-00f067aa0ba902b7-01`,
  ]) {
    assert.deepEqual(parseTraceIdText(text), { value: id });
  }
  assert.deepEqual(parseTraceIdText('0xAB'), { value: 'ab' });
});

test('what is no trace id is refused with the reason', () => {
  const cases: [string, RegExp][] = [
    ['', /Paste/],
    ['hello', /only the digits/],
    ['a'.repeat(33), /has 33/],
    ['0000', /all zeros/],
  ];
  for (const [text, reason] of cases) {
    const result = parseTraceIdText(text);
    assert.ok('error' in result, text);
    assert.match(result.error, reason);
  }
});
