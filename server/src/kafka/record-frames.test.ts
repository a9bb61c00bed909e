// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeFrames, encodeFrames } from './record-frames.ts';

test('records come out of their frames as they went in', () => {
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((all) => Buffer.from(all));
  const record = fc.tuple(bytes(255), bytes(300)).map(([key, value]) => ({ key, value }));
  fc.assert(
    fc.property(fc.array(record), (all) => assert.deepEqual(decodeFrames(encodeFrames(all)), all)),
  );
});

test('what is something else, or was cut, is no records', () => {
  const frames = encodeFrames([{ key: Buffer.from('k'), value: Buffer.from('value') }]);
  assert.throws(() => decodeFrames(Buffer.from('\n\x04otlp')), { code: 'config' });
  for (let end = 0; end < frames.length; end++) {
    if (end === 4) continue;
    assert.throws(() => decodeFrames(frames.subarray(0, end)), { code: 'config' }, String(end));
  }
});
