// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseScalar } from './env-expansion.ts';
import { loadYaml } from './yaml-library.ts';

/** As the library reads a text. */
function yamlOf(text: string): unknown {
  try {
    return loadYaml().parse(text) as unknown;
  } catch {
    return text;
  }
}

test('a text is what YAML says, also where the library is not asked', () => {
  const pieces = [
    'true',
    'NULL',
    'null',
    'False',
    'no',
    'e',
    'x',
    '0',
    '08',
    '7',
    '127',
    '900719925',
  ];
  const marks = [
    '.',
    ':',
    '-',
    '_',
    '/',
    ' ',
    '#',
    '+',
    '~',
    ',',
    '"',
    '[',
    '@',
    '.inf',
    '0x',
    '0o',
  ];
  const text = fc.array(fc.constantFrom(...pieces, ...marks), { maxLength: 7 });
  fc.assert(
    fc.property(text, (parts) => {
      const whole = parts.join('');
      assert.deepEqual(parseScalar(whole), yamlOf(whole), whole);
    }),
    { numRuns: 500 },
  );
});

test('usual values are read without the library', (t) => {
  const asked = t.mock.method(loadYaml(), 'parse');
  for (const text of ['4317', 'true', 'info', '/var/lib/spoor', '127.0.0.1:0', 'localhost:4318']) {
    parseScalar(text);
  }
  assert.equal(asked.mock.callCount(), 0);
});
