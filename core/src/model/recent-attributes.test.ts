// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RecentAttributes } from './recent-attributes.ts';
import { viewOf } from './symbol-interner.ts';
import { encodeText } from './utf8.ts';

const text = fc.oneof(
  fc.constantFrom('method=GET', 'method=PUT', 'method=GET ', 'nethod=GET'),
  fc.string({ maxLength: 90 }),
);

test('an attribute is found with its own column and code, at its own level, or not at all', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(text, fc.integer({ min: 0, max: 5 })), { maxLength: 60 }),
      (attributes) => {
        const recent = new RecentAttributes();
        const codes = new Map<string, number>();
        for (const [value, level] of attributes) {
          const name = `${level} ${value}`;
          const bytes = encodeText(`"${value}"`);
          const view = viewOf(bytes);
          const end = bytes.length - 1;
          if (recent.find(level, view, 1, end)) {
            assert.equal(recent.code, codes.get(name));
            assert.equal(recent.column, recent.code * 2);
          } else {
            if (!codes.has(name)) codes.set(name, codes.size);
            recent.put(level, view, 1, end, codes.get(name)! * 2, codes.get(name)!);
          }
          const isKept = end - 1 >= 8 && end - 1 <= 64;
          assert.equal(recent.find(level, view, 1, end), isKept);
        }
        recent.clear();
        for (const [value, level] of attributes) {
          const bytes = encodeText(value);
          assert.equal(recent.find(level, viewOf(bytes), 0, bytes.length), false);
        }
      },
    ),
  );
});
