// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SpoorError } from './errors.ts';
import {
  formatHex,
  formatSpanId,
  formatTraceId,
  hexDigit,
  parseHex,
  parseTenant,
  parseTraceId,
  traceIdBytes,
} from './ids.ts';

test('hex that is formatted is parsed back, in either case', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      const hex = formatHex(bytes);
      assert.equal(hex, bytes.toHex());
      assert.deepEqual(parseHex(hex), bytes);
      assert.deepEqual(parseHex(hex.toUpperCase()), bytes);
    }),
  );
});

test('a hex digit is what parseInt takes for one', () => {
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    const expected = /^[0-9a-fA-F]$/.test(character) ? Number.parseInt(character, 16) : -1;
    assert.equal(hexDigit(code), expected, `character code ${code}`);
  }
});

test('what is not hex is not parsed', () => {
  for (const text of ['0', 'abc', 'zz', '0 ', 'é0', '@f']) assert.equal(parseHex(text), undefined);
});

test('a trace id is read as people paste it', () => {
  const id = parseTraceId('ABCdef0123');
  assert.equal(id, '0000000000000000000000abcdef0123');
  assert.equal(formatTraceId(Uint8Array.of(9, ...traceIdBytes(id)), 1), id);
  assert.equal(formatSpanId(traceIdBytes(id), 8), '000000abcdef0123');
});

test('what is no trace id is refused with the text in the message', () => {
  for (const text of ['', '0', '0'.repeat(32), 'g', 'a'.repeat(33), ' ab', 'a\u0000']) {
    assert.throws(
      () => parseTraceId(text),
      (error) =>
        error instanceof SpoorError &&
        error.code === 'invalid_argument' &&
        error.message.includes(JSON.stringify(text)),
    );
  }
});

test('a tenant is a name that is safe as part of a path', () => {
  for (const text of ['default', 'A_b-9', 'x'.repeat(64)]) assert.equal(parseTenant(text), text);
  for (const text of ['', '.', '..', 'a/b', 'a.b', 'ä', 'x'.repeat(65), 'a\n']) {
    assert.throws(() => parseTenant(text), { code: 'invalid_argument' });
  }
});
