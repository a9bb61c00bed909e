// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeText, encodeText } from '#model/utf8.ts';
import { TagText } from './tag-text.ts';
import { TextMemo } from './text-memo.ts';

function textsOf(...texts: string[]): TagText[] {
  return texts.map((text) => {
    const tag = new TagText();
    tag.set(encodeText(text), 0, encodeText(text).length);
    return tag;
  });
}

/** A memo, and all that it had written. */
function recorder(refused = ''): { memo: TextMemo; written: string[] } {
  const written: string[] = [];
  const memo = new TextMemo((texts, count) => {
    const list = texts
      .slice(0, count)
      .map(({ bytes, start, end }) => decodeText(bytes, start, end));
    written.push(list.join('|'));
    if (list.includes(refused)) throw new Error('refused');
  });
  return { memo, written };
}

test('texts that were written last are not written again', () => {
  const { memo, written } = recorder();
  memo.write(textsOf('a', 'bc'), 2);
  memo.write(textsOf('a', 'bc'), 2);
  memo.write(textsOf('a', 'bc', 'd'), 2);
  memo.write(textsOf('ab', 'c'), 2);
  memo.write(textsOf('a', 'bc'), 2);
  memo.write(textsOf('a'), 1);
  memo.write([], 0);
  memo.write([], 0);
  assert.deepEqual(written, ['a|bc', 'ab|c', 'a|bc', 'a', '']);
});

test('after texts that could not be written those before are written again', () => {
  const { memo, written } = recorder('bad');
  memo.write(textsOf('a'), 1);
  assert.throws(() => memo.write(textsOf('bad'), 1), /refused/);
  assert.throws(() => memo.write(textsOf('bad'), 1), /refused/);
  memo.write(textsOf('a'), 1);
  memo.write(textsOf('a'), 1);
  assert.deepEqual(written, ['a', 'bad', 'bad', 'a']);
});

test('long texts are written each time, and so are the short ones after them', () => {
  const { memo, written } = recorder();
  const long = 'x'.repeat(100_000);
  for (const text of ['a', long, long, 'a', 'a']) memo.write(textsOf(text), 1);
  assert.deepEqual(written, ['a', long, long, 'a']);
});
