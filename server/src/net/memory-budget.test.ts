// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BufferPool, pooledSize } from './buffer-pool.ts';
import { MemoryBudget, type MemoryLease } from './memory-budget.ts';

test('what does not fit is refused and counted, and what was released fits again', () => {
  const budget = new MemoryBudget(100);
  const first = budget.reserve(60);
  assert.ok(first);
  assert.equal(budget.reserve(41), undefined);
  assert.equal(first.grow(41), false);
  assert.equal(first.grow(40), true);
  assert.deepEqual(budget.figures, {
    limitBytes: 100,
    usedBytes: 100,
    peakBytes: 100,
    leases: 1,
    refusals: 2,
    pooledBytes: 0,
  });
  first.shrink(70);
  const second = budget.reserve(70);
  assert.ok(second);
  first.release();
  first.release();
  assert.equal(first.grow(1), false);
  assert.equal(budget.figures.usedBytes, 70);
  second.release();
  assert.equal(budget.figures.usedBytes, 0);
  assert.equal(budget.figures.leases, 0);
});

test('leases always add up to what is used, within the limit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.nat(4), fc.nat(400)), { maxLength: 60 }),
      (steps) => {
        const budget = new MemoryBudget(1000);
        const leases: (MemoryLease | undefined)[] = [];
        for (const [step, which, bytes] of steps) {
          const lease = leases[which];
          if (step === 0) {
            lease?.release();
            leases[which] = budget.reserve(bytes);
          } else if (step === 1) lease?.grow(bytes);
          else if (step === 2) lease?.shrink(bytes);
          else lease?.release();
          const sum = leases.reduce((total, one) => total + (one?.bytes ?? 0), 0);
          assert.equal(budget.figures.usedBytes, sum);
          assert.ok(sum <= 1000);
        }
      },
    ),
  );
});

test('buffers of a lease are used again after its release, and only then', () => {
  const budget = new MemoryBudget();
  const lease = budget.reserve(100_000);
  assert.ok(lease);
  const size = pooledSize(100_000);
  const buffer = lease.allocate(size);
  assert.notEqual(lease.allocate(size), buffer);
  lease.release();
  assert.equal(budget.figures.pooledBytes, 2 * size);
  const next = budget.reserve(size);
  assert.ok(next);
  const again = next.allocate(size);
  assert.equal(budget.figures.pooledBytes, size);
  next.discard(again);
  next.release();
  assert.equal(budget.figures.pooledBytes, 2 * size);
});

test('pooled sizes are few, never too small and at most half too large', () => {
  const sizes = new Set<number>();
  for (let bytes = 1; bytes < 2_000_000; bytes += 97) {
    const size = pooledSize(bytes);
    assert.ok(size >= bytes && size <= bytes * 1.5);
    assert.equal(pooledSize(size), size);
    if (size !== bytes) sizes.add(size);
  }
  assert.ok(sizes.size <= 9);
});

test('the pool keeps a bounded number of bytes', () => {
  const pool = new BufferPool();
  for (let i = 0; i < 100; i++) pool.giveBack(Buffer.alloc(1024 * 1024));
  assert.equal(pool.freeBytes, 8 * 1024 * 1024);
  pool.giveBack(Buffer.alloc(100));
  pool.giveBack(Buffer.alloc(100_000));
  assert.equal(pool.freeBytes, 8 * 1024 * 1024);
});

test('when more is in flight than is worked off soon, nothing new is taken and what was begun goes on', () => {
  let soonBytes = Infinity;
  const pressure = { soonBytes: () => soonBytes };
  const budget = new MemoryBudget(1000, pressure);
  const first = budget.reserve(200)!;
  soonBytes = 200;
  assert.equal(budget.reserve(1), undefined);
  assert.equal(budget.figures.refusals, 1);
  assert.equal(first.grow(100), true);
  first.shrink(150);
  // A large one is taken as soon as a small one would be, or it never were.
  const large = budget.reserve(500);
  assert.ok(large);
  assert.equal(budget.reserve(1), undefined);
  large.release();
  assert.ok(budget.reserve(1));
});

test('the nearer the process is to its limit, the less is lent, but never so little that no usual body is taken', () => {
  const MIB = 1 << 20;
  const budget = new MemoryBudget(60 * MIB);
  assert.equal(budget.freeBytes, 60 * MIB);
  const lease = budget.reserve(10 * MIB)!;
  budget.noteRoom(200 * MIB);
  assert.equal(budget.freeBytes, 50 * MIB);
  budget.noteRoom(30 * MIB);
  assert.equal(budget.freeBytes, 30 * MIB);
  budget.noteRoom(MIB);
  assert.equal(budget.freeBytes, 10 * MIB);
  budget.noteRoom(-MIB);
  assert.equal(budget.freeBytes, 0);
  lease.release();
  assert.equal(budget.freeBytes, 5 * MIB);
  const small = new MemoryBudget(MIB);
  small.noteRoom(-MIB);
  assert.equal(small.freeBytes, MIB);
});

test('who looks for room has slow bodies give theirs back, once', () => {
  let nowMs = 0;
  const budget = new MemoryBudget(100, undefined, () => nowMs);
  const told: string[] = [];
  const begin = (name: string): MemoryLease => {
    const lease = budget.reserve(30)!;
    lease.watch(() => {
      told.push(name);
      lease.trim(5);
    });
    return lease;
  };
  begin('slow');
  const whole = begin('whole');
  begin('gone').release();
  whole.unwatch();
  nowMs = 4000;
  const fresh = begin('fresh');
  assert.equal(budget.reserve(30), undefined);
  nowMs = 5000;
  assert.ok(budget.reserve(30));
  assert.deepEqual(told, ['slow']);
  fresh.release();
  nowMs = 20_000;
  assert.ok(budget.reserve(30));
  assert.deepEqual(told, ['slow']);
});
