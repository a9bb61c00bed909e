// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
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

test('what is known of a tenant can be looked at without use, and taken away', () => {
  const recent = new RecentTenants<number>(2);
  const [a, b, c] = ['a', 'b', 'c'].map(parseTenant) as [Tenant, Tenant, Tenant];
  recent.of(a, () => 1);
  recent.of(b, () => 2);
  assert.equal(recent.known(a), 1);
  recent.of(c, () => 3);
  assert.equal(recent.known(a), undefined);
  assert.equal(recent.take(b), 2);
  assert.equal(recent.take(b), undefined);
  assert.equal(recent.known(c), 3);
});
