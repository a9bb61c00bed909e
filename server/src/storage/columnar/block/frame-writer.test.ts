// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, zstdDecompressSync } from 'node:zlib';
import type { ChunkRef } from './block-format.ts';
import { FrameWriter } from './frame-writer.ts';
import { seededWords } from '../testing/symbol-fixture.ts';

const next = seededWords(3);

function randomBytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, next);
}

function readBack(
  frames: FrameWriter,
  parts: readonly Uint8Array[],
  [frame, offset, length]: ChunkRef,
): Buffer {
  const file = Buffer.concat([new Uint8Array(8), ...parts]);
  const [at, stored, raw, crc] = frames.frames.slice(frame * 4, frame * 4 + 4);
  const bytes = file.subarray(at, at! + stored!);
  assert.equal(crc32(bytes), crc);
  const content = raw === 0 ? bytes : zstdDecompressSync(bytes);
  if (raw !== 0) assert.equal(content.length, raw);
  return Buffer.from(content.subarray(offset, offset + length));
}

test('chunks of all sizes come back from where they were put', () => {
  const frames = new FrameWriter(8);
  const sizes = [1, 100, 8191, 8192, 0, 5, 40_000, 200_000, 8000, 8000, 8000, 7, 30];
  const chunks = sizes.map((size, i) => {
    const bytes = i % 2 === 0 ? randomBytes(size) : new Uint8Array(size).fill(i);
    const ref =
      i === 5
        ? frames.rawChunk('raw', bytes)
        : frames.chunk(`chunk ${i}`, (sink) => sink.append(bytes));
    if (i === 10) frames.flush();
    return { bytes, ref };
  });
  const early = frames.takeParts();
  frames.flush();
  frames.flush();
  const parts = [...early, ...frames.takeParts()];
  for (const { bytes, ref } of chunks) {
    assert.equal(ref[2], bytes.length);
    assert.deepEqual(readBack(frames, parts, ref), Buffer.from(bytes));
  }
  const stored = parts.reduce((sum, part) => sum + part.length, 0);
  assert.equal(frames.offset, 8 + stored);
  assert.equal(frames.frames.length, parts.length * 4);
});

test('a chunk of 8 KiB has a frame of its own, smaller ones share frames of about 16 KiB', () => {
  const frames = new FrameWriter(8);
  const put = (size: number) => frames.chunk('a', (sink) => sink.append(randomBytes(size)));
  const first = put(5000);
  const large = put(8 << 10);
  const second = put(5000);
  const third = put(7000);
  const fourth = put(10);
  assert.notEqual(large[0], first[0]);
  assert.equal(large[1], 0);
  assert.deepEqual(
    [second, third].map(([frame, offset]) => [frame, offset]),
    [
      [first[0], 5000],
      [first[0], 10_000],
    ],
  );
  assert.notEqual(fourth[0], first[0]);
});

test('raw bytes are copied, so the caller may go on with its own', () => {
  const frames = new FrameWriter(8);
  const bytes = Uint8Array.of(1, 2, 3);
  const ref = frames.rawChunk('ids', bytes);
  bytes.fill(0);
  assert.deepEqual([...readBack(frames, frames.takeParts(), ref)], [1, 2, 3]);
});

test('the shares of what the frames hold add up to what is stored', () => {
  const frames = new FrameWriter(8);
  for (let i = 0; i < 40; i++) {
    frames.chunk(`attribute ${i % 3}`, (sink) => sink.append(randomBytes((i * 997) % 20_000)));
  }
  frames.rawChunk('ids', randomBytes(100));
  frames.flush();
  const stored = frames.takeParts().reduce((sum, part) => sum + part.length, 0);
  const shares = Object.values(frames.bytesBy).reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(Math.abs(shares - stored) < 1);
  assert.equal(frames.bytesBy['ids'], 100);
});
