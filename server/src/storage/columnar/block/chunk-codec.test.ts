// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { getUint32 } from '@spoor/core/model/uint32.ts';
import {
  codeAt,
  ByteSink,
  codesLength,
  countCodes,
  decodeCodes,
  decodePlanes,
  encodeCodes,
  encodePlanes,
  putUint32,
} from './chunk-codec.ts';

/** The chunk that `write` appends after some other bytes, with more bytes behind it. */
function chunkOf(write: (sink: ByteSink) => void): { chunk: Uint8Array; length: number } {
  const sink = new ByteSink(3);
  sink.append(Uint8Array.of(9, 9, 9));
  write(sink);
  const { length } = sink;
  sink.append(Uint8Array.of(255, 255));
  return { chunk: sink.bytes.subarray(3, sink.length), length: length - 3 };
}

function codesChunk(values: readonly number[]): { chunk: Uint8Array; length: number } {
  // The list may be longer than what is asked for.
  const list = Uint32Array.from([...values, 0xffffffff]);
  return chunkOf((sink) => encodeCodes(sink, list, values.length));
}

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const codes = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 255 })),
  fc.array(fc.integer({ min: 0, max: 65_535 })),
  fc.array(word),
  fc.tuple(word, fc.integer({ min: 1, max: 50 })).map(([value, count]) => Array(count).fill(value)),
);

test('codes come back as they were, and a chunk says how long it is', () => {
  fc.assert(
    fc.property(codes, (values: number[]) => {
      const { chunk, length } = codesChunk(values);
      assert.deepEqual([...decodeCodes(chunk, values.length)], values);
      values.forEach((value, at) => assert.equal(codeAt(chunk, at), value));
      assert.equal(codesLength(chunk, values.length), length);
    }),
  );
});

test('codes take as many bytes as their largest needs, and five where all are equal', () => {
  const sizes: [readonly number[], number][] = [
    [[], 5],
    [[0], 5],
    [[0xffffffff], 5],
    [[7, 7, 7, 7], 5],
    [[0, 255], 1 + 2],
    [[0, 256], 1 + 4],
    [[65_535, 0, 1], 1 + 6],
    [[65_536, 0], 1 + 8],
    [[0xffffffff, 0], 1 + 8],
    [[0x80000000, 0], 1 + 8],
  ];
  for (const [values, expected] of sizes) {
    const { chunk, length } = codesChunk(values);
    assert.equal(length, expected, String(values));
    assert.deepEqual([...decodeCodes(chunk, values.length)], values);
  }
});

const EDGES = [0n, 1n, 255n, 256n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n];

const longs = fc.oneof(
  fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  fc.array(fc.constantFrom(...EDGES)),
  ...[8n, 16n, 24n, 32n, 40n, 48n, 56n].map((bits) =>
    fc.array(fc.bigInt({ min: 0n, max: 2n ** bits - 1n })),
  ),
);

test('numbers of 64 bits come back from planes as they were', () => {
  fc.assert(
    fc.property(longs, (values) => {
      const lo = Uint32Array.from(values, (value) => Number(value & 0xffffffffn));
      const hi = Uint32Array.from(values, (value) => Number(value >> 32n));
      const { chunk, length } = chunkOf((sink) => encodePlanes(sink, lo, hi, values.length));
      const widest = values.reduce((max, value) => (value > max ? value : max), 0n);
      const width = Math.ceil(widest.toString(2).length / 8);
      assert.equal(length, 1 + (widest === 0n ? 0 : width) * values.length);
      assert.deepEqual(decodePlanes(chunk, values.length), { lo, hi });
      const [from, count] = [values.length >> 2, values.length >> 1];
      assert.deepEqual(decodePlanes(chunk, values.length, count, from), {
        lo: lo.slice(from, from + count),
        hi: hi.slice(from, from + count),
      });
    }),
  );
});

test('a sink grows to what is put in, and keeps what it had', () => {
  fc.assert(
    fc.property(fc.nat(20), fc.array(fc.uint8Array({ maxLength: 40 })), (size, pieces) => {
      const sink = new ByteSink(size);
      for (const piece of pieces) sink.append(piece);
      const expected = Buffer.concat(pieces);
      assert.deepEqual(Buffer.from(sink.bytes.subarray(0, sink.length)), expected);
    }),
  );
});

test('a u32 is written little endian and read back', () => {
  const bytes = new Uint8Array(6);
  putUint32(bytes, 1, 0x8badf00d);
  assert.deepEqual([...bytes], [0, 0x0d, 0xf0, 0xad, 0x8b, 0]);
  assert.equal(getUint32(bytes, 1), 0x8badf00d);
});

test('how often each number is among the first ones of a chunk is counted', () => {
  for (const numbers of [
    [7, 7, 7],
    [1, 2, 1, 255],
    [300, 2, 300],
    [70_000, 1, 70_000],
  ]) {
    const sink = new ByteSink(16);
    encodeCodes(sink, Uint32Array.from(numbers), numbers.length);
    for (let count = 0; count <= numbers.length; count++) {
      const times = new Uint32Array(70_001);
      times[1] = 5;
      countCodes(sink.bytes, count, times);
      const expected = new Uint32Array(70_001);
      expected[1] = 5;
      for (const number of numbers.slice(0, count)) expected[number]!++;
      assert.deepEqual(times, expected);
    }
  }
});
