// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endOfWord, WordSorter } from './word-sorter.ts';

/** Words of which many are equal, or differ in one digit only. */
const words = fc.oneof(
  fc.uint32Array({ maxLength: 400 }),
  fc
    .tuple(
      fc.constantFrom(0, 8, 16, 24),
      fc.uint32Array({ max: 3, maxLength: 400 }),
      fc.constantFrom(0, 0x12345678),
    )
    .map(([shift, digits, rest]) =>
      digits.map((digit) => (rest & ~(255 << shift)) | (digit << shift)),
    ),
);

test('words are sorted as numbers, and the items of equal ones keep their order', () => {
  const sorter = new WordSorter();
  fc.assert(
    fc.property(words, (list) => {
      const sorted = Uint32Array.from(list);
      const items = Uint32Array.from(list, (_, i) => i);
      sorter.sort(sorted, items);
      const expected = [...items.keys()].sort((a, b) => list[a]! - list[b]! || a - b);
      assert.deepEqual([...items], expected);
      assert.deepEqual(
        [...sorted],
        expected.map((item) => list[item]!),
      );
    }),
  );
});

test('lists with more and more words are sorted by one sorter', () => {
  const sorter = new WordSorter();
  for (const count of [0, 1, 48, 49, 257, 258, 100, 5000]) {
    // In descending order, but for one that has its place.
    const sorted = Uint32Array.from({ length: count }, (_, i) => (i === 0 ? 0 : 2 ** 32 - i * 9));
    const items = Uint32Array.from(sorted, (word) => ~word);
    const expected = sorted.toSorted();
    sorter.sort(sorted, items);
    assert.deepEqual(sorted, expected);
    assert.deepEqual(
      items,
      expected.map((word) => ~word),
    );
  }
});

test('the end of a word is where the next one begins', () => {
  const sorted = Uint32Array.of(1, 1, 7, 2 ** 32 - 1, 2 ** 32 - 1);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((at) => endOfWord(sorted, at)),
    [2, 2, 3, 5, 5],
  );
});
