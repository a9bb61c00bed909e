// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { decodeBase64 } from './json-base64.ts';

function decode(text: string): Uint8Array | undefined {
  // In the middle of other digits, which must not count.
  const bytes = new TextEncoder().encode(`AA${text}AA`);
  return decodeBase64(bytes, 2, bytes.length - 2);
}

test('base64 of both alphabets is decoded, padded or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      for (const alphabet of ['base64', 'base64url'] as const) {
        assert.deepEqual(decode(bytes.toBase64({ alphabet })), bytes);
        assert.deepEqual(decode(bytes.toBase64({ alphabet, omitPadding: true })), bytes);
      }
    }),
  );
});

test('what is not base64 is not decoded', () => {
  for (const text of [
    'A',
    'AAAAA',
    'A===',
    '====',
    '=',
    'AA=',
    'AAA==',
    'A A=',
    'AA\n=',
    'AAé',
    '=AAA',
    'AA=A',
  ]) {
    assert.equal(decode(text), undefined, text);
  }
});
