// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compressFrame, decompress } from './zstd.ts';
import { MAX_ENCODED_BYTES } from './zstd-encoder.ts';

test('a frame of any size is compressed, and becomes what it was', () => {
  const most = MAX_ENCODED_BYTES;
  for (const length of [0, 1, 40_000, most, most + 1, 9, 20 * most, 40_000]) {
    const raw = Buffer.from(Array.from({ length }, (_, at) => at % 251));
    const bytes = compressFrame(raw);
    assert.ok(bytes.length < 64 + length / 2);
    assert.ok(decompress(bytes, length).equals(raw));
  }
});
