// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Span } from '#model/span.ts';
import { arbitrarySpan } from '#query/testing/arbitrary-span.ts';
import { decodeSpans, type Decoder } from '#wire/mapping/testing/decode.ts';
import { ThriftBinaryReader } from '#wire/thrift/binary-reader.ts';
import { ThriftBinaryWriter } from '#wire/thrift/binary-writer.ts';
import { ThriftCompactReader } from '#wire/thrift/compact-reader.ts';
import { ThriftCompactWriter } from '#wire/thrift/compact-writer.ts';
import { SpoorError } from '#model/errors.ts';
import { createJaegerAgentDecoder, createJoinedAgentDecoder } from './agent-decoder.ts';
import { toJaegerSpan, type JaegerSpan } from './jaeger-span.ts';
import { createJaegerProtoDecoder, createJaegerSpanProtoDecoder } from './proto-decoder.ts';
import { encodeJaegerPostSpans, encodeJaegerProto } from './proto-encoder.ts';
import { joinDatagrams, splitDatagrams } from './joined-datagrams.ts';
import { createJaegerThriftDecoder } from './thrift-decoder.ts';
import { encodeJaegerAgentMessage, encodeJaegerThrift } from './thrift-encoder.ts';

const FORMS: readonly [string, (spans: readonly JaegerSpan[]) => Uint8Array, Decoder][] = [
  ['a request of protobuf', encodeJaegerPostSpans, createJaegerProtoDecoder()],
  ['a body of Thrift', encodeJaegerThrift, createJaegerThriftDecoder()],
  [
    'a binary datagram of Thrift',
    (spans) => encodeJaegerAgentMessage(new ThriftBinaryWriter(), spans),
    createJaegerAgentDecoder(new ThriftBinaryReader()),
  ],
  [
    'a compact datagram of Thrift',
    (spans) => encodeJaegerAgentMessage(new ThriftCompactWriter(), spans),
    createJaegerAgentDecoder(new ThriftCompactReader()),
  ],
];

/** Spans of one process, with what Thrift can hold. */
const batches = fc
  .array(arbitrarySpan.map(toJaegerSpan), { minLength: 1, maxLength: 20 })
  .map((spans) => spans.map((span) => toMicros(span, spans[0]!.process)));

/** Thrift's µs are signed, and it has no warnings. */
function toMicros(span: JaegerSpan, process: JaegerSpan['process']): JaegerSpan {
  const cut = (nanos: bigint): bigint => (nanos / 1000n) * 1000n;
  const logs = span.logs.map((log) => ({ ...log, timeUnixNano: cut(log.timeUnixNano) }));
  const { startTimeUnixNano, durationNanos } = span;
  return {
    ...span,
    startTimeUnixNano: cut(startTimeUnixNano),
    durationNanos: cut(durationNanos),
    logs,
    process,
    warnings: [],
  };
}

function viaProto(span: JaegerSpan): Span {
  return decodeSpans(createJaegerSpanProtoDecoder(), encodeJaegerProto(span))[0]!;
}

for (const [name, encode, decoder] of FORMS) {
  test(`${name} says of spans of a process what the protobuf of each says`, () => {
    fc.assert(
      fc.property(batches, (spans) => {
        assert.deepEqual(decodeSpans(decoder, encode(spans)), spans.map(viaProto));
        assert.equal(decoder.rejectedMessage, '');
      }),
      { numRuns: 100 },
    );
  });
}

test('joined datagrams say what they say alone, and one that is cut makes all malformed', () => {
  const single = createJaegerAgentDecoder(new ThriftCompactReader());
  const joined = createJoinedAgentDecoder(new ThriftCompactReader());
  fc.assert(
    fc.property(fc.array(batches, { minLength: 1, maxLength: 4 }), fc.nat(), (lists, cut) => {
      const datagrams = lists.map((spans) =>
        encodeJaegerAgentMessage(new ThriftCompactWriter(), spans),
      );
      const body = joinDatagrams(datagrams);
      assert.deepEqual([...splitDatagrams(body)], datagrams);
      assert.deepEqual(
        decodeSpans(joined, body),
        datagrams.flatMap((datagram) => decodeSpans(single, datagram)),
      );
      const [first, ...rest] = datagrams;
      const short = first!.subarray(0, cut % first!.length);
      assert.throws(
        () => decodeSpans(joined, joinDatagrams([short, ...rest])),
        (error) => error instanceof SpoorError && error.code === 'malformed',
      );
    }),
    { numRuns: 100 },
  );
});
