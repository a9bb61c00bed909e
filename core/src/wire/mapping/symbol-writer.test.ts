// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeResource } from '#model/value-decoder.ts';
import { encodeText } from '#model/utf8.ts';
import { SymbolWriter } from './symbol-writer.ts';
import { TagText } from './tag-text.ts';

function tagText(bytes: Uint8Array): TagText {
  const text = new TagText();
  text.set(bytes, 0, bytes.length);
  return text;
}

test('nothing stays of a symbol that is refused', () => {
  const writer = new SymbolWriter();
  const key = tagText(encodeText('host.name'));
  const resource = (value: Uint8Array): void => {
    writer.beginResource();
    writer.textAttribute(key, tagText(value));
    writer.endResource();
  };
  // None of these bytes is UTF-8: each becomes three.
  const long = new Uint8Array(400_000).fill(255);
  assert.throws(() => resource(long), { code: 'too_large' });
  assert.equal(writer.toBytes().length, 0);
  assert.throws(() => writer.scope(tagText(long), key), { code: 'too_large' });
  assert.equal(writer.toBytes().length, 0);
  resource(encodeText('a'));
  assert.deepEqual(decodeResource(writer.toBytes()).attributes, [
    { key: 'host.name', value: { type: 'string', value: 'a' } },
  ]);
});
