// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { webLink } from './web-link.ts';

test('only a value that is a whole http or https URL becomes a link', () => {
  assert.equal(webLink('https://example.org/a?b=1'), 'https://example.org/a?b=1');
  assert.equal(webLink('HTTP://example.org'), 'http://example.org/');
  for (const text of [
    'javascript:alert(1)',
    ' https://example.org',
    'see https://example.org',
    'https://',
    'http://[::1',
    'data:text/html,x',
    `https://example.org/${'x'.repeat(3000)}`,
  ]) {
    assert.equal(webLink(text), undefined, text);
  }
});
