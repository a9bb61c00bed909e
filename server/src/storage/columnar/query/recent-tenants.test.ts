// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTenant } from '@spoor/core/model/ids.ts';
import { RecentTenants } from './recent-tenants.ts';

test('what was looked at longest ago is forgotten when there are too many tenants', () => {
  const recent = new RecentTenants<string>(2);
  const made: string[] = [];
  for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) {
    const value = recent.of(parseTenant(name), () => {
      made.push(name);
      return name;
    });
    assert.equal(value, name);
  }
  assert.deepEqual(made, ['a', 'b', 'c', 'b']);
});
