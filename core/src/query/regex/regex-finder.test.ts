// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeText, encodeText } from '#model/utf8.ts';
import { Regex } from './regex.ts';
import { containing, RegexFinder } from './regex-finder.ts';

function find(pattern: string, text: string): string[] {
  const bytes = encodeText(`<${text}>`);
  const ranges = new RegexFinder(pattern).findAll(bytes, 1, bytes.length - 1);
  const parts: string[] = [];
  for (let i = 0; i < ranges.length; i += 2)
    parts.push(decodeText(bytes, ranges[i]!, ranges[i + 1]!));
  return parts;
}

test('of the matches the first is taken, of those the longest, then the search goes on behind it', () => {
  assert.deepEqual(find('a|ab|bc', 'abcabc bc'), ['ab', 'ab', 'bc']);
  assert.deepEqual(find('\\d{4}', '12345678 1234 123'), ['1234', '5678', '1234']);
  assert.deepEqual(find('[\\w.]+@[\\w.]+', 'to a.b@c.de, é@x and 猫'), ['a.b@c.de']);
  assert.deepEqual(find('猫+', 'a猫猫b猫'), ['猫猫', '猫']);
});

test('empty matches are none', () => {
  assert.deepEqual(find('a*', 'baab'), ['aa']);
  assert.deepEqual(find('', 'abc'), []);
  assert.deepEqual(find('^', 'abc'), []);
});

test('assertions see the characters around a match', () => {
  assert.deepEqual(find('\\bid\\b', 'id idle id'), ['id', 'id']);
  assert.deepEqual(find('^a', 'aa'), ['a']);
  assert.deepEqual(find('a$', 'aa'), ['a']);
  assert.deepEqual(find('(?m)^a', 'aa\na'), ['a', 'a']);
});

/** Patterns without alternatives of different length at one place, where the first and the longest match are the same. */
const PATTERNS = [
  'a',
  '[ab]+',
  'a[^b]b',
  'é?b+',
  '\\bab',
  'b\\b',
  '(?:ab)+',
  'a{2,3}',
  'a.*b',
  '^a+',
  'b+$',
];

test('what is found is what JavaScript finds', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PATTERNS),
      fc.array(fc.constantFrom('a', 'b', ' ', 'é', '猫'), { maxLength: 12 }),
      (pattern, chars) => {
        const text = chars.join('');
        assert.deepEqual(find(pattern, text), text.match(new RegExp(pattern, 'gu')) ?? []);
      },
    ),
  );
});

test('where a text would be looked at again and again, its rest is one match', () => {
  const text = 'a'.repeat(2000);
  const parts = find('a(?:a*x)?', text);
  assert.equal(parts.join(''), text);
  assert.ok(parts.length < 40);
});

test('half a group is refused, though it would be whole with others around it', () => {
  assert.throws(() => new RegexFinder(')('), { code: 'invalid_argument' });
  assert.throws(() => containing(')|('), { code: 'invalid_argument' });
  assert.equal(new Regex(containing('b')).matches(encodeText('abc'), 0, 3), true);
});
