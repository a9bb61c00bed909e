// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BatchBuilder } from './batch-builder.ts';
import { SpoorError } from './errors.ts';
import { SpanBatch } from './span-batch.ts';
import { SpanReader } from './span-reader.ts';
import { scriptedSpan, uniqueSpan, writeSpan } from './testing/scripted-span.ts';

function exampleBatch(): SpanBatch {
  const builder = new BatchBuilder();
  fc.sample(scriptedSpan, { numRuns: 20, seed: 1 }).forEach((span) => writeSpan(builder, span));
  for (let i = 0; i < 1030; i++) writeSpan(builder, uniqueSpan(i));
  return builder.finish();
}

/** All that a batch holds, as values that can be compared. */
function contentOf(batch: SpanBatch): unknown {
  const { bytes, ...rest } = batch;
  const reader = new SpanReader(batch);
  return {
    length: bytes.length,
    rest,
    cells: batch.cells,
    columns: batch.columns.map(({ level, type, key, count, isPlain, codes, values }) => ({
      level,
      type,
      key,
      count,
      isPlain,
      codes,
      values,
    })),
    spans: Array.from({ length: batch.rows }, (_, row) => reader.read(row)),
  };
}

test('a batch is opened again from its bytes', () => {
  fc.assert(
    fc.property(fc.array(scriptedSpan, { maxLength: 10 }), (spans) => {
      const builder = new BatchBuilder();
      for (const span of spans) writeSpan(builder, span);
      const batch = builder.finish();
      assert.equal(batch.bytes.length % 8, 0);
      assert.deepEqual(contentOf(new SpanBatch(batch.bytes.slice())), contentOf(batch));
    }),
  );
});

test('a batch is opened from the middle of shared memory', () => {
  const batch = exampleBatch();
  const memory = new Uint8Array(new SharedArrayBuffer(batch.bytes.length + 24), 12);
  memory.set(batch.bytes);
  const opened = new SpanBatch(memory.subarray(0, batch.bytes.length));
  assert.ok(opened.traceId.buffer instanceof SharedArrayBuffer);
  const reader = new SpanReader(batch);
  const sharedReader = new SpanReader(opened);
  for (let row = 0; row < batch.rows; row++) {
    assert.deepEqual(sharedReader.read(row), reader.read(row));
  }
});

test('an empty batch has no rows and is opened again', () => {
  const batch = new BatchBuilder().finish();
  assert.equal(batch.rows, 0);
  assert.equal(batch.events, undefined);
  assert.equal(batch.links, undefined);
  assert.equal(new SpanBatch(batch.bytes.slice()).rows, 0);
});

test('bytes that are cut off, misaligned or of another format are refused as corrupt', () => {
  const { bytes } = exampleBatch();
  const refused = (wrong: Uint8Array): void =>
    assert.throws(() => new SpanBatch(wrong), { name: 'SpoorError', code: 'corrupt' });
  for (const length of [0, 3, 71, 72, 100, bytes.length - 8, bytes.length - 1]) {
    refused(bytes.slice(0, length));
  }
  const shifted = new Uint8Array(bytes.length + 1).subarray(1);
  shifted.set(bytes);
  refused(shifted);
  const other = bytes.slice();
  other[3] = 2;
  refused(other);
});

test('sizes in the header that do not fit the bytes are refused as corrupt', () => {
  const batch = exampleBatch();
  const headerWords = 21;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: headerWords - 1 }),
      fc.oneof(fc.nat(10), fc.nat(0xffffffff), fc.constantFrom(0xffffffff, 0x80000000, 0x3fffffff)),
      (word, value) => {
        const words = new Uint32Array(batch.bytes.slice().buffer);
        words[word] = value;
        try {
          // Some words, such as the key of a column, are content and not checked.
          void new SpanBatch(new Uint8Array(words.buffer));
        } catch (error) {
          assert.ok(error instanceof SpoorError, String(error));
          assert.equal(error.code, 'corrupt');
        }
      },
    ),
    { numRuns: 500 },
  );
});
