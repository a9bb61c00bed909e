// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { byBytes, tableOf, valuesOf } from './testing/symbol-fixture.ts';
import { ColumnValues, compareEntries, uniteTables } from './value-dictionary.ts';

/** The values of one source, which found them to be mostly distinct or not. */
interface Source {
  readonly values: readonly Uint8Array[];
  readonly isPlain?: boolean;
}

/** A settled column of all values of the sources, and the codes that they got, source by source. */
function unite(
  type: ValueType,
  sources: readonly Source[],
): { column: ColumnValues; codes: number[][] } {
  const column = new ColumnValues(AttributeLevel.span, type, 0);
  for (const { values, isPlain } of sources) {
    column.count += values.length;
    if (isPlain === true) column.plainCount += values.length;
  }
  const codes = sources.map(({ values }) => {
    const table = tableOf(values);
    return values.map((_, entry) => column.add(table, entry));
  });
  column.settle();
  return { column, codes };
}

/** What the codes of a source stand for. */
function lookedUp(column: ColumnValues, codes: readonly number[]): Buffer[] {
  const values = valuesOf(column.table);
  return codes.map((code) => values[column.ranks === undefined ? code : column.ranks[code]!]!);
}

function int(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value, true);
  return bytes;
}

function readInt(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
}

function buffers(values: readonly Uint8Array[]): Buffer[] {
  return values.map((value) => Buffer.from(value));
}

/** Texts that share beginnings, end in zeros, or are contained in one another. */
const text = fc
  .tuple(
    fc.constantFrom('', 'http://shop.example/', '\0', 'é'),
    fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff', '😀'), maxLength: 6 }),
  )
  .map(([prefix, rest]) => encodeText(prefix + rest));

const sourcesOf = (value: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Source[]> =>
  fc.array(fc.record({ values: fc.array(value, { maxLength: 30 }), isPlain: fc.boolean() }), {
    maxLength: 4,
  });

test('the values of a column are united, each distinct one once, in the order of their bytes', () => {
  fc.assert(
    fc.property(sourcesOf(text), (sources) => {
      const { column, codes } = unite(ValueType.string, sources);
      assert.equal(column.isPlain, false);
      const all = buffers(sources.flatMap(({ values }) => values));
      const distinct = [...new Map(all.map((value) => [value.toString('latin1'), value])).values()];
      assert.deepEqual(valuesOf(column.table), distinct.sort(byBytes));
      sources.forEach(({ values }, s) => {
        assert.deepEqual(lookedUp(column, codes[s]!), buffers(values));
      });
    }),
  );
});

test('ints are ordered by what they are worth, from the most negative up', () => {
  const value = fc
    .oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(0n, -1n, 1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n, -(2n ** 32n)),
      // The same high word, low words around the sign of 32 bits.
      fc.constantFrom(2n ** 31n - 1n, 2n ** 31n, 2n ** 31n + 1n, -(2n ** 31n), -(2n ** 31n) - 1n),
      fc.bigInt({ min: 2n ** 40n, max: 2n ** 40n + 20n }),
    )
    .map(int);
  fc.assert(
    fc.property(sourcesOf(value), (sources) => {
      const { column, codes } = unite(ValueType.int, sources);
      const found = valuesOf(column.table).map(readInt);
      const distinct = [...new Set(sources.flatMap(({ values }) => values.map(readInt)))];
      assert.deepEqual(
        found,
        distinct.sort((a, b) => (a < b ? -1 : 1)),
      );
      sources.forEach(({ values }, s) => {
        assert.deepEqual(lookedUp(column, codes[s]!), buffers(values));
      });
    }),
  );
});

test('the order of two entries is that of their values', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const order = compareEntries(ValueType.string, tableOf([a, b]), 0, 1);
      assert.equal(Math.sign(order), Buffer.compare(a, b));
    }),
  );
  const table = tableOf([int(-5n), int(3n), int(2n ** 40n)]);
  assert.ok(compareEntries(ValueType.int, table, 0, 1) < 0);
  assert.ok(compareEntries(ValueType.int, table, 2, 1) > 0);
  assert.equal(compareEntries(ValueType.int, table, 2, 2), 0);
  // As bytes the int -5 is the greatest.
  assert.ok(compareEntries(ValueType.double, table, 0, 1) > 0);
});

test('a dictionary of more than 2^16 values is in order, whatever they share', () => {
  const texts = Array.from(
    { length: 70_000 },
    (_, i) => `/cart/items/${Math.imul(i, 0x9e3779b1) >>> 0}`,
  );
  // Every value twice, so that the column keeps its dictionary.
  const halves = [texts, texts.toReversed()].map((half) => ({ values: half.map(encodeText) }));
  const { column, codes } = unite(ValueType.string, halves);
  assert.equal(column.isPlain, false);
  assert.equal(valuesOf(column.table).join(), texts.toSorted().join());
  assert.equal(lookedUp(column, codes[0]!).join(), texts.join());
  assert.equal(lookedUp(column, codes[1]!).join(), texts.toReversed().join());
});

test('a column of mostly distinct values is stored plain from 1,024 values on', () => {
  const isPlain = (count: number, distinct: number, plainSource: boolean): boolean => {
    const all = Array.from({ length: count }, (_, i) => encodeText(`value ${i % distinct}`));
    const cut = Math.floor(count / 3);
    const parts = [all.slice(0, cut), all.slice(cut)];
    const sources = parts.map((values) => ({ values, isPlain: plainSource }));
    const { column, codes } = unite(ValueType.string, sources);
    parts.forEach((part, s) => assert.deepEqual(lookedUp(column, codes[s]!), buffers(part)));
    return column.isPlain;
  };
  assert.equal(isPlain(1023, 1023, false), false);
  assert.equal(isPlain(1024, 1024, false), true);
  assert.equal(isPlain(1024, 716, false), false);
  assert.equal(isPlain(1024, 717, false), true);
  // What came plain stays plain without a look at its values.
  assert.equal(isPlain(1023, 1023, true), false);
  assert.equal(isPlain(1024, 10, true), true);
});

test('a column is plain when most of its values came plain, with the others beside them', () => {
  const many = Array.from({ length: 1500 }, (_, i) => encodeText(`id ${i % 1000}`));
  const few = ['b', 'a', 'b', ''].map(encodeText);
  const sources = [{ values: few }, { values: many, isPlain: true }];
  const { column, codes } = unite(ValueType.string, sources);
  assert.equal(column.isPlain, true);
  assert.deepEqual(lookedUp(column, codes[0]!), buffers(few));
  assert.deepEqual(lookedUp(column, codes[1]!), buffers(many));
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
