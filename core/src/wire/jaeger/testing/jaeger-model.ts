// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';

/** A tag as Jaeger has it. */
export type Tag = readonly [
  key: string,
  value: string | boolean | bigint | Uint8Array | { readonly double: number },
];

/** A reference to another span. */
export interface Reference {
  readonly type: 'CHILD_OF' | 'FOLLOWS_FROM';
  readonly traceId: bigint;
  readonly spanId: bigint;
}

/** A span as Jaeger has it; times in µs. */
export interface JaegerSpan {
  readonly traceId: bigint;
  readonly spanId: bigint;
  readonly parentSpanId: bigint;
  readonly operationName: string;
  readonly references: readonly Reference[];
  readonly flags: number;
  readonly startTime: bigint;
  readonly duration: bigint;
  readonly tags: readonly Tag[];
  readonly logs: readonly { readonly timestamp: bigint; readonly fields: readonly Tag[] }[];
}

/** A batch of the spans of one process. */
export interface JaegerBatch {
  readonly serviceName: string;
  readonly processTags: readonly Tag[];
  readonly spans: readonly JaegerSpan[];
}

const word = fc.string({ unit: 'grapheme', maxLength: 8 });
const key = fc.oneof(
  word,
  fc.constantFrom(
    'span.kind',
    'error',
    'event',
    'otel.status_code',
    'otel.status_description',
    'w3c.tracestate',
    'otel.scope.name',
    'otel.scope.version',
    'otel.library.name',
    'otel.library.version',
    'http.status_code',
    'http.status_message',
  ),
);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const tag: fc.Arbitrary<Tag> = fc.tuple(
  key,
  fc.oneof(
    word,
    fc.constantFrom('client', 'server', 'OK', 'ERROR', '500', '404'),
    fc.boolean(),
    fc.constant(true),
    int64,
    fc.constantFrom(200n, 404n, 503n),
    fc.uint8Array({ maxLength: 9 }),
    // The library that writes Thrift has no exact subnormal numbers and no -0.
    fc.double({ noNaN: true }).map((n) => ({ double: Math.abs(n) < 1e-300 ? 0 : n })),
  ),
);
const tags = fc.array(tag, { maxLength: 6 });
const spanId = fc.oneof(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.constantFrom(1n, 2n));
const traceId = fc.oneof(
  fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
  fc.constantFrom(1n, 1n << 64n),
);
const micros = fc.bigInt({ min: 0n, max: (2n ** 64n - 1n) / 1000n });

/** Spans with ids, of any other content. */
export const anySpan: fc.Arbitrary<JaegerSpan> = fc.record({
  traceId,
  spanId,
  parentSpanId: fc.oneof(fc.constant(0n), spanId),
  operationName: word,
  references: fc.array(
    fc.record({
      type: fc.constantFrom('CHILD_OF', 'FOLLOWS_FROM'),
      traceId,
      spanId: fc.oneof(spanId, fc.constant(0n)),
    }),
    { maxLength: 10 },
  ),
  flags: fc.oneof(fc.constantFrom(0, 1, 3), fc.integer({ min: 0, max: 2 ** 31 - 1 })),
  startTime: micros,
  duration: fc.bigInt({ min: -(2n ** 63n - 1n) / 1000n, max: (2n ** 63n - 1n) / 1000n }),
  tags,
  logs: fc.array(fc.record({ timestamp: micros, fields: tags }), { maxLength: 3 }),
});

/** Batches of such spans. */
export const anyBatch: fc.Arbitrary<JaegerBatch> = fc.record({
  serviceName: word,
  processTags: tags,
  spans: fc.array(anySpan, { maxLength: 4 }),
});

/** A span with little in it. */
export const PLAIN_SPAN: JaegerSpan = {
  traceId: 1n,
  spanId: 2n,
  parentSpanId: 0n,
  operationName: 'get',
  references: [],
  flags: 1,
  startTime: 1_700_000_000_000_000n,
  duration: 1500n,
  tags: [],
  logs: [],
};
