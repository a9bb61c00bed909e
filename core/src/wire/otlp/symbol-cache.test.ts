// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeText } from '#model/utf8.ts';
import { SymbolCache } from './symbol-cache.ts';

test('a symbol is made once for the same message and schema URL', () => {
  const cache = new SymbolCache();
  let made = 0;
  const get = (message: string | undefined, schemaUrl: string): string =>
    new TextDecoder().decode(
      cache.get(
        message === undefined ? undefined : encodeText(message),
        encodeText(schemaUrl),
        (raw, url) => {
          made++;
          const text = raw === undefined ? 'none' : new TextDecoder().decode(raw);
          return new TextEncoder().encode(`${text}|${new TextDecoder().decode(url)}`);
        },
      ),
    );
  const asked: [string | undefined, string, string][] = [
    [undefined, '', 'none|'],
    ['', '', '|'],
    ['ab', '', 'ab|'],
    ['', 'ab', '|ab'],
    ['a', 'b', 'a|b'],
    [undefined, 'ab', 'none|ab'],
  ];
  for (let round = 0; round < 3; round++) {
    for (const [message, url, expected] of asked) assert.equal(get(message, url), expected);
  }
  assert.equal(made, asked.length);
});

test('a stream of ever new messages is forgotten in time, and stays right', () => {
  const cache = new SymbolCache();
  const none = new Uint8Array(0);
  for (let i = 0; i < 5000; i++) {
    const message = encodeText(`${i}`.repeat(i % 700 === 0 ? 300_000 : 5));
    for (let again = 0; again < 2; again++) {
      const symbol = cache.get(message, none, (raw) => Uint8Array.from(raw!.subarray(0, 8)));
      assert.deepEqual(symbol, message.slice(0, 8));
    }
  }
});
