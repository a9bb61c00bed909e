// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RecentSymbols } from './recent-symbols.ts';
import { SymbolInterner, viewOf } from './symbol-interner.ts';
import { encodeText } from './utf8.ts';

test('a recent symbol is found with its own code or not at all', () => {
  const text = fc.oneof(fc.constantFrom('', 'a', 'b', 'ab', 'ba', 'GET', 'PUT'), fc.string());
  fc.assert(
    fc.property(fc.array(text, { maxLength: 60 }), (texts) => {
      const symbols = new SymbolInterner();
      const recent = new RecentSymbols();
      let before: string | undefined;
      for (const value of texts) {
        const bytes = encodeText(`"${value}"`);
        const end = bytes.length - 1;
        const found = recent.find(symbols, bytes, viewOf(bytes), 1, end);
        const code = symbols.internText(bytes, 1, end);
        if (found >= 0) assert.equal(found, code);
        else recent.put(code);
        if (value === before) assert.equal(found, code);
        before = value;
      }
      // What another batch makes of the same codes is told from what they stood for.
      symbols.truncate(0);
      for (const value of texts.toReversed()) {
        const bytes = encodeText(value);
        const found = recent.find(symbols, bytes, viewOf(bytes), 0, bytes.length);
        const code = symbols.internText(bytes, 0, bytes.length);
        if (found >= 0) assert.equal(found, code);
      }
    }),
  );
});
