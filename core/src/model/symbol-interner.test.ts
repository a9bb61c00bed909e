// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { collidingSymbols } from './testing/colliding-symbols.ts';
import { withoutMemoryFor } from './testing/without-memory.ts';
import { equalBytes, equalViews, hashBytes, SymbolInterner, viewOf } from './symbol-interner.ts';
import { encodeText } from './utf8.ts';
import { LONGEST_RUN } from './crowded-values.ts';

/** Entries of a table, as hex texts. */
function entries(table: SymbolInterner): string[] {
  return Array.from({ length: table.count }, (_, code) =>
    table.bytes.subarray(table.offsets[code], table.offsets[code + 1]).toHex(),
  );
}

test('a symbol interner agrees with a list of byte strings', () => {
  const symbol = fc.oneof(
    fc.uint8Array({ maxLength: 3, max: 3 }),
    fc.uint8Array({ minLength: 20, maxLength: 40 }),
  );
  const operation = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        bytes: symbol,
        before: fc.nat(5),
        after: fc.nat(5),
        isAppended: fc.constantFrom(false, false, true),
      }),
    },
    { weight: 1, arbitrary: fc.record({ keep: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 150 }), fc.boolean(), (operations, hasView) => {
      const table = new SymbolInterner(16, 4);
      // What was only appended is not found, so it has no name here.
      const model: { name: string | undefined; hex: string }[] = [];
      for (const step of operations) {
        if ('keep' in step) {
          model.length = Math.floor(model.length * step.keep);
          table.truncate(model.length);
          continue;
        }
        // In the middle of other bytes, as in a request.
        const bytes = new Uint8Array(step.before + step.bytes.length + step.after).fill(255);
        bytes.set(step.bytes, step.before);
        const end = step.before + step.bytes.length;
        const hex = step.bytes.toHex();
        if (step.isAppended) {
          assert.equal(table.append(bytes, step.before, end), model.length);
          model.push({ name: undefined, hex });
          continue;
        }
        const known = model.findIndex(({ name }) => name === hex);
        assert.equal(table.lookup(bytes, step.before, end), known);
        if (known < 0) model.push({ name: hex, hex });
        const view = viewOf(bytes);
        const code = table.intern(bytes, step.before, end, hasView ? view : undefined);
        assert.equal(code, known < 0 ? model.length - 1 : known);
        assert.ok(table.equals(code, step.bytes, 0, step.bytes.length));
        assert.ok(table.equalsView(code, view, step.before, end));
        assert.equal(table.hashes[code], hashBytes(bytes, step.before, end));
      }
      assert.deepEqual(
        entries(table),
        model.map(({ hex }) => hex),
      );
      assert.equal(table.byteCount, model.map(({ hex }) => hex).join('').length / 2);
    }),
    { numRuns: 200 },
  );
});

test('byte strings are compared by views as byte by byte', () => {
  const bytes = fc.uint8Array({ maxLength: 12, max: 1 });
  fc.assert(
    fc.property(bytes, bytes, fc.nat(4), fc.nat(4), (a, b, aStart, bStart) => {
      const length = Math.min(a.length - aStart, b.length - bStart);
      if (length < 0) return;
      const expected = a
        .subarray(aStart, aStart + length)
        .every((byte, i) => byte === b[bStart + i]);
      assert.equal(equalBytes(a, aStart, b, bStart, length), expected);
      assert.equal(equalViews(viewOf(a), aStart, viewOf(b), bStart, length), expected);
    }),
    { numRuns: 500 },
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

test('symbols whose hashes fall together are found again, also after some were forgotten', () => {
  const symbols = collidingSymbols(3 * LONGEST_RUN);
  const hashes = symbols.map((symbol) => hashBytes(symbol, 0, symbol.length));
  assert.equal(new Set(hashes).size, 1);
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          { weight: 9, arbitrary: fc.array(fc.nat(symbols.length - 1), { maxLength: 200 }) },
          { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
        ),
        { maxLength: 12 },
      ),
      (steps) => {
        const table = new SymbolInterner();
        const model: number[] = [];
        for (const step of steps) {
          if (typeof step === 'number') {
            model.length = Math.floor(model.length * step);
            table.truncate(model.length);
            continue;
          }
          for (const number of step) {
            const symbol = symbols[number]!;
            const known = model.indexOf(number);
            assert.equal(table.lookup(symbol, 0, 8), known);
            const code = table.internText(symbol, 0, 8);
            assert.equal(code, known < 0 ? model.push(number) - 1 : known);
          }
        }
        assert.deepEqual(
          entries(table),
          model.map((number) => symbols[number]!.toHex()),
        );
      },
    ),
  );
});

test('a symbol is compared with few others, however many have its hash', () => {
  let comparisons = 0;
  const countingView = (bytes: Uint8Array): DataView => {
    const view = viewOf(bytes);
    return Object.assign(viewOf(bytes), {
      getInt32: (offset: number, isLittleEndian: boolean) => {
        comparisons++;
        return view.getInt32(offset, isLittleEndian);
      },
    });
  };
  const symbols = collidingSymbols(5000);
  const table = new SymbolInterner();
  for (const [code, symbol] of symbols.entries()) {
    assert.equal(table.intern(symbol, 0, 8, countingView(symbol)), code);
  }
  assert.ok(comparisons <= symbols.length * LONGEST_RUN * 2, `${comparisons} comparisons`);
});

test('a symbol that there was no memory for is not there, and others are as before', () => {
  const table = new SymbolInterner(16, 16);
  const [short, long] = [encodeText('short'), encodeText('x'.repeat(300))];
  table.intern(short, 0, short.length);
  withoutMemoryFor('Uint8Array', () => {
    assert.throws(() => table.intern(long, 0, long.length), RangeError);
  });
  assert.equal(table.count, 1);
  assert.equal(table.lookup(long, 0, long.length), -1);
  assert.equal(table.intern(long, 0, long.length), 1);
  assert.equal(table.intern(short, 0, short.length), 0);
  table.truncate(1);
  assert.deepEqual(entries(table), [short.toHex()]);
});
