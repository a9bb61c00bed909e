// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { span } from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import { ProtoWriter } from '@spoor/core/wire/protobuf/writer.ts';
import { decodeBetweenTurns } from './body-decoding.ts';
import { withCode } from './testing/held-writer.ts';

/** Of several batches. */
const SPANS = 9000;
const KEYS_EACH = 9;

/** Spans with some keys each, so many different ones in all. */
function bodyWithKeys(keys: number): Uint8Array {
  const writer = new ProtoWriter();
  const starts = [1, 2].map((field) => writer.begin(field));
  for (let i = 0; i < SPANS; i++) {
    const start = writer.begin(2);
    writer.bytesField(1, new Uint8Array(16).fill(1));
    writer.bytesField(2, new Uint8Array(8).fill(1));
    for (let k = i * KEYS_EACH; k < (i + 1) * KEYS_EACH; k++) {
      const attribute = writer.begin(9);
      writer.bytesField(1, encodeText(`key ${k % keys}`));
      writer.end(attribute);
    }
    writer.end(start);
  }
  for (const start of starts.toReversed()) writer.end(start);
  return writer.toBytes();
}

test('attribute keys are counted over all batches of a body', async () => {
  const { batches, result } = await decodeBetweenTurns('otlp_proto', bodyWithKeys(30_000));
  assert.ok(batches.length > 1);
  assert.equal(result.accepted, SPANS);
  // No batch has so many.
  const tooMany = decodeBetweenTurns('otlp_proto', bodyWithKeys(70_000));
  await assert.rejects(tooMany, withCode('too_large'));
});

/** An OTLP request of so many spans with nothing but ids, and a resource with a text of so many bytes. */
function bodyOfSmall(count: number, resourceBytes: number): Uint8Array {
  const writer = new ProtoWriter();
  const resourceSpans = writer.begin(1);
  writer.textField(3, new Uint8Array(resourceBytes).fill(0x61), 0, resourceBytes);
  const scopeSpans = writer.begin(2);
  for (let i = 0; i < count; i++) {
    const start = writer.begin(2);
    writer.bytesField(1, new Uint8Array(16).fill(1));
    writer.bytesField(2, new Uint8Array(8).fill(1));
    writer.end(start);
  }
  writer.end(scopeSpans);
  writer.end(resourceSpans);
  return writer.toBytes();
}

test('a body that becomes many times its size is refused', async () => {
  const usual = await decodeBetweenTurns('otlp_proto', bodyOfSmall(200_000, 10_000));
  assert.equal(usual.result.accepted, 200_000);
  // Of a resource in each of 49 batches.
  const grown = decodeBetweenTurns('otlp_proto', bodyOfSmall(200_000, 1_000_000));
  await assert.rejects(grown, withCode('too_large'));
});

test('a span that becomes many times the size of its body is not cut out of it', async () => {
  const writer = new ProtoWriter();
  const starts = [1, 2, 2].map((field) => writer.begin(field));
  writer.bytesField(1, new Uint8Array(16).fill(1));
  writer.bytesField(2, new Uint8Array(8).fill(1));
  // Links of two bytes.
  for (let i = 0; i < 1_000_000; i++) writer.end(writer.begin(13));
  for (const start of starts.toReversed()) writer.end(start);
  const grown = decodeBetweenTurns('otlp_proto', writer.toBytes());
  await assert.rejects(grown, withCode('too_large'));
});

test('a span too large for a batch is left out and counted, in every format', async () => {
  const blob = 'x'.repeat(9 << 20);
  const json = (name: string): string =>
    `{"traceId":"${'ab'.repeat(16)}","id":"${'cd'.repeat(8)}","name":"${name}"}`;
  const bodies = {
    otlp_proto: encodeSpans(['a', blob].map((name) => span({ name }))),
    zipkin_json: encodeText(`[${json('a')},${json(blob)}]`),
  };
  for (const format of ['otlp_proto', 'zipkin_json'] as const) {
    const { batches, result } = await decodeBetweenTurns(format, bodies[format]);
    assert.deepEqual(
      batches.map(({ rows }) => rows),
      [1],
    );
    assert.deepEqual([result.accepted, result.rejected], [1, 1]);
    assert.match(result.message, /^ingest: span of 9437\d{3} > 8388608 bytes left out$/);
  }
});
