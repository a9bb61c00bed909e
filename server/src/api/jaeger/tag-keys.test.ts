// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { KeptTagKeys } from './tag-keys.ts';

function tableOf(...texts: string[]): SymbolTable {
  const entries = texts.map((text) => Buffer.from(text));
  const offsets = new Uint32Array(texts.length + 1);
  entries.forEach((entry, i) => (offsets[i + 1] = offsets[i]! + entry.length));
  return { count: texts.length, offsets, bytes: Buffer.concat(entries), hashes: undefined };
}

/** The keys of a table in the order of their tags. */
function sorted(kept: KeptTagKeys, table: SymbolTable): string[] {
  const { keys, found } = kept.of(table);
  return found
    .map((key) => ({
      text: key.text,
      tag: keys.column(key, AttributeLevel.span, ValueType.string),
    }))
    .sort((a, b) => a.tag.order - b.tag.order)
    .map(({ text }) => text);
}

test('keys that were not there before are put in order with the others', () => {
  const kept = new KeptTagKeys();
  assert.deepEqual(sorted(kept, tableOf('m', 'b', 'z')), ['b', 'm', 'z']);
  const { keys } = kept.of(tableOf('z', 'm'));
  assert.equal(kept.of(tableOf('b')).keys, keys, 'all are known');
  assert.deepEqual(sorted(kept, tableOf('\u{1f600}', 'c', '\uffff', 'é', 'b')), [
    'b',
    'c',
    'é',
    '\uffff',
    '\u{1f600}',
  ]);
  assert.deepEqual(sorted(kept, tableOf('span.kind', 'z', 'a')), ['a', 'span.kind', 'z']);
});

test('of endless keys, and of long ones, only so many are kept', () => {
  const kept = new KeptTagKeys();
  for (let i = 0; i < 5; i++) {
    const table = tableOf(...Array.from({ length: 1000 }, (_, k) => `key ${i} ${k}`));
    assert.equal(kept.of(table).found.length, 1000);
    const count = [...kept.of(table).keys.texts()].length;
    assert.ok(count >= 1000 && count <= 2048, `${count} keys`);
  }
  const { keys } = kept.of(tableOf('short'));
  const long = tableOf('x'.repeat(1 << 20), 'short');
  assert.deepEqual(sorted(kept, long), ['short', 'x'.repeat(1 << 20)]);
  assert.equal(kept.of(tableOf('short')).keys, keys, 'the long one took the place of nothing');
});
