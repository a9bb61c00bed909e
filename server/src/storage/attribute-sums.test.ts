// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ValueType } from '@spoor/core/model/attributes.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { AttributeValueSum } from './attribute-sums.ts';

function tableOf(texts: readonly string[]): SymbolTable {
  const offsets = new Uint32Array(texts.length + 1);
  texts.forEach((text, i) => (offsets[i + 1] = offsets[i]! + text.length));
  return { count: texts.length, offsets, bytes: encodeText(texts.join('')), hashes: undefined };
}

function sumOfAll(limit: number): AttributeValueSum {
  const window = { startMinUnixNano: 0n, startMaxUnixNano: 1n };
  return new AttributeValueSum({ ...window, scope: 'span', name: 'a', prefix: '', limit });
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
