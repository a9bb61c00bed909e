// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { constants, createZstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { seededWords } from '../testing/symbol-fixture.ts';
import { MAX_ENCODED_BYTES, ZstdEncoder } from './zstd-encoder.ts';

const LEVEL = 1;

type WriteSync = (
  this: Handle,
  flush: number,
  from: Uint8Array,
  fromOffset: number,
  fromLength: number,
  to: Uint8Array,
  toOffset: number,
  toLength: number,
) => void;

/** What all streams of zstd that compress write with. */
interface Handle {
  writeSync: WriteSync;
  /** What Node calls of it when zstd failed. */
  onerror(message: string, errno: number, code: string): void;
}

const handles = Object.getPrototypeOf(
  (createZstdCompress() as unknown as { _handle: Handle })._handle,
) as Handle;

function once(raw: Uint8Array): Buffer {
  return zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
}

function assertEncodes(encoder: ZstdEncoder, raw: Uint8Array): void {
  const bytes = encoder.encode(raw);
  assert.ok(bytes !== undefined);
  assert.equal(bytes.buffer.byteLength, bytes.length);
  assert.ok(zstdDecompressSync(bytes).equals(raw));
  const other = once(raw);
  // Where output fills 64 KiB just so, a new stream ends a block early, and needs nine bytes more.
  assert.ok(other.equals(bytes) || other.length === bytes.length + 9);
}

const word = seededWords(1);
/** What does not become smaller. */
const noise = Buffer.from(Uint32Array.from({ length: MAX_ENCODED_BYTES / 4 }, word).buffer);

/** Noise, then what repeats: any share of each, of any size that is encoded. */
const raws = fc
  .record({
    noiseBytes: fc.oneof(fc.constantFrom(0, noise.length), fc.nat(noise.length)),
    piece: fc.uint8Array(),
    times: fc.nat(5000),
  })
  .map(({ noiseBytes, piece, times }) => {
    const pieces = Array.from({ length: times }, () => piece);
    return Buffer.concat([noise.subarray(0, noiseBytes), ...pieces]).subarray(0, MAX_ENCODED_BYTES);
  });

test('one encoder compresses to what Node does with a new stream or less, again and again', () => {
  const encoder = new ZstdEncoder(LEVEL);
  const empty = new Uint8Array(0);
  assertEncodes(encoder, empty);
  fc.assert(
    fc.property(fc.array(raws, { minLength: 1, maxLength: 5 }), (list) => {
      for (const raw of list) assertEncodes(encoder, raw);
    }),
    { numRuns: 50 },
  );
  assertEncodes(encoder, empty);
});

test('what was given is not touched by what comes after', () => {
  const encoder = new ZstdEncoder(LEVEL);
  const raw = Buffer.from('abcdefgh'.repeat(5000));
  const bytes = encoder.encode(raw)!;
  assertEncodes(encoder, noise);
  assert.ok(once(raw).equals(bytes));
});

test('what is too large is not encoded, and what comes then is', () => {
  const encoder = new ZstdEncoder(LEVEL);
  assertEncodes(encoder, Buffer.from('abc'));
  assert.ok(encoder.encode(new Uint8Array(MAX_ENCODED_BYTES + 1)) === undefined);
  assertEncodes(encoder, Buffer.from('abc'));
});

test('another Node is left alone', () => {
  assert.equal(new ZstdEncoder(LEVEL, '27.0.0').encode(Buffer.from('abc')), undefined);
});

async function assertReplaced(t: TestContext, writeSync: WriteSync): Promise<void> {
  const encoder = new ZstdEncoder(LEVEL);
  const raw = noise.subarray(0, 40_000);
  assertEncodes(encoder, raw);
  const { mock } = t.mock.method(handles, 'writeSync', writeSync);
  assert.ok(encoder.encode(raw) === undefined);
  assert.equal(mock.callCount(), 1);
  mock.restore();
  assertEncodes(encoder, raw);
  // Streams tell of their errors in a later turn, when nobody is to be hurt by it.
  await new Promise((resolve) => setImmediate(resolve));
}

test('a frame for which there was no room is thrown away with its stream', async (t) => {
  const { writeSync } = handles;
  await assertReplaced(t, function (flush, from, fromOffset, fromLength, to, toOffset) {
    writeSync.call(this, flush, from, fromOffset, fromLength, to, toOffset, 1000);
  });
});

test('a stream that failed is thrown away', async (t) => {
  await assertReplaced(t, function () {
    this.onerror('Allocation error', 64, 'ZSTD_error_memory_allocation');
  });
});
