// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteCache, ENTRY_BYTES } from './frame-cache.ts';

/** Room for four entries of 25 bytes. */
const SIZE = 4 * (25 + ENTRY_BYTES);

test('the oldest that was not used goes first when the cache is full', () => {
  const cache = new ByteCache<string>(SIZE);
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, key.toUpperCase(), 25);
  assert.equal(cache.get('a'), 'A');
  cache.set('e', 'E', 25);
  assert.equal(cache.get('b'), undefined);
  assert.deepEqual(
    ['a', 'c', 'd', 'e'].map((key) => cache.get(key)),
    ['A', 'C', 'D', 'E'],
  );
});

test('where all were used the oldest goes, and what comes in stays', () => {
  const cache = new ByteCache<string>(SIZE);
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, key.toUpperCase(), 25);
  for (const key of ['d', 'c', 'b', 'a']) cache.get(key);
  cache.set('e', 'E', 1);
  assert.equal(cache.get('a'), undefined);
  assert.deepEqual(
    ['b', 'c', 'd', 'e'].map((key) => cache.get(key)),
    ['B', 'C', 'D', 'E'],
  );
  assert.equal(cache.bytes, SIZE - 24);
});

test('what was used once and never again is not spared for ever', () => {
  const cache = new ByteCache<string>(SIZE);
  cache.set('a', 'A', 25);
  cache.get('a');
  for (let i = 0; i < 8; i++) cache.set(`${i}`, '', 25);
  assert.equal(cache.get('a'), undefined);
});

test('what would take over a quarter of the cache is not kept', () => {
  const cache = new ByteCache<string>(SIZE);
  cache.set('small', 'x', 25);
  cache.set('large', 'x', 26);
  assert.equal(cache.get('large'), undefined);
  assert.equal(cache.get('small'), 'x');
});

test('there is room for what pushes nothing out', () => {
  const cache = new ByteCache<string>(SIZE);
  for (const key of ['a', 'b', 'c']) cache.set(key, '', 25);
  assert.deepEqual([cache.hasRoomFor(25), cache.hasRoomFor(26)], [true, false]);
});

test('entries whose keys begin alike are dropped together', () => {
  const cache = new ByteCache<number>(SIZE);
  for (const [i, key] of ['1:a', '1:b', '11:a', '2:a'].entries()) cache.set(key, i, 10);
  cache.drop('1:');
  assert.deepEqual(
    ['1:a', '1:b', '11:a', '2:a'].map((key) => cache.get(key)),
    [undefined, undefined, 2, 3],
  );
  assert.equal(cache.bytes, 2 * (10 + ENTRY_BYTES));
});

test('hits and misses are counted', () => {
  const cache = new ByteCache<number>(SIZE);
  cache.set('a', 1, 1);
  cache.get('a');
  cache.get('a');
  cache.get('b');
  assert.deepEqual([cache.hits, cache.misses], [2, 1]);
});

test('the bytes of a cache are those of what is in it and never over its size', () => {
  const calls = fc.array(
    fc.record({
      key: fc.constantFrom('1:a', '1:b', '1:c', '2:a', '2:b', '2:c'),
      bytes: fc.nat(40),
      do: fc.constantFrom('set', 'set', 'get', 'drop'),
    }),
  );
  fc.assert(
    fc.property(calls, (list) => {
      const cache = new ByteCache<number>(SIZE);
      for (const { key, bytes, do: what } of list) {
        if (what === 'set') cache.set(key, bytes, bytes);
        else if (what === 'get') cache.get(key);
        else cache.drop(key.slice(0, 2));
        assert.ok(cache.bytes >= 0 && cache.bytes <= SIZE);
      }
      const keys = ['1:a', '1:b', '1:c', '2:a', '2:b', '2:c'];
      const held = keys.map((key) => cache.get(key)).filter((bytes) => bytes !== undefined);
      assert.equal(
        cache.bytes,
        held.reduce((sum, bytes) => sum + bytes + ENTRY_BYTES, 0),
      );
    }),
  );
});
