// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { decodeText, encodeText, isValidUtf8, toValidUtf8 } from './utf8.ts';

/** The first and last of each kind of byte in table 3-7 of the Unicode standard. */
const EDGES = [
  0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
  0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
];

function agrees(bytes: Uint8Array, start: number, end: number): void {
  const part = bytes.subarray(start, end);
  let text: string | undefined;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(part);
  } catch {
    text = undefined;
  }
  assert.equal(isValidUtf8(bytes, start, end), text !== undefined, part.toHex());
  const mended = new TextDecoder('utf-8', { ignoreBOM: true }).decode(part);
  assert.equal(decodeText(bytes, start, end), mended);
  assert.deepEqual(toValidUtf8(part), encodeText(mended));
}

test('the check for UTF-8 agrees with the platform on all sequences of two edge bytes', () => {
  for (const a of EDGES) for (const b of EDGES) agrees(Uint8Array.of(a, b), 0, 2);
});

test('the check for UTF-8 agrees with the platform on sequences of edge bytes and of texts', () => {
  const edge = fc.constantFrom(...EDGES);
  const text = fc.string({ unit: 'binary', maxLength: 30 }).map((value) => [...encodeText(value)]);
  const bytes = fc.oneof(
    fc.array(edge, { maxLength: 6 }),
    fc.tuple(text, fc.array(edge, { maxLength: 2 }), text).map((parts) => parts.flat()),
  );
  fc.assert(
    fc.property(bytes, fc.nat(3), fc.nat(3), (list, before, after) => {
      // The bytes around the range are halves of characters and must not count.
      const all = Uint8Array.from([
        ...[0xe2, 0x82, 0xf0].slice(0, before),
        ...list,
        ...[0x80, 0xbf, 0x80].slice(0, after),
      ]);
      agrees(all, before, before + list.length);
    }),
    { numRuns: 200 },
  );
});

test('text is decoded from shared memory', () => {
  const text = 'ein längerer Text, länger als vierundzwanzig Bytes';
  const bytes = encodeText(text);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  assert.equal(decodeText(shared, 0, shared.length), text);
  assert.deepEqual(toValidUtf8(shared), bytes);
});

test('a lone surrogate is encoded as U+FFFD', () => {
  assert.deepEqual(encodeText('a\ud800b'), encodeText('a\ufffdb'));
});
