// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeText } from '#model/utf8.ts';
import { TagText } from './tag-text.ts';

test('a text that is taken away does not keep its request', () => {
  const text = new TagText();
  const request = encodeText('a request');
  text.set(request, 2, 9);
  assert.deepEqual([text.isThere, text.isEmpty, text.bytes], [true, false, request]);
  text.clear();
  assert.deepEqual([text.isThere, text.isEmpty, text.bytes.length], [false, true, 0]);
});
