// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { AT_ONCE_BYTES, BodyBuffer } from './body-buffer.ts';
import { MemoryBudget } from './memory-budget.ts';

function buffer(capBytes: number, declaredBytes?: number, budgetBytes = 1 << 26): BodyBuffer {
  const lease = new MemoryBudget(budgetBytes).reserve(0);
  assert.ok(lease);
  return new BodyBuffer({ capBytes, lease, reservedBytes: 0 }, declaredBytes);
}

test('pieces come back joined, of known and of unknown length', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }),
      fc.boolean(),
      fc.nat(70_000),
      (pieces, declared, filler) => {
        const all = Buffer.concat([Buffer.alloc(filler, 1), ...pieces]);
        const body = buffer(1 << 20, declared ? all.length : undefined);
        if (filler > 0) body.append(Buffer.alloc(filler, 1));
        for (const piece of pieces) body.append(piece);
        assert.equal(body.length, all.length);
        assert.deepEqual(Buffer.from(body.finish()), all);
      },
    ),
  );
});

test('a body in one piece is that piece', () => {
  const piece = Buffer.from('whole');
  for (const declaredBytes of [piece.length, undefined]) {
    const body = buffer(100, declaredBytes);
    body.append(piece);
    assert.equal(body.finish(), piece);
  }
});

test('a body over the cap or over the budget is refused', () => {
  const code = (expected: string) => (error: unknown) =>
    error instanceof SpoorError && error.code === expected;
  const capped = buffer(10);
  capped.append(Buffer.alloc(10));
  assert.throws(() => capped.append(Buffer.alloc(1)), code('too_large'));

  const budget = new MemoryBudget(1000);
  const other = budget.reserve(600);
  const lease = budget.reserve(0);
  assert.ok(lease);
  const body = new BodyBuffer({ capBytes: 5000, lease, reservedBytes: 0 });
  body.append(Buffer.alloc(300));
  assert.throws(() => body.append(Buffer.alloc(300)), code('overloaded'));
  // More than the whole budget: sending it again would never help.
  assert.throws(() => body.append(Buffer.alloc(1000)), code('too_large'));
  other?.release();
  body.append(Buffer.alloc(300));
  assert.equal(body.length, 600);
  body.discard();
  lease.release();
  assert.equal(budget.figures.usedBytes, 0);
});

test('a body byte by byte costs no more than twice its size', () => {
  const budget = new MemoryBudget();
  const lease = budget.reserve(0);
  assert.ok(lease);
  const body = new BodyBuffer({ capBytes: 1 << 20, lease, reservedBytes: 0 });
  for (let i = 0; i < 300_000; i++) body.append(Buffer.from([i & 255]));
  assert.equal(body.finish()[299_999], 299_999 & 255);
  assert.ok(budget.figures.peakBytes <= 2 * 300_000);
});

test('a large body of known length holds what has come of it, at most four times over', () => {
  const declaredBytes = 10 * 1024 * 1024;
  const budget = new MemoryBudget();
  const lease = budget.reserve(0)!;
  const body = new BodyBuffer({ capBytes: declaredBytes, lease, reservedBytes: 0 }, declaredBytes);
  const piece = Buffer.alloc(64 * 1024, 7);
  let copies = 0;
  let heldBytes = 0;
  while (body.length < declaredBytes) {
    body.append(piece);
    assert.ok(lease.bytes <= Math.max(AT_ONCE_BYTES, 4 * body.length));
    if (lease.bytes !== heldBytes) copies++;
    heldBytes = lease.bytes;
  }
  assert.equal(copies, 4);
  assert.equal(lease.bytes, declaredBytes);
  assert.ok(Buffer.from(body.finish()).every((byte) => byte === 7));
});

test('with little room a body grows by less, and not by each piece', () => {
  const declaredBytes = 10 * 1024 * 1024;
  const budget = new MemoryBudget(declaredBytes + AT_ONCE_BYTES);
  const other = budget.reserve(declaredBytes / 2)!;
  const lease = budget.reserve(0)!;
  const body = new BodyBuffer({ capBytes: declaredBytes, lease, reservedBytes: 0 }, declaredBytes);
  const steps = new Set<number>();
  while (body.length < 4 * 1024 * 1024) {
    body.append(Buffer.alloc(16 * 1024));
    steps.add(lease.bytes);
  }
  assert.ok(steps.size < 12);
  other.release();
  while (body.length < declaredBytes) body.append(Buffer.alloc(16 * 1024));
  assert.equal(body.finish().length, declaredBytes);
});

test('a body that is slow in coming is the same, and holds no more than three times what has come', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 30 }),
      fc.nat(30),
      fc.boolean(),
      (sizes, slowAt, declared) => {
        const all = Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, i)));
        const lease = new MemoryBudget().reserve(AT_ONCE_BYTES)!;
        const bounds = { capBytes: 1 << 21, lease, reservedBytes: lease.bytes };
        const body = new BodyBuffer(bounds, declared ? all.length : undefined);
        for (const [i, size] of sizes.entries()) {
          if (i === slowAt) body.keepSmall();
          body.append(all.subarray(body.length, body.length + size));
          if (i >= slowAt) assert.ok(lease.bytes <= Math.max(4096, 3 * body.length));
        }
        assert.deepEqual(Buffer.from(body.finish()), all);
        // What has come is not touched any more.
        body.keepSmall();
        assert.deepEqual(Buffer.from(body.finish()), all);
        lease.release();
      },
    ),
  );
});
