// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byBytes, oddText, tableOf } from '../testing/symbol-fixture.ts';
import { GramSet } from './gram-set.ts';
import { allEntries } from './values-chunk.ts';

function setOf(values: readonly Uint8Array[]): GramSet {
  const grams = new GramSet();
  grams.add(tableOf(values), allEntries(values.length), 0, values.length);
  return grams;
}

/** The same text with its letters of ASCII in the other case. */
function swapped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (/[A-Za-z]/.test(String.fromCharCode(byte)) ? byte ^ 0x20 : byte));
}

test('every part of every text may be there, whatever the case of its letters and the order of the texts', () => {
  const text = fc.oneof(
    oddText,
    fc.string({ unit: 'binary', maxLength: 12 }).map((value) => Buffer.from(value)),
    fc.constantFrom('GET /Users/7', 'GET /users/71', 'é É ß K').map((value) => Buffer.from(value)),
  );
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 20 }),
      fc.boolean(),
      fc.nat(),
      fc.nat(),
      (values, isSorted, a, b) => {
        const grams = setOf(isSorted ? values.toSorted(byBytes) : values);
        for (const value of values) {
          const [start, end] = [a % (value.length + 1), b % (value.length + 1)].sort(
            (x, y) => x - y,
          );
          const part = value.subarray(start, end);
          assert.ok(grams.mayHave(part));
          assert.ok(grams.mayHave(swapped(part)));
        }
      },
    ),
  );
});

test('a text that has a run of three bytes that none has is not there, a shorter one always may be', () => {
  const grams = setOf(['select a', 'select b', 'update c'].map((value) => Buffer.from(value)));
  for (const text of ['selects', 'select c', 'no select', 'date a']) {
    assert.equal(grams.mayHave(Buffer.from(text)), false, text);
  }
  for (const text of ['', 'xx', 'SELECT A', 'elect b', 'update c']) {
    assert.equal(grams.mayHave(Buffer.from(text)), true, text);
  }
});

test('of texts that begin alike the rest is added to what is there', () => {
  const values = Array.from({ length: 300 }, (_, i) =>
    Buffer.from(`SELECT * FROM orders WHERE id = ${1000 + i}`),
  );
  const one = new GramSet();
  for (const value of values) one.add(tableOf([value]), allEntries(1), 0, 1);
  assert.deepEqual(setOf(values).bits, one.bits);
});
