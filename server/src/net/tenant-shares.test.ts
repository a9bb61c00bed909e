// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTenant } from '@spoor/core/model/ids.ts';
import { MemoryBudget, type MemoryLease } from './memory-budget.ts';
import { TenantShares } from './tenant-shares.ts';

const TENANTS = ['a', 'b', 'c', 'd', 'newcomer'].map(parseTenant);

test('however many tenants flood, each gets the same, and one that comes later as much', () => {
  for (let floods = 1; floods <= 4; floods++) {
    const budget = new MemoryBudget(1_000_000);
    const shares = new TenantShares(budget);
    const held = new Map<string, number>();
    const fill = (tenant: (typeof TENANTS)[number]): boolean => {
      const lease = shares.of(tenant).reserve(1000);
      if (lease !== undefined) held.set(tenant, (held.get(tenant) ?? 0) + 1000);
      return lease !== undefined;
    };
    while (TENANTS.slice(0, floods).filter(fill).length > 0);
    const fair = 1_000_000 / (floods + 1);
    for (const bytes of held.values())
      assert.ok(Math.abs(bytes - fair) <= 2000, `${floods}: ${bytes}`);
    while (fill(TENANTS[4]!));
    assert.ok(held.get('newcomer')! >= fair / 2 - 1000);
  }
});

test('a lease of a share grows, shrinks and ends in the share and in the whole', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.nat(4), fc.constantFrom('reserve', 'grow', 'shrink', 'release'), fc.nat(300)),
        {
          maxLength: 60,
        },
      ),
      (steps) => {
        const budget = new MemoryBudget(1000);
        const refused: string[] = [];
        const shares = new TenantShares(budget, (tenant) => refused.push(tenant));
        const leases = TENANTS.map((): MemoryLease[] => []);
        const heldBy = (index: number): number =>
          leases[index]!.reduce((sum, { bytes }) => sum + bytes, 0);
        for (const [index, what, bytes] of steps) {
          const before = heldBy(index);
          const free = budget.freeBytes;
          const refusals = refused.length;
          const lease = leases[index]!.at(-1);
          let grew: boolean | undefined;
          if (what === 'reserve') {
            const made = shares.of(TENANTS[index]!).reserve(bytes);
            if (made !== undefined) leases[index]!.push(made);
            grew = made !== undefined;
          } else if (what === 'grow' && lease !== undefined) grew = lease.grow(bytes);
          else if (what === 'shrink') lease?.shrink(bytes);
          else if (what === 'release') leases[index]!.pop()?.release();
          if (grew !== undefined) {
            assert.equal(grew, before + bytes <= free);
            assert.equal(refused.length - refusals, grew ? 0 : 1);
          }
          const sum = TENANTS.reduce((total, _, i) => total + heldBy(i), 0);
          assert.equal(budget.figures.usedBytes, sum);
          assert.equal(budget.figures.leases, leases.flat().length);
        }
        for (const lease of leases.flat()) lease.release();
        assert.equal(budget.figures.usedBytes, 0);
      },
    ),
  );
});

test('what can never fit into a share is told from what has no room now', () => {
  const shares = new TenantShares(new MemoryBudget(1001));
  assert.equal(shares.of(TENANTS[0]!).limitBytes, 500);
  assert.equal(shares.of(TENANTS[0]!).reserve(10)?.limitBytes, 500);
});

test('a tenant that floods is refused before the others when work piles up', () => {
  const pressure = { soonBytes: () => 1000 };
  const shares = new TenantShares(new MemoryBudget(1_000_000, pressure));
  const [flood, other] = [shares.of(TENANTS[0]!), shares.of(TENANTS[1]!)];
  let taken = 0;
  while (flood.reserve(100) !== undefined) taken += 100;
  assert.equal(taken, 500);
  assert.ok(other.reserve(100));
  assert.equal(flood.reserve(100), undefined);
});
