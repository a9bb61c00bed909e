// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { createDecoder } from '#pipeline/span-decoders.ts';
import { type KafkaEncoding, RECORD_FORMATS } from './kafka-encoding.ts';
import { type TraceRecords, traceRecords } from './trace-records.ts';

// These are the keys of a constant table.
const ENCODINGS = Object.keys(RECORD_FORMATS) as KafkaEncoding[];

/** The spans of records, and checks their keys. */
function read(encoding: KafkaEncoding, { records }: TraceRecords): Span[] {
  const decoder = createDecoder(RECORD_FORMATS[encoding]);
  return records.flatMap(({ key, value, spans }) => {
    const builder = new BatchBuilder(16);
    decoder.begin(value);
    decoder.decode(builder, Infinity);
    assert.deepEqual([decoder.accepted, decoder.rejected], [spans, 0]);
    const batch = builder.finish();
    const reader = new SpanReader(batch);
    const list = Array.from({ length: batch.rows }, (_, row) => reader.read(row));
    for (const one of list) assert.equal(key.toString().padStart(32, '0'), one.traceId);
    return list;
  });
}

const idsOf = (spans: readonly Span[]): string[] =>
  spans.map((one) => `${one.traceId} ${one.spanId} ${one.name}`).toSorted();

for (const encoding of ENCODINGS) {
  test(`records of ${encoding} have every span once, under the id of its trace`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrarySpan, { maxLength: 20 }), async (spans) => {
        const records = await traceRecords(batchOf(spans), encoding, 1 << 20);
        assert.equal(records.tooLargeSpans, 0);
        assert.deepEqual(idsOf(read(encoding, records)), idsOf(spans));
      }),
      { numRuns: 30 },
    );
  });

  test(`a trace that is too large for a record of ${encoding} is split under one key`, async () => {
    const spans = Array.from({ length: 50 }, (_, i) =>
      span({ spanId: spanId(i + 1), attributes: attributes({ i: BigInt(i) }) }),
    );
    const huge = span({ traceId: traceId(2), attributes: attributes({ text: 'x'.repeat(2000) }) });
    const records = await traceRecords(batchOf([...spans, huge]), encoding, 1500);
    assert.equal(records.tooLargeSpans, 1);
    assert.ok(records.records.length > 1);
    assert.ok(records.records.every(({ value }) => value.length <= 1500));
    assert.deepEqual(idsOf(read(encoding, records)), idsOf(spans));
  });
}

test('keys are written as those who read each encoding write them', async () => {
  const spans = [span({ traceId: traceId(1) }), span({ traceId: traceId('ab'.repeat(16)) })];
  const keys = async (encoding: KafkaEncoding): Promise<string[]> =>
    (await traceRecords(batchOf(spans), encoding, 1 << 20)).records.map(({ key }) => String(key));
  assert.deepEqual(await keys('jaeger_proto'), ['0000000000000001', 'ab'.repeat(16)]);
  assert.deepEqual(await keys('otlp_proto'), [`${'0'.repeat(31)}1`, 'ab'.repeat(16)]);
});
