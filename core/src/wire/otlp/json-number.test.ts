// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JsonFields } from './json-fields.ts';
import { readDouble, readEnum, readInt64, readUint32, readUint64 } from './json-number.ts';
import { JsonReader, WrongValue } from './json-reader.ts';

/** Reads with the number at the beginning of a text, and checks where the reader then stands. */
function read<T>(text: string, what: (reader: JsonReader) => T): T {
  const reader = new JsonReader();
  reader.begin(new TextEncoder().encode(`${text} ,1`));
  const value = what(reader);
  assert.equal(reader.position, text.length);
  return value;
}

function halves(reader: JsonReader): bigint {
  return (BigInt(reader.hi) << 32n) | BigInt(reader.lo);
}

function uint64(text: string): bigint {
  return read(text, (reader) => {
    readUint64(reader);
    return halves(reader);
  });
}

function int64(text: string): bigint {
  return read(text, (reader) => {
    readInt64(reader);
    return BigInt.asIntN(64, halves(reader));
  });
}

/** Ways to write an integer. */
function formsOf(value: bigint, zeros: number): string[] {
  const digits = String(value);
  const forms = [digits, `${digits}.${'0'.repeat(zeros + 1)}`];
  if (value !== 0n) forms.push(`${digits}${'0'.repeat(zeros)}e-${zeros}`);
  const [, head, tail] = /^(-?[0-9]*?)(0*)$/.exec(digits)!;
  if (head !== '' && head !== '-')
    forms.push(`${head}E+${tail!.length}`, `${head}e${tail!.length}`);
  if (/^-?[1-9][0-9]+$/.test(digits)) {
    const first = digits.startsWith('-') ? 2 : 1;
    forms.push(`${digits.slice(0, first)}.${digits.slice(first)}e${digits.length - first}`);
  }
  return forms.flatMap((form) => [form, `"${form}"`]);
}

test('64-bit integers are exact in all forms', () => {
  const edges = [0n, 1n, 10n ** 15n - 1n, 10n ** 15n, 10n ** 19n, 2n ** 32n, 2n ** 53n + 1n];
  const unsigned = fc.oneof(
    fc.constantFrom(...edges, 2n ** 63n, 2n ** 64n - 1n),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.nat(1_000_000).map((value) => BigInt(value) * 1000n),
  );
  fc.assert(
    fc.property(unsigned, fc.nat(30), (value, zeros) => {
      for (const form of formsOf(value, zeros)) assert.equal(uint64(form), value, form);
      const signed = BigInt.asIntN(64, value);
      for (const form of formsOf(signed, zeros)) assert.equal(int64(form), signed, form);
    }),
  );
});

test('integers out of range, fractions and texts that are no numbers are wrong values', () => {
  const wrong = [
    '18446744073709551616',
    '99999999999999999999',
    '1e20',
    '1.5',
    '1e-1',
    '"1 "',
    '" 1"',
  ];
  wrong.push('"+1"', '"0x10"', '"1_0"', '""', '"-"', '"1e"', '"."', '"NaN"', '-1', '"-1"', 'true');
  wrong.push('1e99999999999', `"${'9'.repeat(2000)}"`, `1${'0'.repeat(2000)}e-2000`);
  for (const text of wrong) assert.throws(() => uint64(text), WrongValue, text);
  for (const text of ['9223372036854775808', '-9223372036854775809', '"1e19"']) {
    assert.throws(() => int64(text), WrongValue, text);
  }
  for (const text of ['4294967296', '-1', '"1.5"']) {
    assert.throws(() => read(text, readUint32), WrongValue, text);
  }
  assert.equal(read('"4294967295"', readUint32), 4294967295);
  assert.equal(uint64('-0'), 0n);
  assert.equal(uint64('0e99999999999'), 0n);
});

test('what is no JSON number refuses the request', () => {
  for (const text of ['-', '-a', '1.', '1.e5', '1e', '1e+', '.5']) {
    const reader = new JsonReader();
    reader.begin(new TextEncoder().encode(`${text},`));
    assert.throws(() => readUint64(reader), text === '.5' ? WrongValue : { code: 'malformed' });
  }
});

test('doubles are those of JSON.parse, bit by bit', () => {
  const digits = fc.array(fc.nat(9), { minLength: 1, maxLength: 25 }).map((list) => list.join(''));
  const text = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc
      .tuple(fc.constantFrom('', '-'), digits, digits, fc.constantFrom('', 'e-30', 'E+5', 'e0'))
      .map(([sign, a, b, exponent]) => `${sign}${a.replace(/^0+(?=.)/, '')}.${b}${exponent}`),
    fc.constantFrom('-0', '0.0', '-0.0', '5e-324', '1.7976931348623157e308', '9007199254740993'),
    fc.integer().map(String),
  );
  fc.assert(
    fc.property(text, (form) => {
      assert.ok(Object.is(read(form, readDouble), JSON.parse(form)), form);
      assert.ok(Object.is(read(`"${form}"`, readDouble), JSON.parse(form)), form);
    }),
    { numRuns: 500 },
  );
  assert.ok(Number.isNaN(read('"NaN"', readDouble)));
  assert.equal(read('"Infinity"', readDouble), Infinity);
  assert.equal(read('"-Infinity"', readDouble), -Infinity);
  for (const wrong of [
    '"nan"',
    '"+Infinity"',
    '"inf"',
    '1e309',
    '"1e309"',
    '""',
    '"1,5"',
    'false',
  ]) {
    assert.throws(() => read(wrong, readDouble), WrongValue, wrong);
  }
});

test('enums are read from numbers and names', () => {
  const names = new JsonFields({ ZERO: 1, ONE: 2 });
  const number = (text: string): number => read(text, (reader) => readEnum(reader, names));
  assert.equal(number('1'), 1);
  assert.equal(number('"ONE"'), 1);
  assert.equal(number('"ZERO"'), 0);
  assert.equal(number('"7"'), 7);
  assert.equal(number('-1'), 0xffffffff);
  assert.equal(number('-2147483648'), 0x80000000);
  assert.equal(number('2147483647'), 0x7fffffff);
  for (const wrong of ['2147483648', '-2147483649', '"TWO"', '"one"', '[]', '1.5']) {
    assert.throws(() => number(wrong), WrongValue, wrong);
  }
});
