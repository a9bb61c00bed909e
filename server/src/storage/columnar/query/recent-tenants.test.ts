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

test('what was prepared is there for a question, and pushes out nothing that was asked about', () => {
  const recent = new RecentTenants<string>(2);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(parseTenant) as [Tenant, Tenant, Tenant, Tenant];
  const fail = (): never => assert.fail('it is there already');
  recent.of(a, () => 'asked');
  recent.of(b, () => 'asked');
  for (const tenant of [c, d]) recent.prepared(tenant, () => 'prepared');
  assert.equal(recent.prepared(a, fail), 'asked');
  assert.equal(recent.prepared(c, fail), 'prepared');
  assert.equal(recent.of(c, fail), 'prepared');
  // It is one of those that were asked about now, of which the oldest has gone.
  assert.equal(
    recent.prepared(a, () => 'again'),
    'again',
  );
  assert.equal(recent.prepared(d, fail), 'prepared');
  assert.deepEqual([...recent.values()], ['asked', 'prepared', 'again', 'prepared']);
});
