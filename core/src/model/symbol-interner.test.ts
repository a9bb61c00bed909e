// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hashBytes, SymbolInterner } from './symbol-interner.ts';
import { encodeText } from './utf8.ts';

/** Entries of a table, as hex texts. */
function entries(table: SymbolInterner): string[] {
  return Array.from({ length: table.count }, (_, code) =>
    table.bytes.subarray(table.offsets[code], table.offsets[code + 1]).toHex(),
  );
}

test('a symbol interner agrees with a list of distinct byte strings', () => {
  const symbol = fc.oneof(
    fc.uint8Array({ maxLength: 3, max: 3 }),
    fc.uint8Array({ minLength: 20, maxLength: 40 }),
  );
  const operation = fc.oneof(
    { weight: 8, arbitrary: fc.record({ intern: symbol, before: fc.nat(5), after: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ keep: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const table = new SymbolInterner();
      const model: string[] = [];
      for (const step of operations) {
        if ('keep' in step) {
          const count = Math.floor(model.length * step.keep);
          table.truncate(count);
          model.length = count;
          continue;
        }
        // In the middle of other bytes, as in a request.
        const bytes = new Uint8Array(step.before + step.intern.length + step.after).fill(255);
        bytes.set(step.intern, step.before);
        const end = step.before + step.intern.length;
        const known = model.indexOf(step.intern.toHex());
        assert.equal(table.lookup(bytes, step.before, end), known);
        if (known < 0) model.push(step.intern.toHex());
        const code = table.intern(bytes, step.before, end);
        assert.equal(code, known < 0 ? model.length - 1 : known);
        assert.ok(table.equals(code, step.intern, 0, step.intern.length));
        assert.equal(table.hashes[code], hashBytes(bytes, step.before, end));
      }
      assert.deepEqual(entries(table), model);
      assert.equal(table.byteCount, model.join('').length / 2);
    }),
  );
});

test('a symbol interner finds all of 20,000 symbols again, and none after it was emptied', () => {
  const table = new SymbolInterner();
  const symbols = Array.from({ length: 20_000 }, (_, i) => encodeText(`symbol ${i}`));
  for (const [code, symbol] of symbols.entries()) {
    assert.equal(table.intern(symbol, 0, symbol.length), code);
  }
  for (const [code, symbol] of symbols.entries()) {
    assert.equal(table.lookup(symbol, 0, symbol.length), code);
  }
  table.truncate(10_000);
  assert.equal(table.lookup(symbols[9_999]!, 0, symbols[9_999]!.length), 9_999);
  assert.equal(table.lookup(symbols[10_000]!, 0, symbols[10_000]!.length), -1);
  table.truncate(0);
  assert.ok(symbols.every((symbol) => table.lookup(symbol, 0, symbol.length) === -1));
});

test('a symbol may be interned from the bytes of the table itself while they move', () => {
  const table = new SymbolInterner(16, 4);
  const long = encodeText('x'.repeat(300));
  table.intern(long, 0, long.length);
  for (let length = 299; length > 200; length--) table.intern(table.bytes, 0, length);
  assert.equal(table.count, 100);
  assert.equal(table.lookup(long, 0, 250), 50);
});

test('text that is not UTF-8 is stored mended, as the same symbol as the mended text', () => {
  const table = new SymbolInterner();
  const wrong = Uint8Array.of(0x61, 0xff, 0x62);
  const mended = encodeText('a\ufffdb');
  const code = table.internText(wrong, 0, 3);
  assert.equal(table.internText(wrong, 0, 3), code);
  assert.equal(table.internText(mended, 0, mended.length), code);
  assert.deepEqual(entries(table), [mended.toHex()]);
});
