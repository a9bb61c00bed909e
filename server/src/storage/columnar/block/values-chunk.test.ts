// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteSink } from './chunk-codec.ts';
import { seededWords, tableOf, valuesOf } from '../testing/symbol-fixture.ts';
import { allEntries, decodeValue, decodeValues, encodeValues } from './values-chunk.ts';

function chunkOf(values: readonly Uint8Array[], entries: readonly number[]): Uint8Array {
  const sink = new ByteSink(16);
  sink.append(Uint8Array.of(1, 2, 3));
  encodeValues(sink, tableOf(values), Uint32Array.from(entries), entries.length);
  return sink.bytes.slice(3, sink.length);
}

function assertRoundTrip(values: readonly Uint8Array[], entries: readonly number[]): void {
  const chunk = chunkOf(values, entries);
  const table = decodeValues(chunk, entries.length);
  assert.equal(table.count, entries.length);
  assert.equal(table.hashes, undefined);
  assert.deepEqual(
    valuesOf(table),
    entries.map((entry) => Buffer.from(values[entry]!)),
  );
  // One alone is the same, at the ends and in the middle.
  for (const index of new Set([0, entries.length >> 1, entries.length - 1])) {
    if (entries[index] === undefined) continue;
    const value = decodeValue(chunk, entries.length, index);
    assert.deepEqual([...value], [...values[entries[index]]!]);
  }
}

test('byte strings come back in the order of the entries, repeats and empty ones included', () => {
  const lists = fc
    .oneof(
      fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1 }),
      fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 }), { minLength: 1 }),
      fc.array(fc.constantFrom(new Uint8Array(0), new Uint8Array(8), new Uint8Array(25)), {
        minLength: 1,
      }),
    )
    .chain((values) => fc.tuple(fc.constant(values), fc.array(fc.nat({ max: values.length - 1 }))));
  fc.assert(fc.property(lists, ([values, entries]) => assertRoundTrip(values, entries)));
});

test('no values, one long value and many values make a chunk', () => {
  assertRoundTrip([], []);
  const next = seededWords(1);
  const long = Uint8Array.from({ length: 300_000 }, next);
  assertRoundTrip([long], [0]);
  const values = Array.from({ length: 5000 }, () => Uint8Array.from({ length: next() % 30 }, next));
  assertRoundTrip(values, [...allEntries(values.length)]);
});

test('where all values are numbers their bytes lie in planes, so that equal ones stand together', () => {
  const numbers = [1, 2, 3].map((low) => Uint8Array.of(low, 0, 0, 0, 0, 0, 0, 9));
  const chunk = chunkOf(numbers, [0, 1, 2]);
  assert.deepEqual([...chunk.subarray(5, 11)], [1, 2, 3, 0, 0, 0]);
  assert.deepEqual([...chunk.subarray(-3)], [9, 9, 9]);
});

test('all entries of a table are its indexes', () => {
  assert.deepEqual([...allEntries(0)], []);
  assert.deepEqual([...allEntries(4)], [0, 1, 2, 3]);
});
