// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import type { AttributeColumn } from '@spoor/core/model/span-columns.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { tableOf, valuesOf } from './testing/symbol-fixture.ts';
import { type ColumnValues, compareEntries, uniteTables, uniteValues } from './value-dictionary.ts';

/** A column of these values, with a dictionary or plain. */
function columnOf(type: ValueType, values: readonly Uint8Array[], plain = false): AttributeColumn {
  const rest = { level: AttributeLevel.span, type, key: 0, count: values.length };
  if (plain) return { ...rest, codes: undefined, values: tableOf(values) };
  const distinct = new Map(values.map((value) => [Buffer.from(value).toString('latin1'), value]));
  const keys = [...distinct.keys()];
  const codeOf = new Map(keys.map((key, code) => [key, code]));
  const codes = values.map((value) => codeOf.get(Buffer.from(value).toString('latin1'))!);
  return {
    ...rest,
    codes: Uint32Array.from(codes),
    values: tableOf([...distinct.values()]),
  };
}

/** The values of a source's rows, looked up in the united table. */
function lookedUp(united: ColumnValues, column: AttributeColumn, source: number): Buffer[] {
  const values = valuesOf(united.table);
  return Array.from({ length: column.count }, (_, i) => {
    const entry = column.codes?.[i] ?? i;
    return values[united.maps[source]![entry]!]!;
  });
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

const sourcesOf = (value: fc.Arbitrary<Uint8Array>) =>
  fc.array(fc.tuple(fc.array(value, { maxLength: 30 }), fc.boolean()), { maxLength: 4 });

test('the values of a column are united, each distinct one once, in the order of their bytes', () => {
  fc.assert(
    fc.property(sourcesOf(text), (lists) => {
      const sources = lists.map(([values, plain]) => columnOf(ValueType.string, values, plain));
      const united = uniteValues(ValueType.string, sources);
      assert.equal(united.plain, false);
      const all = buffers(lists.flatMap(([values]) => values));
      const distinct = [...new Map(all.map((value) => [value.toString('latin1'), value])).values()];
      assert.deepEqual(valuesOf(united.table), distinct.sort(Buffer.compare));
      lists.forEach(([values], s) => {
        assert.deepEqual(lookedUp(united, sources[s]!, s), buffers(values));
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
    )
    .map(int);
  fc.assert(
    fc.property(sourcesOf(value), (lists) => {
      const sources = lists.map(([values, plain]) => columnOf(ValueType.int, values, plain));
      const united = uniteValues(ValueType.int, sources);
      const found = valuesOf(united.table).map(readInt);
      const distinct = [...new Set(lists.flatMap(([values]) => values.map(readInt)))];
      assert.deepEqual(
        found,
        distinct.sort((a, b) => (a < b ? -1 : 1)),
      );
      lists.forEach(([values], s) => {
        assert.deepEqual(lookedUp(united, sources[s]!, s), buffers(values));
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
  const halves = [texts, texts.toReversed()].map((half) => half.map(encodeText));
  const sources = halves.map((half) => columnOf(ValueType.string, half));
  const united = uniteValues(ValueType.string, sources);
  assert.equal(united.plain, false);
  assert.equal(valuesOf(united.table).join(), texts.toSorted().join());
  assert.equal(lookedUp(united, sources[0]!, 0).join(), texts.join());
  assert.equal(lookedUp(united, sources[1]!, 1).join(), texts.toReversed().join());
});

test('a column of mostly distinct values is stored plain from 1,024 values on', () => {
  const values = (count: number, distinct: number) =>
    Array.from({ length: count }, (_, i) => encodeText(`value ${i % distinct}`));
  const unite = (count: number, distinct: number, plainSource: boolean) => {
    const all = values(count, distinct);
    const cut = Math.floor(count / 3);
    const parts = [all.slice(0, cut), all.slice(cut)];
    const sources = parts.map((part) => columnOf(ValueType.string, part, plainSource));
    const united = uniteValues(ValueType.string, sources);
    parts.forEach((part, s) => assert.deepEqual(lookedUp(united, sources[s]!, s), buffers(part)));
    return united.plain;
  };
  assert.equal(unite(1023, 1023, false), false);
  assert.equal(unite(1024, 1024, false), true);
  assert.equal(unite(1024, 716, false), false);
  assert.equal(unite(1024, 717, false), true);
  // What came plain stays plain without a look at its values.
  assert.equal(unite(1023, 1023, true), false);
  assert.equal(unite(1024, 10, true), true);
});

test('a column is plain when most of its values came plain, with the others beside them', () => {
  const many = Array.from({ length: 1500 }, (_, i) => encodeText(`id ${i}`));
  const few = ['b', 'a', 'b', ''].map(encodeText);
  const sources = [columnOf(ValueType.string, few), columnOf(ValueType.string, many, true)];
  const united = uniteValues(ValueType.string, sources);
  assert.equal(united.plain, true);
  assert.deepEqual(lookedUp(united, sources[0]!, 0), buffers(few));
  assert.deepEqual(lookedUp(united, sources[1]!, 1), buffers(many));
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
