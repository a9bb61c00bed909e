// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ShapeInterner } from './shape-interner.ts';
import { withoutMemoryFor } from './testing/without-memory.ts';

function entries(table: ShapeInterner): string[] {
  return Array.from({ length: table.count }, (_, code) =>
    table.columns.subarray(table.offsets[code], table.offsets[code + 1]).join(),
  );
}

test('a shape interner agrees with a list of distinct sequences', () => {
  const operation = fc.oneof(
    { weight: 20, arbitrary: fc.array(fc.nat(4), { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const table = new ShapeInterner();
      const model: string[] = [];
      for (const step of operations) {
        if (typeof step === 'number') {
          model.length = Math.floor(model.length * step);
          table.truncate(model.length);
          continue;
        }
        let code = model.indexOf(step.join());
        if (code < 0) code = model.push(step.join()) - 1;
        // What lies behind the sequence does not count.
        assert.equal(table.intern(Uint32Array.from([...step, 7]), step.length), code);
      }
      assert.deepEqual(entries(table), model);
      assert.equal(
        table.columnCount,
        model.reduce((sum, text) => sum + (text === '' ? 0 : text.split(',').length), 0),
      );
    }),
  );
});

test('a shape interner grows in count and in length', () => {
  const table = new ShapeInterner();
  const ids = Uint32Array.from({ length: 3_000 }, (_, i) => i);
  for (let length = 0; length < 500; length++) assert.equal(table.intern(ids, length), length);
  assert.equal(table.intern(ids, 3_000), 500);
  for (let length = 0; length < 500; length++) assert.equal(table.intern(ids, length), length);
  assert.equal(table.intern(ids, 3_000), 500);
});

test('a shape that there was no memory for is not there, and others are as before', () => {
  const interner = new ShapeInterner();
  const ids = Uint32Array.from({ length: 5000 }, (_, i) => i);
  const few = interner.intern(ids, 10);
  withoutMemoryFor('Uint32Array', () => {
    assert.throws(() => interner.intern(ids, 5000), RangeError);
  });
  assert.equal(interner.count, 1);
  assert.equal(interner.intern(ids, 10), few);
  assert.equal(interner.intern(ids, 5000), few + 1);
  // Would look for the one without a place for ever.
  interner.truncate(1);
  assert.deepEqual([interner.count, interner.columnCount], [1, 10]);
});
