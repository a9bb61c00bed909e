// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { span } from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import { ProtoWriter } from '@spoor/core/wire/protobuf/writer.ts';
import { decodeBetweenTurns } from './body-decoding.ts';
import { withCode } from './testing/held-writer.ts';
import type { IngestFormat } from './trace-ingest.ts';

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

/** OTLP spans of so many links of two bytes, the last of which ends with what nobody can read. */
function brokenBodyOfLinks(spans: number, links: number): Uint8Array {
  const writer = new ProtoWriter();
  const starts = [1, 2].map((field) => writer.begin(field));
  for (let i = 0; i < spans; i++) {
    const start = writer.begin(2);
    writer.bytesField(1, new Uint8Array(16).fill(1));
    writer.bytesField(2, new Uint8Array(8).fill(1));
    for (let link = 0; link < links; link++) writer.end(writer.begin(13));
    // A field of no number.
    if (i === spans - 1) writer.varint(7);
    writer.end(start);
  }
  for (const start of starts.toReversed()) writer.end(start);
  return writer.toBytes();
}

test('what a body becomes is bounded while it is decoded, in one span or many', async () => {
  for (const [spans, links] of [
    [1, 300_000],
    [20, 50_000],
  ] as const) {
    const grown = decodeBetweenTurns('otlp_proto', brokenBodyOfLinks(spans, links));
    // It did not come to what is broken.
    await assert.rejects(grown, withCode('too_large'), `${spans}`);
  }
  const broken = decodeBetweenTurns('otlp_proto', brokenBodyOfLinks(2, 10));
  await assert.rejects(broken, withCode('malformed'));
});

/** A protobuf span in messages of these fields, with so many empty messages in it. */
function protoSpan(ids: readonly number[], outer: readonly number[], field: number, count: number) {
  const writer = new ProtoWriter();
  const starts = outer.map((number) => writer.begin(number));
  writer.bytesField(ids[0]!, new Uint8Array(16).fill(1));
  writer.bytesField(ids[1]!, new Uint8Array(8).fill(1));
  for (let i = 0; i < count; i++) writer.end(writer.begin(field));
  for (const start of starts.toReversed()) writer.end(start);
  return writer.toBytes();
}

function jsonSpan(list: string, count: number): Uint8Array {
  const ids = `"traceId":"${'ab'.repeat(16)}","spanId":"${'cd'.repeat(8)}"`;
  const items = Array.from({ length: count }, () => '{}').join();
  return encodeText(
    `{"resourceSpans":[{"scopeSpans":[{"spans":[{${ids},"${list}":[${items}]}]}]}]}`,
  );
}

/** Jaeger's `Batch` of a span with references of one byte. */
function thriftSpan(count: number): Uint8Array {
  const start = [15, 0, 2, 12, 0, 0, 0, 1, 15, 0, 6, 12];
  const body = new Uint8Array(start.length + 4 + count + 2);
  body.set(start);
  new DataView(body.buffer).setUint32(start.length, count);
  return body;
}

const LINKS = 1 << 18;
const EVENTS = 1 << 19;
const ATTRIBUTES = 1 << 21;

test('a span with too many links, events or attributes is refused in every format', async () => {
  const bodies: readonly [IngestFormat, string, number, (count: number) => Uint8Array][] = [
    ['otlp_proto', 'links', LINKS, (count) => protoSpan([1, 2], [1, 2, 2], 13, count)],
    ['otlp_proto', 'events', EVENTS, (count) => protoSpan([1, 2], [1, 2, 2], 11, count)],
    ['otlp_proto', 'attributes', ATTRIBUTES, (count) => protoSpan([1, 2], [1, 2, 2], 9, count)],
    ['otlp_json', 'links', LINKS, (count) => jsonSpan('links', count)],
    ['otlp_json', 'events', EVENTS, (count) => jsonSpan('events', count)],
    ['jaeger_proto', 'links', LINKS, (count) => protoSpan([1, 2], [1, 1], 4, count)],
    ['jaeger_thrift', 'links', LINKS, thriftSpan],
    ['zipkin_proto', 'events', EVENTS, (count) => protoSpan([1, 3], [1], 10, count)],
  ];
  for (const [format, what, max, bodyOf] of bodies) {
    const refused = decodeBetweenTurns(format, bodyOf(max + 1));
    await assert.rejects(refused, new RegExp(`a span with more than ${max} ${what}`), format);
  }
  // With fewer it is not, though a batch has no room for it.
  const { result } = await decodeBetweenTurns('jaeger_thrift', thriftSpan(LINKS / 2));
  assert.equal(result.rejected, 1);
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
