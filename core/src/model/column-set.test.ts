// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AttributeLevel, ValueType } from './attributes.ts';
import { ColumnSet } from './column-set.ts';
import { SymbolInterner } from './symbol-interner.ts';
import { encodeText } from './utf8.ts';

const column = fc.record({
  level: fc.constantFrom(...Object.values(AttributeLevel)),
  type: fc.constantFrom(ValueType.string, ValueType.int, ValueType.bool),
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
});

const step = fc.oneof(
  { weight: 10, arbitrary: column },
  fc.constantFrom('mark', 'roll back', 'clear'),
);

test('there is one column for each level, type and key, whatever was taken back before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const keys = new SymbolInterner();
      const columns = new ColumnSet(keys);
      const known: string[] = [];
      let mark = { columns: 0, keys: 0, epoch: 0 };
      for (const one of steps) {
        if (one === 'mark') {
          mark = { columns: known.length, keys: keys.count, epoch: mark.epoch + 1 };
        } else if (one === 'roll back') {
          columns.rollback(mark.columns, mark.epoch);
          keys.truncate(mark.keys);
          known.length = mark.columns;
        } else if (one === 'clear') {
          columns.clear();
          keys.truncate(0);
          known.length = 0;
          mark = { columns: 0, keys: 0, epoch: mark.epoch + 1 };
        } else {
          const { level, type, key } = one;
          const name = `${level} ${type} ${key}`;
          if (!known.includes(name)) known.push(name);
          const bytes = encodeText(key);
          const found = columns.find(level, type, bytes, 0, bytes.length);
          assert.equal(found.id, known.indexOf(name));
          assert.deepEqual([found.level, found.type], [level, type]);
        }
        assert.deepEqual(
          columns.list.map(({ id }) => id),
          known.map((_, i) => i),
        );
      }
    }),
  );
});

test('more new columns than are allowed are refused, those that are there are found', () => {
  const columns = new ColumnSet(new SymbolInterner());
  const find = (key: string): number => {
    const bytes = encodeText(key);
    return columns.find(AttributeLevel.span, ValueType.string, bytes, 0, bytes.length).id;
  };
  find('a');
  columns.allow(1);
  assert.deepEqual([find('b'), find('a')], [1, 0]);
  assert.throws(() => find('c'), { code: 'too_large' });
});
