// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { collidingSymbols } from '@spoor/core/model/testing/colliding-symbols.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { byBytes, int64, oddText, tableOf, valuesOf } from '../testing/symbol-fixture.ts';
import { UnionColumn, UnionValues } from './union-columns.ts';

/** The values of a column in one source, which found them to be mostly distinct or not. */
interface Source {
  readonly values: readonly Uint8Array[];
  readonly isPlain?: boolean;
}

/** A column that was united: its dictionary in order, and what each value of each source became. */
interface United {
  readonly isPlain: boolean;
  readonly dictionary: Buffer[];
  readonly found: Buffer[][];
}

/** Unites several columns at once, source by source. */
function uniteAll(
  columns: readonly { readonly type: ValueType; readonly sources: readonly Source[] }[],
): United[] {
  const list = columns.map(({ type, sources }, c) => {
    const column = new UnionColumn(AttributeLevel.span, type, c);
    for (const { values, isPlain } of sources) {
      column.count += values.length;
      if (isPlain === true) column.plainCount += values.length;
    }
    return column;
  });
  const table = new UnionValues(list, { entries: 0, bytes: 0 });
  const added: number[][][] = columns.map(() => []);
  const rounds = Math.max(0, ...columns.map(({ sources }) => sources.length));
  for (let s = 0; s < rounds; s++) {
    columns.forEach(({ sources }, c) => {
      const source = sources[s];
      if (source === undefined) return;
      const values = tableOf(source.values);
      added[c]!.push(source.values.map((_, entry) => table.add(c, values, entry)));
    });
  }
  const places = table.settle();
  return list.map((column, c) => {
    const { isPlain } = column;
    const values = valuesOf(table.valuesOf(column));
    const find = (entry: number): Buffer => values[places[entry]!]!;
    return {
      isPlain,
      dictionary: isPlain ? [] : values,
      found: added[c]!.map((entries) => entries.map(find)),
    };
  });
}

function unite(type: ValueType, sources: readonly Source[]): United {
  return uniteAll([{ type, sources }])[0]!;
}

function readInt(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
}

function buffers(values: readonly Uint8Array[]): Buffer[] {
  return values.map((value) => Buffer.from(value));
}

const sourcesOf = (value: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Source[]> =>
  fc.array(fc.record({ values: fc.array(value, { maxLength: 30 }), isPlain: fc.boolean() }), {
    maxLength: 4,
  });

test('the values of a column are united, each distinct one once, in the order of their bytes', () => {
  fc.assert(
    fc.property(sourcesOf(oddText), (sources) => {
      const { isPlain, dictionary, found } = unite(ValueType.string, sources);
      assert.equal(isPlain, false);
      const all = buffers(sources.flatMap(({ values }) => values));
      const distinct = [...new Map(all.map((value) => [value.toString('latin1'), value])).values()];
      assert.deepEqual(dictionary, distinct.sort(byBytes));
      sources.forEach(({ values }, s) => {
        assert.deepEqual(found[s], buffers(values));
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
    .map(int64);
  fc.assert(
    fc.property(sourcesOf(value), (sources) => {
      const { dictionary, found } = unite(ValueType.int, sources);
      const distinct = [...new Set(sources.flatMap(({ values }) => values.map(readInt)))];
      assert.deepEqual(
        dictionary.map(readInt),
        distinct.sort((a, b) => (a < b ? -1 : 1)),
      );
      sources.forEach(({ values }, s) => {
        assert.deepEqual(found[s], buffers(values));
      });
    }),
  );
});

test('a dictionary of more than 2^16 values is in order, whatever they share', () => {
  const texts = Array.from(
    { length: 70_000 },
    (_, i) => `/cart/items/${Math.imul(i, 0x9e3779b1) >>> 0}`,
  );
  // Every value twice, so that the column keeps its dictionary.
  const halves = [texts, texts.toReversed()].map((half) => ({ values: half.map(encodeText) }));
  const { isPlain, dictionary, found } = unite(ValueType.string, halves);
  assert.equal(isPlain, false);
  assert.equal(dictionary.join(), texts.toSorted().join());
  assert.equal(found[0]!.join(), texts.join());
  assert.equal(found[1]!.join(), texts.toReversed().join());
});

test('a column of mostly distinct values is stored plain from 1,024 values on', () => {
  const isPlain = (count: number, distinct: number, plainSource: boolean): boolean => {
    const all = Array.from({ length: count }, (_, i) => encodeText(`value ${i % distinct}`));
    const cut = Math.floor(count / 3);
    const parts = [all.slice(0, cut), all.slice(cut)];
    const sources = parts.map((values) => ({ values, isPlain: plainSource }));
    const united = unite(ValueType.string, sources);
    parts.forEach((part, s) => assert.deepEqual(united.found[s], buffers(part)));
    return united.isPlain;
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
  const { isPlain, found } = unite(ValueType.string, sources);
  assert.equal(isPlain, true);
  assert.deepEqual(found, [buffers(few), buffers(many)]);
});

test('columns that are united together keep their values apart, equal ones as well', () => {
  const column = fc.record({
    type: fc.constantFrom(ValueType.string, ValueType.bytes),
    sources: sourcesOf(oddText),
  });
  fc.assert(
    fc.property(fc.array(column, { maxLength: 12 }), (columns) => {
      const alone = columns.map(({ type, sources }) => unite(type, sources));
      assert.deepEqual(uniteAll(columns), alone);
    }),
  );
});

test('values whose hashes fall together stand once in each column, also when the table grows', () => {
  const colliding = collidingSymbols(150);
  const others = Array.from({ length: 800 }, (_, i) => encodeText(`other ${i}`));
  const sources = [
    { values: colliding },
    { values: [...others, ...colliding.toReversed()] },
    { values: [...colliding.slice(50), ...others] },
  ];
  const columns = [0, 1].map(() => ({ type: ValueType.string, sources }));
  for (const { isPlain, dictionary, found } of uniteAll(columns)) {
    assert.equal(isPlain, false);
    assert.deepEqual(dictionary, buffers([...colliding, ...others]).sort(byBytes));
    assert.deepEqual(
      found,
      sources.map(({ values }) => buffers(values)),
    );
  }
});
