// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationSchema, readDuration } from './duration.ts';

test('times are read with their units, one or several', () => {
  assert.equal(readDuration('500ms'), 500);
  assert.equal(readDuration('1.5s'), 1500);
  assert.equal(readDuration('1h30m'), 5_400_000);
  assert.equal(readDuration('0'), 0);
  assert.equal(readDuration('0s'), 0);
});

test('what is no time is refused', () => {
  const schema = durationSchema('1s', 'a pause.');
  assert.equal(schema.parse(undefined), '1s');
  for (const wrong of ['', '5', '1d', '1 s', '-1s', 's', '1s,', '600h', 5]) {
    assert.equal(schema.safeParse(wrong).success, false, String(wrong));
  }
  assert.throws(() => readDuration('5'), RangeError);
});
