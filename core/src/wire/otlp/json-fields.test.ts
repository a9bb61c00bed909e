// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JsonFields } from './json-fields.ts';

test('a table of names agrees with a map', () => {
  const name = fc.oneof(fc.string({ maxLength: 3 }), fc.string({ unit: 'grapheme', maxLength: 8 }));
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 60 }), fc.array(name), (names, others) => {
      const numbers = new Map(names.map((key, i) => [key, i + 1]));
      const fields = new JsonFields(Object.fromEntries(numbers));
      for (const key of [...names, ...others]) {
        const bytes = new TextEncoder().encode(`"${key}"`);
        assert.equal(fields.find(bytes, 1, bytes.length - 1), numbers.get(key) ?? 0, key);
      }
    }),
  );
});
