// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatLogfmt, parseLogfmt } from './logfmt.ts';

test('attributes are read as key=value pairs, with quotes where a value has spaces', () => {
  assert.deepEqual(parseLogfmt('error=true  http.response.status_code=500'), {
    value: [
      ['error', 'true'],
      ['http.response.status_code', '500'],
    ],
  });
  assert.deepEqual(parseLogfmt(String.raw` msg="a \"b\" = c\n" 用户="张 三" empty="" `), {
    value: [
      ['msg', 'a "b" = c\n'],
      ['用户', '张 三'],
      ['empty', ''],
    ],
  });
  assert.deepEqual(parseLogfmt('   '), { value: [] });
});

test('what cannot be read is refused with the reason and the place', () => {
  const cases: [string, RegExp][] = [
    ['error', /“error” has no value. Write error=…/],
    ['a=1 b= c=2', /“b=” has no value/],
    ['=5', /key is missing before “=5”/],
    ['a="x', /quote in the value of “a” is not closed/],
    ['a="x"y', /space is missing after the quoted value of “a”/],
    ['a=1 a=2', /“a” is given twice/],
    ['a=b=c', /has a quote or = in it/],
    [`a=${'x'.repeat(5000)}`, /5002 characters; 4096/],
  ];
  for (const [text, reason] of cases) {
    const result = parseLogfmt(text);
    assert.ok('error' in result, text);
    assert.match(result.error, reason);
  }
});

test('what is written is read back', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9._-]{0,10}$/);
  fc.assert(
    fc.property(fc.dictionary(key, fc.string({ maxLength: 20 })), (attributes) => {
      const pairs = Object.entries(attributes);
      assert.deepEqual(parseLogfmt(formatLogfmt(pairs)), { value: pairs });
    }),
  );
});
