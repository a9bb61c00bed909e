// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ValueType } from '@spoor/core/model/attributes.ts';
import { countedReads } from '@spoor/core/model/testing/counted-reads.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { int64, oddText, tableOf, valuesOf } from '../testing/symbol-fixture.ts';
import { compareEntries, EntrySorter, uniteTables } from './value-dictionary.ts';
import { allEntries } from './values-chunk.ts';

test('the order of two entries is that of their values', () => {
  fc.assert(
    fc.property(oddText, oddText, (a, b) => {
      const order = compareEntries(ValueType.string, tableOf([a, b]), 0, 1);
      assert.equal(Math.sign(order), Buffer.compare(a, b));
    }),
  );
  const table = tableOf([int64(-5n), int64(3n), int64(2n ** 40n)]);
  assert.ok(compareEntries(ValueType.int, table, 0, 1) < 0);
  assert.ok(compareEntries(ValueType.int, table, 2, 1) > 0);
  assert.equal(compareEntries(ValueType.int, table, 2, 2), 0);
  // As bytes the int -5 is the greatest.
  assert.ok(compareEntries(ValueType.double, table, 0, 1) > 0);
});

test('entries are sorted by their values, however much they have in common', () => {
  const isOrdered = (type: ValueType, values: readonly Uint8Array[]): boolean => {
    const table = tableOf(values);
    const order = Uint32Array.from(values, (_, entry) => entry);
    new EntrySorter().sort(type, table, order, 0, order.length);
    const expected = [...values.keys()].sort((a, b) => compareEntries(type, table, a, b));
    return expected.every((entry, i) => entry === order[i]);
  };
  const letter = fc.constantFrom(0, 1, 255);
  const bytes = fc
    .uniqueArray(fc.array(letter, { maxLength: 12 }), { maxLength: 60, selector: String })
    .map((lists) => lists.map((list) => Uint8Array.from(list)));
  const few = fc.bigInt({ min: -3n, max: 3n });
  const ints = fc
    .uniqueArray(fc.tuple(few, few), { maxLength: 49, selector: String })
    .map((pairs) => pairs.map(([high, low]) => int64(high * 2n ** 32n + low)));
  fc.assert(
    fc.property(bytes, (values) => {
      assert.ok(isOrdered(ValueType.string, values));
      const shared = values.map((value) => Buffer.concat([Buffer.from('/api/v1/'), value]));
      assert.ok(isOrdered(ValueType.string, shared));
    }),
  );
  fc.assert(fc.property(ints, (values) => isOrdered(ValueType.int, values)));
});

test('values that share less and less are sorted in few steps, however long some of them are', () => {
  const chain = Array.from({ length: 200 }, (_, i) => encodeText(`${'a'.repeat(i * 4)}b`));
  const long = ['c', 'd'].map((end) => encodeText('a'.repeat(20_000) + end));
  const leaving = Array.from({ length: 100 }, (_, i) =>
    encodeText('a'.repeat(i * 8) + 'c'.repeat(2000 - i * 8)),
  );
  for (const values of [
    [...long, ...chain],
    [...long, ...leaving],
  ]) {
    const table = tableOf(values);
    const counted = countedReads(table.bytes);
    const order = allEntries(table.count);
    const sorter = new EntrySorter();
    sorter.sort(ValueType.string, { ...table, bytes: counted.values }, order, 0, order.length);
    assert.ok(
      counted.reads < table.bytes.length * 30,
      `${counted.reads} reads of ${table.bytes.length} bytes`,
    );
  }
});

test('tables are united in order of first appearance', () => {
  const tables = [['b', 'a'], [], ['a', 'c', 'b']].map((list) => tableOf(list.map(encodeText)));
  const { table, maps } = uniteTables(tables);
  assert.deepEqual(valuesOf(table).map(String), ['b', 'a', 'c']);
  assert.deepEqual(
    maps.map((map) => [...map]),
    [[0, 1], [], [1, 2, 0]],
  );
});
