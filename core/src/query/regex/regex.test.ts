// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import { encodeText } from '#model/utf8.ts';
import { Regex } from './regex.ts';

function matches(pattern: string, text: string): boolean {
  const bytes = encodeText(`<${text}>`);
  return new Regex(pattern).matches(bytes, 1, bytes.length - 1);
}

function problem(pattern: string): string {
  try {
    new Regex(pattern);
  } catch (error) {
    assert.ok(error instanceof SpoorError);
    assert.equal(error.code, 'invalid_argument');
    return error.message;
  }
  return assert.fail(`${pattern} is taken`);
}

test('a pattern matches a whole text or nothing', () => {
  assert.ok(matches('GET|POST', 'POST'));
  assert.ok(!matches('GET|POST', 'POSTS'));
  assert.ok(matches('.*error.*', 'an error here'));
  assert.ok(matches('', ''));
  assert.ok(!matches('', 'x'));
  assert.ok(matches('^/api/[^/]+/items$', '/api/v1/items'));
  assert.ok(!matches('a$b', 'ab'));
});

test('characters are code points, in patterns and texts', () => {
  assert.ok(matches('.', '😀'));
  assert.ok(matches('[à-ü]{3}', 'éàü'));
  assert.ok(matches('\\x{1F600}+', '😀😀'));
  assert.ok(matches('[^a]', 'ÿ'));
  assert.ok(!matches('..', '猫'));
});

test('classes, escapes, quotations and flags are those of RE2', () => {
  assert.ok(matches('\\d\\D\\s\\S\\w\\W', '1x x_-'));
  assert.ok(matches('[[:alpha:]][[:^digit:]\\d][]a][a-]', 'xx]-'));
  assert.ok(matches('\\Qa.b\\E\\.\\x41\\n', 'a.b.A\n'));
  assert.ok(matches('(?i)straße|ΩMEGA', 'STRAßE'));
  assert.ok(matches('(?i)ωmega', 'Ωmega'));
  assert.ok(matches('(?i:A)b', 'ab') && !matches('(?i:A)b', 'aB'));
  assert.ok(matches('(?P<x>a)(?<y>b)(?:c)', 'abc'));
  assert.ok(!matches('.', '\n') && matches('(?s).', '\n') && !matches('(?s-s).', '\n'));
  assert.ok(matches('(?m)a$\n^b', 'a\nb') && !matches('a$\n^b', 'a\nb'));
  assert.ok(matches('.*\\bid\\b.*', 'an id!') && !matches('.*\\bid\\b.*', 'idle'));
  assert.ok(matches('\\A\\w\\B\\w\\z', 'ab'));
  assert.ok(matches('a{2}b{1,}c{0,2}d{x}', 'aabbbd{x}'));
  assert.ok(matches('a+?b*?c??', 'ab'));
});

test('what cannot be matched in linear time or is not understood is refused with its place', () => {
  assert.match(problem('(a)\\1'), /"\(a\)\\\\1": '\\1', which is not supported before character 6/);
  assert.match(problem('(?=a)'), /'\(\?' with "="/);
  assert.match(problem('(?<=a)'), /look-around/);
  assert.match(problem('\\p{L}'), /'\\p', which is not supported/);
  assert.match(problem('(a'), /'\(' without '\)'/);
  assert.match(problem('a)'), /'\)' without '\('/);
  assert.match(problem('*a'), /'\*' with nothing to repeat/);
  assert.match(problem('a**'), /a repetition of a repetition/);
  assert.match(problem('[a'), /the end in the middle/);
  assert.match(problem('[z-a]'), /a range that is not ascending/);
  assert.match(problem('[[:nope:]]'), /without the name of a class/);
  assert.match(problem('a{2,1}'), /\{2,1\}/);
  assert.match(problem('a{1001}'), /\{1001\}/);
  assert.match(problem('x'.repeat(1001)), /1001 characters, more than 1000/);
  assert.match(problem('((a{100}){100}){100}'), /more than 10000 steps/);
  assert.match(problem('((((){1000}){1000}){1000}){1000}'), /more than 10000 steps/);
});

test('patterns that stop a backtracking matcher are matched all the same', () => {
  assert.ok(!matches('(a*)*b', 'a'.repeat(5000)));
  assert.ok(!matches('(a|a)*b', 'a'.repeat(5000)));
  assert.ok(matches('(a?){50}a{50}', 'a'.repeat(50)));
  assert.ok(!matches('(.*a){8}', 'b'.repeat(5000)));
  assert.ok(matches('(a|b)*a(a|b){12}', `${'ab'.repeat(2000)}a${'b'.repeat(12)}`));
});

const ATOMS = ['a', 'b', '.', '[ab]', '[^a]', 'é', '\\b', '^', '$', '\\B', '(?:)'];

test('any pattern matches what JavaScript finds', () => {
  const pattern = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(...ATOMS),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,1}', '{2,}', '*?'))
        .map(([a, q]) => `(?:${a})${q}`),
    ),
  })).node;
  const text = fc.array(fc.constantFrom('a', 'b', 'é', ' ', '\n', '😀'), { maxLength: 6 });
  fc.assert(
    fc.property(pattern, text, (source, parts) => {
      const input = parts.join('');
      // The u flag makes code points, the i and m flags are off; \b is ASCII in both.
      const expected = new RegExp(`^(?:${source})$`, 'u').test(input);
      assert.equal(matches(source, input), expected, `${source} on ${JSON.stringify(input)}`);
    }),
    { numRuns: 1000 },
  );
});
