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

test('lists of more and more words are sorted by one sorter, each with its item', () => {
  const sorter = new WordSorter();
  // In descending order, but for one; and all equal, but for the last.
  const descending = (i: number): number => (i === 0 ? 0 : 2 ** 32 - i * 9);
  for (const count of [0, 1, 48, 49, 257, 258, 100, 2000]) {
    for (const wordAt of [descending, (i: number): number => (i === count - 1 ? 3 : 5)]) {
      const words = Uint32Array.from({ length: count }, (_, i) => wordAt(i));
      const expected = words.toSorted();
      const items = words.map((word) => ~word);
      sorter.sort(words, items);
      assert.ok(
        expected.every((word, i) => words[i] === word && items[i] === ~word >>> 0),
        `${count} words`,
      );
    }
  }
});

test('the end of a word is where the next one begins', () => {
  const sorted = Uint32Array.of(1, 1, 7, 2 ** 32 - 1, 2 ** 32 - 1);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((at) => endOfWord(sorted, at)),
    [2, 2, 3, 5, 5],
  );
});
