// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupAttributes } from './attribute-groups.ts';

test('attributes are grouped by namespace, and single ones come last together', () => {
  const keys = ['http.route', 'db.system', 'error', 'http.method', 'url.path', 'db.name', '.odd'];
  const groups = groupAttributes(keys.map((key) => ({ key, type: 'string', value: '' })));
  assert.deepEqual(
    groups.map(({ namespace, attributes }) => [namespace, attributes.map(({ key }) => key)]),
    [
      ['db', ['db.name', 'db.system']],
      ['http', ['http.method', 'http.route']],
      ['', ['.odd', 'error', 'url.path']],
    ],
  );
});
