// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BatchBuilder } from '#model/batch-builder.ts';
import { SpoorError } from '#model/errors.ts';
import { ThriftBinaryReader } from '#wire/thrift/binary-reader.ts';
import { ThriftCompactReader } from '#wire/thrift/compact-reader.ts';
import { mutated } from '#wire/mapping/testing/mutations.ts';
import {
  encodeMessage,
  encodeStruct,
  PROTOCOLS,
  text,
  type Protocol,
  type ThriftField,
} from '#wire/thrift/testing/thrift-library.ts';
import { createJaegerAgentDecoder } from './agent-decoder.ts';
import { decodeSpans, type Decoder } from '#wire/mapping/testing/decode.ts';
import { expectedSpans } from './testing/expected-span.ts';
import { anyBatch, PLAIN_SPAN, type JaegerSpan } from './testing/jaeger-model.ts';
import { agentMessage, thriftBatch, thriftBody, thriftSpan } from './testing/thrift-batch.ts';
import { createJaegerThriftDecoder } from './thrift-decoder.ts';

function agentDecoder(protocol: Protocol): ReturnType<typeof createJaegerAgentDecoder> {
  return createJaegerAgentDecoder(
    protocol === 'binary' ? new ThriftBinaryReader() : new ThriftCompactReader(),
  );
}

function batchOf(...spans: JaegerSpan[]) {
  return { serviceName: 'shop', processTags: [], spans };
}

test('every span of a body over HTTP becomes what the mapping says', () => {
  const decoder = createJaegerThriftDecoder();
  fc.assert(
    fc.property(anyBatch, (batch) => {
      assert.deepEqual(decodeSpans(decoder, thriftBody(batch)), expectedSpans(batch));
      assert.equal(decoder.accepted, batch.spans.length);
    }),
    { numRuns: 100 },
  );
});

for (const protocol of PROTOCOLS) {
  test(`every span of a ${protocol} datagram becomes what the mapping says`, () => {
    const decoder = agentDecoder(protocol);
    fc.assert(
      fc.property(anyBatch, (batch) => {
        assert.deepEqual(decodeSpans(decoder, agentMessage(protocol, batch)), expectedSpans(batch));
      }),
      { numRuns: 100 },
    );
  });

  test(`a ${protocol} datagram that is cut anywhere is malformed`, () => {
    const [batch] = fc.sample(anyBatch, { numRuns: 1, seed: 7 });
    const bytes = agentMessage(protocol, { ...batch!, spans: [...batch!.spans, PLAIN_SPAN] });
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeSpans(agentDecoder(protocol), bytes.slice(0, length)), {
        code: 'malformed',
      });
    }
  });

  test(`a ${protocol} datagram that was changed is decoded or malformed`, () => {
    const decoder = agentDecoder(protocol);
    const changed = anyBatch.map((batch) => agentMessage(protocol, batch)).chain(mutated);
    fc.assert(
      fc.property(changed, (bytes) => {
        try {
          decodeSpans(decoder, bytes);
        } catch (error) {
          assert.ok(error instanceof SpoorError && error.code === 'malformed', String(error));
        }
      }),
      { numRuns: 300 },
    );
  });

  test(`what a client says of itself in a ${protocol} datagram is read`, () => {
    const decoder = agentDecoder(protocol);
    const batch = { ...batchOf(PLAIN_SPAN), processTags: [['client-uuid', 'c1']] as const };
    const stats: ThriftField[] = [1n, 2n, 3n].map((value, i) => [i + 1, { type: 'i64', value }]);
    const more: ThriftField[] = [
      [3, { type: 'i64', value: 2n ** 40n }],
      [4, { type: 'struct', value: stats }],
    ];
    decodeSpans(decoder, agentMessage(protocol, batch, more));
    assert.deepEqual(decoder.report, [
      {
        service: 'shop',
        clientId: 'c1',
        batches: 2 ** 40,
        fullQueueSpans: 1,
        tooLargeSpans: 2,
        failedSpans: 3,
      },
    ]);
    decodeSpans(decoder, agentMessage(protocol, batch));
    assert.equal(decoder.report, undefined);
  });
}

test('a process that stands after its spans counts, and so do fields in any order', () => {
  const span = { ...PLAIN_SPAN, parentSpanId: 9n, tags: [['a', 1n]] as const };
  const batch = { ...batchOf(span, span), processTags: [['host', 'h']] as const };
  const [process] = thriftBatch(batch);
  const reversed: ThriftField[] = [
    [
      2,
      {
        type: 'list',
        item: 'struct',
        value: [0, 1].map(() => ({
          type: 'struct' as const,
          value: thriftSpan(span).toReversed(),
        })),
      },
    ],
    process,
  ];
  const body = encodeStruct('binary', reversed);
  assert.deepEqual(decodeSpans(createJaegerThriftDecoder(), body), expectedSpans(batch));
});

test('a large body comes in slices, which may go to several builders', () => {
  const spans = Array.from({ length: 10 }, (_, i) => ({ ...PLAIN_SPAN, spanId: BigInt(i + 1) }));
  const batch = { ...batchOf(...spans), processTags: [['host', 'h']] as const };
  const decoder = createJaegerThriftDecoder();
  assert.deepEqual(decodeSpans(decoder, thriftBody(batch), 3), expectedSpans(batch));
  assert.equal(decoder.accepted, 10);
});

test('after a body with a scope or process that is too large the next one has its own', () => {
  const decoder = createJaegerThriftDecoder();
  const own = {
    ...batchOf({ ...PLAIN_SPAN, tags: [['otel.scope.name', 'mine']] }),
    processTags: [['host', 'h']] as const,
  };
  const long = 'x'.repeat(1 << 20);
  for (const refused of [
    { ...own, processTags: [['host', long]] as const },
    { ...own, ...batchOf({ ...PLAIN_SPAN, tags: [['otel.scope.name', long]] }) },
  ]) {
    assert.deepEqual(decodeSpans(decoder, thriftBody(own)), expectedSpans(own));
    assert.throws(() => decodeSpans(decoder, thriftBody(refused)), { code: 'too_large' });
    assert.deepEqual(decodeSpans(decoder, thriftBody(own)), expectedSpans(own));
  }
});

test('a bad span is left out and told, and its neighbours stay', () => {
  const bad: [Partial<JaegerSpan>, RegExp][] = [
    [{ traceId: 0n }, /its trace id is all zeros/],
    [{ spanId: 0n }, /its span id is all zeros/],
    [{ startTime: 2n ** 62n }, /its start is not a time in µs/],
    [{ startTime: -1n }, /its start is not a time in µs/],
    [{ duration: 2n ** 62n }, /its duration is over 292 years/],
    [{ logs: [{ timestamp: -1n, fields: [['event', 'x']] }] }, /time of a log/],
  ];
  for (const [change, message] of bad) {
    const full = {
      ...PLAIN_SPAN,
      tags: [['a', 'b']],
      references: [{ type: 'FOLLOWS_FROM', traceId: 5n, spanId: 6n }],
    } as const;
    const batch = batchOf(PLAIN_SPAN, { ...full, ...change }, PLAIN_SPAN);
    const decoder = createJaegerThriftDecoder();
    const spans = decodeSpans(decoder, thriftBody(batch));
    assert.deepEqual(spans, expectedSpans(batchOf(PLAIN_SPAN, PLAIN_SPAN)));
    assert.deepEqual([decoder.accepted, decoder.rejected], [2, 1]);
    assert.match(decoder.rejectedMessage, message);
    assert.match(decoder.rejectedMessage, /^jaeger thrift: span at byte \d+ left out: /);
  }
});

test('fields that are not known, or of another type, are passed over', () => {
  const [process, spans] = thriftBatch(batchOf(PLAIN_SPAN));
  const odd: ThriftField[] = [
    process,
    [9, { type: 'map', key: 'string', item: 'string', value: [[text('a'), text('b')]] }],
    spans,
    [3, text('no number')],
    [4, { type: 'list', item: 'bool', value: [{ type: 'bool', value: true }] }],
  ];
  for (const protocol of PROTOCOLS) {
    const decoder: Decoder = agentDecoder(protocol);
    const bytes = encodeMessage(protocol, 'emitBatch', [
      [7, { type: 'double', value: 1.5 }],
      [1, { type: 'struct', value: odd }],
    ]);
    assert.deepEqual(decodeSpans(decoder, bytes), expectedSpans(batchOf(PLAIN_SPAN)));
  }
});

test('a tag of a type that Jaeger does not have keeps its key', () => {
  const span = thriftSpan(PLAIN_SPAN).filter(([id]) => id !== 10);
  const tag = [
    [1, text('k')],
    [2, { type: 'i32', value: 9 }],
    [3, text('v')],
  ] as const;
  const body = encodeStruct('binary', [
    [
      2,
      {
        type: 'list',
        item: 'struct',
        value: [
          {
            type: 'struct',
            value: [
              ...span,
              [10, { type: 'list', item: 'struct', value: [{ type: 'struct', value: tag }] }],
            ],
          },
        ],
      },
    ],
  ]);
  const [decoded] = decodeSpans(createJaegerThriftDecoder(), body);
  assert.deepEqual(decoded?.attributes, [{ key: 'k', value: { type: 'absent' } }]);
  assert.equal(decoded?.resource.present, false);
});

test('very many references are read, and the next span has none of them', () => {
  const references = Array.from(
    { length: 5000 },
    (_, i) => ({ type: 'FOLLOWS_FROM', traceId: 9n, spanId: BigInt(i + 1) }) as const,
  );
  const batch = batchOf({ ...PLAIN_SPAN, references }, PLAIN_SPAN);
  assert.deepEqual(
    decodeSpans(createJaegerThriftDecoder(), thriftBody(batch)),
    expectedSpans(batch),
  );
});

test('other calls than those of an agent are refused, and so are answers', () => {
  for (const protocol of PROTOCOLS) {
    const refuses = (bytes: Uint8Array, message: RegExp): void =>
      assert.throws(() => decodeSpans(agentDecoder(protocol), bytes), {
        code: 'malformed',
        message,
      });
    refuses(encodeMessage(protocol, 'emitOther', []), /call of "emitOther", which agents/);
    refuses(encodeMessage(protocol, 'emitBatch', [], 2), /message of type 2, which calls nothing/);
  }
});

test('a batch without spans or process is an empty request', () => {
  const decoder = createJaegerThriftDecoder();
  decoder.begin(encodeStruct('binary', []));
  assert.equal(decoder.decode(new BatchBuilder(16)), true);
  assert.equal(decoder.accepted, 0);
});
