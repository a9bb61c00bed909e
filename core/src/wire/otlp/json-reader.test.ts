// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JsonFields } from './json-fields.ts';
import { JsonReader, NULL_FIELD, WrongValue } from './json-reader.ts';

function readerOf(text: string): JsonReader {
  const reader = new JsonReader();
  reader.begin(new TextEncoder().encode(text));
  return reader;
}

function textOf(reader: JsonReader): string {
  return new TextDecoder().decode(reader.textBytes.subarray(reader.textStart, reader.textEnd));
}

/** Whether the whole text is one value, as the reader passes over it. */
function isPassed(text: string, limitStep = Infinity): boolean {
  const reader = readerOf(text);
  try {
    reader.beginSkip();
    while (!reader.resumeSkip(reader.position + limitStep));
    reader.space();
    return reader.position === reader.bytes.length;
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'malformed');
    return false;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('what is passed over as JSON is what JSON.parse takes, in one go or in parts', () => {
  const json = fc.json({ stringUnit: 'grapheme' });
  const spaced = json.map((text) => JSON.stringify(JSON.parse(text), undefined, '\t'));
  const tokens = fc
    .array(
      fc.constantFrom(
        ...'{}[],:'.split(''),
        '""',
        '"a"',
        '"\\n"',
        '"\\x"',
        '"\\u12"',
        '"\t"',
        '0',
        '-1',
        '01',
        '1.5e3',
        '1e',
        'true',
        'nul',
        'null',
        ' ',
        '\n',
        '\u00a0',
      ),
      { maxLength: 9 },
    )
    .map((list) => list.join(''));
  const broken = fc
    .tuple(json, fc.nat(200), fc.constantFrom('', ',', '}', ']', '"', '\\', '1'))
    .map(([text, at, wrong]) => text.slice(0, at) + wrong + text.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(json, spaced, tokens, broken), (text) => {
      assert.equal(isPassed(text), isJson(text), text);
      assert.equal(isPassed(text, 1), isJson(text), text);
    }),
    { numRuns: 1000 },
  );
});

test('texts are what JSON.parse makes of them', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (content, isEscaped) => {
      let text = JSON.stringify(content);
      if (isEscaped) {
        const escapes = content
          .split('')
          .map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
        text = `"${escapes.map((escape) => `\\u${escape}`).join('')}"`;
      }
      const reader = readerOf(text);
      reader.string();
      assert.equal(textOf(reader), content);
      assert.equal(reader.position, reader.bytes.length);
    }),
  );
});

test('unescaped texts stay as they are while others follow', () => {
  const reader = readerOf(
    `[${Array.from({ length: 200 }, (_, i) => `"\\u0061${'x'.repeat(i)}"`).join()}]`,
  );
  const kept: [Uint8Array, string][] = [];
  reader.enterList();
  for (let more = true, i = 0; more; more = reader.nextItem(), i++) {
    reader.string();
    const range = reader.textBytes.subarray(reader.textStart, reader.textEnd);
    kept.push([range, `a${'x'.repeat(i)}`]);
  }
  assert.equal(kept.length, 200);
  for (const [range, text] of kept) assert.equal(new TextDecoder().decode(range), text);
});

test('members are found by name, null ones are passed over', () => {
  const fields = JsonFields.ofMessage({ trace_id: 1, name: 2, some_longer_name: 3 });
  const reader = readerOf(
    '{"traceId":1 , "trace_id" : 2,"n\\u0061me":3,"someLongerName":4,"some_longer_name":null,"x":5,"":6,"traceid":7}',
  );
  const found: number[] = [];
  for (let more = reader.enterObject(); more; more = reader.nextMember()) {
    const field = reader.field(fields);
    found.push(field);
    if (field !== NULL_FIELD) reader.skipValue();
  }
  assert.deepEqual(found, [1, 1, 2, 3, NULL_FIELD, 0, 0, 0]);
});

test('a value of the wrong kind and a broken one are told apart', () => {
  assert.throws(() => readerOf('5').string(), WrongValue);
  assert.throws(() => readerOf('[1]').enterObject(), WrongValue);
  assert.throws(() => readerOf('"a"').enterList(), WrongValue);
  assert.throws(() => readerOf('0').boolean(), WrongValue);
  assert.throws(() => readerOf('"1"').number(), WrongValue);
  const broken: [string, (reader: JsonReader) => void, RegExp][] = [
    ['', (reader) => reader.enterObject(), /truncated: not an object at byte 0, the end/],
    ['"abc', (reader) => reader.string(), /truncated: a string does not end at byte 4, the end/],
    ['"a\nc"', (reader) => reader.string(), /control character in a string at byte 2/],
    ['"\\q"', (reader) => reader.string(), /unknown escape at byte 2/],
    ['"\\u00x0"', (reader) => reader.string(), /no hex digit in an escape at byte 5/],
    ['tru', (reader) => reader.boolean(), /truncated: no value at byte 3/],
    ['trux', (reader) => reader.boolean(), /no value at byte 3/],
  ];
  for (const [text, read, message] of broken) {
    assert.throws(() => read(readerOf(text)), { code: 'malformed', message }, text);
  }
});
