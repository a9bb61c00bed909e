// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { ZstdDecompress, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { ZstdDecoder } from './zstd-decoder.ts';

/** What all streams of zlib have `reset` of. */
const resettable = Object.getPrototypeOf(Object.getPrototypeOf(ZstdDecompress.prototype)) as {
  reset(): void;
};

test('one decoder gives back what was compressed, again and again', () => {
  const decoder = new ZstdDecoder();
  const pieces = fc.array(fc.oneof(fc.uint8Array(), fc.constant(new Uint8Array(9))), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 2000 }), (list, times) => {
      const raw = Buffer.concat(Array.from({ length: times }, () => list).flat());
      fc.pre(raw.length > 0);
      const into = Buffer.alloc(raw.length);
      assert.ok(decoder.decode(zstdCompressSync(raw), into));
      assert.deepEqual(into, raw);
    }),
    { numRuns: 50 },
  );
});

test('another Node is left alone', () => {
  const raw = Buffer.from('abc');
  assert.equal(new ZstdDecoder('27.0.0').decode(zstdCompressSync(raw), Buffer.alloc(3)), false);
});

test('want of memory for a context is told once, and what comes then is decoded', async (t) => {
  const decoder = new ZstdDecoder();
  const raw = Buffer.from('abcdefgh'.repeat(50));
  const bytes = zstdCompressSync(raw);
  const into = Buffer.alloc(raw.length);
  assert.ok(decoder.decode(bytes, into));
  // As Node does when the native reset fails.
  const { mock } = t.mock.method(resettable, 'reset', function (this: Duplex) {
    this.destroy();
  });
  assert.equal(decoder.decode(bytes, into), false);
  mock.restore();
  into.fill(0);
  assert.ok(decoder.decode(bytes, into));
  assert.deepEqual(into, raw);
  await new Promise((resolve) => setImmediate(resolve));
});

test('what is damaged, or not as long as was said, is not decoded, and what comes then is', async () => {
  const decoder = new ZstdDecoder();
  const raw = Buffer.from('abcdefgh'.repeat(5000));
  const bytes = zstdCompressSync(raw);
  const damaged = Buffer.from(bytes);
  damaged.fill(255, bytes.length >> 1);
  const wrong: [Uint8Array, number][] = [
    [damaged, raw.length],
    [bytes.subarray(0, -3), raw.length],
    [Buffer.concat([bytes, Buffer.from('more')]), raw.length],
    [bytes, raw.length - 1],
    [bytes, raw.length + 1],
    [Buffer.from('no zstd at all'), 8],
    [new Uint8Array(0), 8],
  ];
  for (const [wrongBytes, rawBytes] of wrong) {
    assert.equal(decoder.decode(wrongBytes, Buffer.alloc(rawBytes)), false);
    const into = Buffer.alloc(raw.length);
    assert.ok(decoder.decode(bytes, into));
    assert.deepEqual(into, raw);
  }
  // Streams tell of their errors in a later turn, when nobody is to be hurt by it.
  await new Promise((resolve) => setImmediate(resolve));
});
