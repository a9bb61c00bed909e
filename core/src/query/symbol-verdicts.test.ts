// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SymbolInterner } from '#model/symbol-interner.ts';
import { encodeText } from '#model/utf8.ts';
import { SymbolVerdicts } from './symbol-verdicts.ts';

function add(table: SymbolInterner, text: string): void {
  const bytes = encodeText(text);
  table.intern(bytes, 0, bytes.length);
}

test('an entry is tested once, and a table that grew is looked at again', () => {
  let tests = 0;
  const verdicts = new SymbolVerdicts((bytes, start) => {
    tests++;
    return bytes[start] === 97;
  });
  const table = new SymbolInterner();
  for (const text of ['a1', 'b1', 'a2']) add(table, text);
  assert.deepEqual([...verdicts.of(table).passes], [1, 0, 1]);
  assert.equal(verdicts.of(table).passing, 2);
  assert.equal(tests, 3);
  add(table, 'a3');
  assert.deepEqual([...verdicts.of(table).passes], [1, 0, 1, 1]);
});

test('by content, a symbol that many tables repeat is tested once', () => {
  let tests = 0;
  const verdicts = new SymbolVerdicts(() => ++tests > 0, { byContent: true });
  for (let i = 0; i < 10; i++) {
    const table = new SymbolInterner();
    for (const text of ['x', 'y']) add(table, text);
    assert.equal(verdicts.of(table).passing, 2);
  }
  assert.equal(tests, 2);
});
