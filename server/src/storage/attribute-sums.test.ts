// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import {
  ATTRIBUTE_LIMITS,
  type AttributeLimits,
  AttributeNameSum,
  AttributeValueSum,
} from './attribute-sums.ts';

function tableOf(texts: readonly string[]): SymbolTable {
  const offsets = new Uint32Array(texts.length + 1);
  texts.forEach((text, i) => (offsets[i + 1] = offsets[i]! + text.length));
  return { count: texts.length, offsets, bytes: encodeText(texts.join('')), hashes: undefined };
}

const WINDOW = { startMinUnixNano: 0n, startMaxUnixNano: 1n };

function sumOfAll(limit: number, more: { limits?: AttributeLimits; prefix?: string } = {}) {
  const { limits, prefix = '' } = more;
  return new AttributeValueSum({ ...WINDOW, scope: 'span', name: 'a', prefix, limit }, limits);
}

test('a value that is frequent is found behind any number of rare ones', () => {
  const rare = Array.from({ length: 250_000 }, (_, i) => `rare ${i}`);
  const table = tableOf([...rare, 'late', 'early']);
  const sum = sumOfAll(2);
  sum.addEntry(ValueType.string, table, rare.length + 1, 3);
  for (let entry = 0; entry < rare.length; entry++) sum.addEntry(ValueType.string, table, entry, 1);
  for (let i = 0; i < 5; i++) sum.addEntry(ValueType.string, table, rare.length, 1);
  const { entries, isComplete } = sum.result();
  assert.deepEqual(
    entries.map(({ value, count }) => [value, count]),
    [
      ['late', 5],
      ['early', 3],
    ],
  );
  assert.equal(isComplete, false);
});

test('few values are all there', () => {
  const table = tableOf(['x', 'y']);
  const sum = sumOfAll(2);
  sum.addEntry(ValueType.string, table, 0, 1);
  sum.addEntry(ValueType.string, table, 1, 2);
  const { entries, isComplete } = sum.result();
  assert.deepEqual(
    entries.map(({ value }) => value),
    ['y', 'x'],
  );
  assert.equal(isComplete, true);
});

test('longer values than may be listed are left out, which is said where they would be listed', () => {
  const { textLength } = ATTRIBUTE_LIMITS;
  const table = tableOf(['x'.repeat(textLength), 'y'.repeat(textLength + 1)]);
  for (const [prefix, lengths, isComplete] of [
    ['', [textLength], false],
    ['x', [textLength], true],
    ['y', [], false],
    ['z', [], true],
  ] as const) {
    const sum = sumOfAll(10, { prefix });
    for (const entry of [0, 1]) sum.addEntry(ValueType.string, table, entry, 1);
    const result = sum.result();
    assert.deepEqual(
      result.entries.map(({ value }) => value.length),
      lengths,
      prefix,
    );
    assert.equal(result.isComplete, isComplete, prefix);
  }
});

test('names have the limits of values', () => {
  const names = ['long one', 'short', 'late', 'early'];
  const limits = { entries: 10, textLength: 5, keptLength: 24 };
  const sum = new AttributeNameSum({ ...WINDOW, prefix: '', limit: 10 }, limits);
  const none = tableOf([]);
  names.forEach((_, key) => {
    const list = [{ level: AttributeLevel.span, key }];
    sum.addCounts({ keys: tableOf(names), resources: none }, list, [key], []);
  });
  const { entries, isComplete } = sum.result();
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['early', 'late'],
  );
  assert.equal(isComplete, false);
});

test('of values that have too many characters together the rare ones are left out', () => {
  const limits = { entries: 1000, textLength: 100, keptLength: 4000 };
  const rare = Array.from({ length: 500 }, (_, i) => `rare ${i}`.padEnd(90, '.'));
  const often = Array.from({ length: 10 }, (_, i) => `often ${i}`.padEnd(90, '.'));
  const table = tableOf([...rare, ...often]);
  const sum = sumOfAll(1000, { limits });
  for (let entry = 0; entry < rare.length; entry++) {
    sum.addEntry(ValueType.string, table, entry, 1);
    sum.addEntry(ValueType.string, table, rare.length + (entry % often.length), 1);
  }
  const { entries, isComplete } = sum.result();
  assert.deepEqual(
    entries.slice(0, 10).map(({ value, count }) => [value, count]),
    often.map((value) => [value, 50]),
  );
  assert.ok(entries.length > 20 && entries.length * 90 <= 4000, `${entries.length} are kept`);
  assert.equal(isComplete, false);
});
