// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTenant } from '@spoor/core/model/ids.ts';
import { TenantCounters } from './tenant-counters.ts';

test('a hundred tenants have figures of their own, the rest share one name that no tenant can have', () => {
  const counters = new TenantCounters();
  for (let i = 0; i < 1000; i++) counters.countTaken(parseTenant(`t${i}`), 1, 10);
  counters.countTaken(parseTenant('t5'), 2, 5);
  counters.countNoRoom(parseTenant('t999'));
  const figures = [...counters.figures()];
  assert.equal(figures.length, 101);
  assert.deepEqual(figures[5], { tenant: 't5', acceptedSpans: 3, bodyBytes: 15, noRoom: 0 });
  const { tenant, ...others } = figures[100]!;
  assert.deepEqual(others, { acceptedSpans: 900, bodyBytes: 9000, noRoom: 1 });
  assert.throws(() => parseTenant(tenant));
});
