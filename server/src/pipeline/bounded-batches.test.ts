// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { MAX_BATCH_BYTES } from '@spoor/core/model/span-limits.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import {
  attributes,
  event,
  resource,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { batchOf, encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import { OtlpProtoDecoder } from '@spoor/core/wire/otlp/decode.ts';
import { ProtoWriter } from '@spoor/core/wire/protobuf/writer.ts';
import { boundBatch } from './bounded-batches.ts';

const MIB = 1 << 20;

/** A span with a text of so many MiB. */
function spanOf(id: number, mib: number): Span {
  const blob = String(id % 10).repeat(mib * MIB);
  return span({ traceId: traceId(id), spanId: spanId(id), attributes: attributes({ blob }) });
}

/** An OTLP request of a span that has nothing but ids and so many empty fields. */
function bodyOfEmpty(tag: number, count: number): Uint8Array {
  const writer = new ProtoWriter();
  const starts = [1, 2, 2].map((field) => writer.begin(field));
  writer.bytesField(1, new Uint8Array(16).fill(1));
  writer.bytesField(2, new Uint8Array(8).fill(1));
  writer.raw(Buffer.alloc(count * 2, Buffer.of(tag, 0)));
  for (const start of starts.toReversed()) writer.end(start);
  return writer.toBytes();
}

function read(batches: readonly SpanBatch[]): Span[][] {
  return batches.map((batch) => {
    const reader = new SpanReader(batch);
    return Array.from({ length: batch.rows }, (_, row) => reader.read(row));
  });
}

test('a batch that is not too large stays as it is', () => {
  const batch = batchOf([spanOf(1, 2), spanOf(2, 3)]);
  const { batches, leftOut } = boundBatch(batch);
  assert.deepEqual([batches.length, leftOut], [1, 0]);
  assert.equal(batches[0], batch);
});

test('a batch that is too large is cut, in the order of its spans, and spans too large for any are left out', () => {
  const sizes = [5, 5, 9, 1, 1, 12, 6, 0];
  const spans = sizes.map((mib, i) => spanOf(i + 1, mib));
  const { batches, leftOut, leftOutBytes } = boundBatch(batchOf(spans));
  assert.deepEqual(read(batches), [
    [spans[0]],
    [spans[1]],
    [spans[3], spans[4]],
    [spans[6], spans[7]],
  ]);
  assert.equal(leftOut, 2);
  assert.ok(leftOutBytes > 9 * MIB && leftOutBytes < 9.1 * MIB, String(leftOutBytes));
  for (const { bytes } of batches) assert.ok(bytes.length <= MAX_BATCH_BYTES);
});

test('very many attributes, events or links make a span too large as well', () => {
  const good = spanOf(2, 0);
  for (const tag of [0x4a, 0x5a, 0x6a]) {
    const builder = new BatchBuilder();
    const decoder = new OtlpProtoDecoder();
    for (const body of [bodyOfEmpty(tag, 1_200_000), encodeSpans([good])]) {
      decoder.begin(body);
      decoder.decode(builder);
    }
    const { batches, leftOut } = boundBatch(builder.finish());
    assert.equal(leftOut, 1);
    assert.deepEqual(read(batches), [[good]]);
  }
});

test('a span that repeats its texts is as large as it is by itself, whatever its neighbours are', () => {
  const retry = event('retry', { a: 'a text', b: 1, c: true });
  const repeating = { ...spanOf(1, 0), events: Array.from({ length: 60_000 }, () => retry) };
  const neighbours = Array.from({ length: 9 }, (_, i) => spanOf(i + 2, 1));
  const spans = neighbours.toSpliced(4, 0, repeating);
  const { batches, leftOut } = boundBatch(batchOf(spans));
  assert.equal(leftOut, 0);
  assert.deepEqual(
    batches.map(({ rows }) => rows),
    [4, 1, 5],
  );
  assert.deepEqual(read(batches).flat(), spans);
});

test('a resource that many spans share counts once in each batch', () => {
  const shared = resource('shop', { text: 'x'.repeat(0.9 * MIB) });
  const spans = Array.from({ length: 70 }, (_, i) => ({
    ...spanOf(i + 1, 0),
    resource: shared,
    attributes: attributes({ blob: String(i).padEnd(MIB / 4, '.') }),
  }));
  const { batches } = boundBatch(batchOf(spans));
  assert.deepEqual(
    batches.map(({ rows }) => rows),
    [28, 28, 14],
  );
  for (const { bytes } of batches) assert.ok(bytes.length <= MAX_BATCH_BYTES);
  assert.deepEqual(read(batches).flat(), spans);
});
