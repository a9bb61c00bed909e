// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeText } from '#model/utf8.ts';
import { parseRegex } from './regex-syntax.ts';
import { Regex } from './regex.ts';
import { requiredParts, requiredText } from './required-text.ts';

function foldAscii(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)));
}

function textOf(pattern: string): string | undefined {
  const text = requiredText(parseRegex(pattern));
  return text === undefined ? undefined : Buffer.from(text).toString();
}

test('what every match has in it is the longest stretch of characters that are certain', () => {
  assert.equal(textOf('.*no abcd.*'), 'no abcd');
  assert.equal(textOf('^/api/[^/]+/items$'), '/items');
  assert.equal(textOf('a(b(?:c))d'), 'abcd');
  assert.equal(textOf('a\\bb\\x63\\.\\Q*\\E'), 'abc.*');
  assert.equal(textOf('é猫.😀'), 'é猫');
  assert.equal(textOf('(?i)Id=(?-i)Id'), '=Id');
});

test('of a long text the beginning is enough', () => {
  assert.equal(textOf(`.*${'a'.repeat(900)}.*`), 'a'.repeat(32));
});

test('what is repeated counts once, and not at all where it may be left out', () => {
  assert.equal(textOf('ab(cd)+ef'), 'abcd');
  assert.equal(textOf('a{3}'), 'a');
  assert.equal(textOf('ab{1}c'), 'abc');
  assert.equal(textOf('ab?c'), 'a');
  assert.equal(textOf('x(long)*y{0}(text)?'), 'x');
});

test('choices, classes and half a surrogate pair give nothing', () => {
  for (const pattern of ['', '.*', 'abc|abd', '(?:abc|abd)', '[ab]', '(?i)abc', '\\d', '\ud800']) {
    assert.equal(textOf(pattern), undefined, pattern);
  }
});

test('all stretches of characters that are certain but for their case are in every match', () => {
  const partsOf = (pattern: string): string[] =>
    requiredParts(parseRegex(pattern)).map((part) => Buffer.from(part).toString());
  assert.deepEqual(partsOf('.*(?i)Time-?out (in|of) .*é.*Retry 1[2]'), [
    'Time',
    'out ',
    ' ',
    'Retry 12',
  ]);
  assert.deepEqual(partsOf('[aA]b(cd)+[xy]z'), ['abcd', 'z']);
  assert.deepEqual(partsOf('.*|a'), []);
  // Only letters of ASCII are folded: `K` of Kelvin is no `k`.
  assert.deepEqual(partsOf('(?i)a\\x{212a}b'), ['a', 'b']);
  assert.deepEqual(partsOf('[1Q][@`]'), []);
});

test('whatever matches a pattern has its required text', () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    'é',
    '😀',
    '.',
    '[ab]',
    '[b]',
    '\\b',
    '^',
    '$',
    '(?i)a',
    '[Ba]',
    '[aA]',
    ' ',
  );
  const pattern = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{0}', '{1}', '{2}', '{1,2}', '{2,}'))
        .map(([a, q]) => `(${a})${q}`),
    ),
  })).node;
  const text = fc.array(fc.constantFrom('a', 'A', 'b', 'é', 'É', ' ', '\n', '😀'), {
    maxLength: 6,
  });
  let matching = 0;
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 20, maxLength: 20 }), (source, texts) => {
      const regex = new Regex(source);
      for (const parts of texts) {
        const bytes = encodeText(parts.join(''));
        if (!regex.matches(bytes, 0, bytes.length)) continue;
        const lower = foldAscii(bytes);
        for (const part of regex.requiredParts) assert.ok(lower.includes(foldAscii(part)), source);
        if (regex.requiredText === undefined) continue;
        matching++;
        assert.ok(
          Buffer.from(bytes).includes(regex.requiredText),
          `${source} on ${parts.join('')}`,
        );
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(matching > 0);
});
