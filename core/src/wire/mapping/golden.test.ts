// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Span } from '#model/span.ts';
import { createJaegerAgentDecoder } from '#wire/jaeger/agent-decoder.ts';
import { createJaegerProtoDecoder } from '#wire/jaeger/proto-decoder.ts';
import { createJaegerThriftDecoder } from '#wire/jaeger/thrift-decoder.ts';
import { ThriftBinaryReader } from '#wire/thrift/binary-reader.ts';
import { ThriftCompactReader } from '#wire/thrift/compact-reader.ts';
import { createZipkinJsonV1Decoder } from '#wire/zipkin/json-v1-decoder.ts';
import { createZipkinJsonV2Decoder } from '#wire/zipkin/json-v2-decoder.ts';
import { createZipkinProtoDecoder } from '#wire/zipkin/proto-decoder.ts';
import { createZipkinThriftDecoder } from '#wire/zipkin/thrift-decoder.ts';
import { decodeSpans, type Decoder } from './testing/decode.ts';

/** What the clients of `test/e2e/clients`, and Zipkin's JavaScript transport to Kafka, sent once, as `CLIENT.FORMAT.bin`, and beside it the spans that it is. */
const GOLDEN = join(import.meta.dirname, 'testing', 'golden');

const DECODERS: Readonly<Record<string, () => Decoder>> = {
  jaeger_agent_binary: () => createJaegerAgentDecoder(new ThriftBinaryReader()),
  jaeger_agent_compact: () => createJaegerAgentDecoder(new ThriftCompactReader()),
  jaeger_thrift: createJaegerThriftDecoder,
  jaeger_proto: createJaegerProtoDecoder,
  zipkin_json: createZipkinJsonV2Decoder,
  zipkin_proto: createZipkinProtoDecoder,
  zipkin_v1_json: createZipkinJsonV1Decoder,
  zipkin_v1_thrift: createZipkinThriftDecoder,
};

function format(spans: readonly Span[]): string {
  const text = JSON.stringify(
    spans,
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
    2,
  );
  return `${text}\n`;
}

const files = globSync('*.bin', { cwd: GOLDEN }).toSorted();

test('there are bytes of every client', () => {
  assert.equal(files.length, 19);
});

for (const file of files) {
  const [client = '', wire = ''] = file.split('.');
  test(`what ${client} sends as ${wire} is read as it was`, () => {
    const decoder = DECODERS[wire]!();
    const spans = format(decodeSpans(decoder, readFileSync(join(GOLDEN, file))));
    assert.equal(decoder.rejected, 0);
    const answer = join(GOLDEN, file.replace('.bin', '.json'));
    if (process.env['SPOOR_WRITE_GOLDEN'] !== undefined) writeFileSync(answer, spans);
    assert.deepEqual(JSON.parse(spans), JSON.parse(readFileSync(answer, 'utf8')));
  });
}
