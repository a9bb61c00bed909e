// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import { mutated } from '#wire/mapping/testing/mutations.ts';
import { createJaegerProtoDecoder } from './proto-decoder.ts';
import { decodeSpans } from '#wire/mapping/testing/decode.ts';
import { expectedSpans } from './testing/expected-span.ts';
import { anyBatch, PLAIN_SPAN, type JaegerBatch } from './testing/jaeger-model.ts';
import { field, message, protoProcess, protoRequest, protoSpan } from './testing/proto-batch.ts';

const SHOP = { serviceName: 'shop', processTags: [['host', 'h']] } as const;

/** A batch whose spans name their parent by a reference, as the only way that protobuf has. */
function withParentReferences(batch: JaegerBatch): JaegerBatch {
  return {
    ...batch,
    spans: batch.spans.map((span) => ({
      ...span,
      parentSpanId: 0n,
      references:
        span.parentSpanId === 0n
          ? span.references
          : [
              { type: 'CHILD_OF', traceId: span.traceId, spanId: span.parentSpanId },
              ...span.references,
            ],
    })),
  };
}

test('every span of a request becomes what the mapping says', () => {
  const decoder = createJaegerProtoDecoder();
  fc.assert(
    fc.property(anyBatch.map(withParentReferences), (batch) => {
      assert.deepEqual(decodeSpans(decoder, protoRequest(batch)), expectedSpans(batch));
      assert.equal(decoder.accepted, batch.spans.length);
    }),
    { numRuns: 100 },
  );
});

test('slices may go to several builders', () => {
  const spans = Array.from({ length: 10 }, (_, i) => ({ ...PLAIN_SPAN, spanId: BigInt(i + 1) }));
  const batch = { ...SHOP, spans };
  assert.deepEqual(
    decodeSpans(createJaegerProtoDecoder(), protoRequest(batch), 3),
    expectedSpans(batch),
  );
});

test('the process of a span counts more than that of its batch', () => {
  const own = { serviceName: 'own', processTags: [] };
  const body = message((writer) =>
    field(writer, 1, (batch) => {
      field(batch, 1, (span) => {
        protoSpan(PLAIN_SPAN)(span);
        field(span, 10, protoProcess(own));
      });
      field(batch, 1, protoSpan(PLAIN_SPAN));
      field(batch, 2, protoProcess(SHOP));
    }),
  );
  const spans = decodeSpans(createJaegerProtoDecoder(), body);
  assert.deepEqual(
    spans.map(({ resource }) => resource.serviceName),
    ['own', 'shop'],
  );
});

test('ns are kept, and so are warnings, where Jaeger itself has them', () => {
  const body = message((writer) =>
    field(writer, 1, (batch) =>
      field(batch, 1, (span) => {
        protoSpan({ ...PLAIN_SPAN, startTime: 0n, duration: 0n })(span);
        field(span, 6, (time) => time.tag(1, 0).int64(5).tag(2, 0).int32(123_456_789));
        field(span, 7, (time) => time.tag(2, 0).int32(-7));
        span.tag(11, 2).string('p1').tag(12, 2).string('late').tag(12, 2).string('odd');
      }),
    ),
  );
  const [span] = decodeSpans(createJaegerProtoDecoder(), body);
  assert.equal(span?.startTimeUnixNano, 5_123_456_789n);
  assert.equal(span?.endTimeUnixNano, 5_123_456_782n);
  assert.equal(span?.resource.present, false);
  assert.deepEqual(span?.attributes, [
    {
      key: '@jaeger@warnings',
      value: {
        type: 'array',
        value: ['late', 'odd'].map((value) => ({ type: 'string', value })),
      },
    },
  ]);
});

test('a bad span is left out and told, and its neighbours stay', () => {
  type Span = Parameters<typeof protoSpan>[0];
  const bad: [(writer: Parameters<ReturnType<typeof protoSpan>>[0]) => void, RegExp][] = [
    [(span) => span.tag(1, 2).bytes(new Uint8Array(8)), /trace id has 8 bytes, not 16/],
    [(span) => span.tag(1, 2).bytes(new Uint8Array(16)), /trace id is all zeros/],
    [(span) => span.tag(2, 2).bytes(new Uint8Array(8)), /span id is all zeros/],
    [(span) => field(span, 6, (time) => time.tag(1, 0).int64(-1)), /its start is not a time/],
    [(span) => field(span, 6, (time) => time.tag(2, 0).int32(1e9)), /its start is not a time/],
    [(span) => field(span, 7, (time) => time.tag(1, 0).int64(1e10)), /its duration is not one/],
    [
      (span) => field(span, 4, (reference) => reference.tag(1, 2).bytes(new Uint8Array(3))),
      /reference to a trace has 3 bytes/,
    ],
  ];
  const plain: Span = PLAIN_SPAN;
  for (const [spoil, reason] of bad) {
    const decoder = createJaegerProtoDecoder();
    const body = message((writer) =>
      field(writer, 1, (batch) => {
        field(batch, 1, protoSpan(plain));
        field(batch, 1, (span) => {
          protoSpan({ ...plain, tags: [['a', 'b']] })(span);
          spoil(span);
        });
        field(batch, 1, protoSpan(plain));
        field(batch, 2, protoProcess(SHOP));
      }),
    );
    assert.deepEqual(decodeSpans(decoder, body), expectedSpans({ ...SHOP, spans: [plain, plain] }));
    assert.deepEqual([decoder.accepted, decoder.rejected], [2, 1]);
    assert.match(decoder.rejectedMessage, reason);
  }
});

test('after a request with a scope or process that is too large the next one has its own', () => {
  const decoder = createJaegerProtoDecoder();
  const batchOf = (text: string): JaegerBatch => ({
    serviceName: 'shop',
    processTags: [['host', text]],
    spans: [{ ...PLAIN_SPAN, tags: [['otel.scope.name', text]] }],
  });
  const own = batchOf('mine');
  const long = 'x'.repeat(1 << 20);
  for (const refused of [
    { ...own, processTags: batchOf(long).processTags },
    { ...own, spans: batchOf(long).spans },
  ]) {
    assert.deepEqual(decodeSpans(decoder, protoRequest(own)), expectedSpans(own));
    assert.throws(() => decodeSpans(decoder, protoRequest(refused)), { code: 'too_large' });
    assert.deepEqual(decodeSpans(decoder, protoRequest(own)), expectedSpans(own));
  }
});

test('a request that is cut anywhere but between its fields is malformed', () => {
  const [batch] = fc.sample(anyBatch, { numRuns: 1, seed: 7 });
  const bytes = protoRequest({ ...batch!, spans: [...batch!.spans, PLAIN_SPAN] });
  for (let length = 1; length < bytes.length; length++) {
    assert.throws(() => decodeSpans(createJaegerProtoDecoder(), bytes.slice(0, length)), {
      code: 'malformed',
    });
  }
});

test('a request that was changed is decoded or malformed', () => {
  const decoder = createJaegerProtoDecoder();
  fc.assert(
    fc.property(anyBatch.map(protoRequest).chain(mutated), (bytes) => {
      try {
        decodeSpans(decoder, bytes);
      } catch (error) {
        assert.ok(error instanceof SpoorError && error.code === 'malformed', String(error));
      }
    }),
    { numRuns: 300 },
  );
});
