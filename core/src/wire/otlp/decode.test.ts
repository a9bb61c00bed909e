// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BatchBuilder } from '#model/batch-builder.ts';
import { SpoorError } from '#model/errors.ts';
import { SpanReader, symbolBytes } from '#model/span-reader.ts';
import { MAX_VALUE_DEPTH } from './canonical.ts';
import { OtlpProtoDecoder } from './decode.ts';
import { OtlpProtoEncoder } from './encode.ts';
import { type Init, validRequest, validSpan } from './testing/arbitrary-request.ts';
import { decodeProto, encodeRequest, spansOf, spansOfBatch } from './testing/oracle.ts';
import { EXPORT_REQUEST } from './testing/otlp-descriptors.ts';
import { bytesField, randomOf, rewriteProtobuf, varint } from './testing/rewrite-protobuf.ts';

const TRACE_ID = new Uint8Array(16).fill(1);
const SPAN_ID = new Uint8Array(8).fill(2);
const GOOD_SPAN: Init = { traceId: TRACE_ID, spanId: SPAN_ID, name: 'good' };

function request(...spans: Init[]): Init {
  return { resourceSpans: [{ resource: {}, scopeSpans: [{ spans }] }] };
}

/** A request of one `ResourceSpans` and one `ScopeSpans`, with spans as bytes. */
function rawRequest(...spans: number[][]): Uint8Array {
  return Uint8Array.from(
    bytesField(
      1,
      bytesField(
        2,
        spans.flatMap((span) => bytesField(2, span)),
      ),
    ),
  );
}

/** Bytes of a good span with more fields behind. */
function rawSpan(...more: number[]): number[] {
  return [...bytesField(1, TRACE_ID), ...bytesField(2, SPAN_ID), ...more];
}

/** Decodes, or gives the message of the error, which must be the right one. */
function tryDecode(bytes: Uint8Array, builder: BatchBuilder): string | undefined {
  const decoder = new OtlpProtoDecoder();
  const mark = builder.mark();
  try {
    decoder.begin(bytes);
    decoder.decode(builder);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof SpoorError, String(error));
    assert.equal(error.code, 'malformed');
    assert.match(error.message, /^otlp: .* at byte \d+$/);
    builder.rollback(mark);
    return error.message;
  }
}

test('a request means the same however its protobuf is written, to the byte', () => {
  fc.assert(
    fc.property(validRequest, fc.nat(), (init, seed) => {
      const bytes = encodeRequest(init);
      const rewritten = rewriteProtobuf(bytes, EXPORT_REQUEST, randomOf(seed));
      const [a, b] = [decodeProto(bytes), decodeProto(rewritten)];
      assert.deepEqual(new OtlpProtoEncoder(b).encode(), new OtlpProtoEncoder(a).encode());
      assert.deepEqual(spansOf(rewritten), spansOf(bytes));
      for (let row = 0; row < a.rows; row++) {
        const resource = symbolBytes(a.resources, a.resource[row]!);
        assert.deepEqual(symbolBytes(b.resources, b.resource[row]!), resource);
        const scope = symbolBytes(a.scopes, a.scope[row]!);
        assert.deepEqual(symbolBytes(b.scopes, b.scope[row]!), scope);
      }
    }),
    { numRuns: 150 },
  );
});

test('message fields that come twice are merged as protobuf says', () => {
  const span = validSpan.map((init) => {
    const bytes = encodeRequest(request(init));
    return { init, bytes };
  });
  fc.assert(
    fc.property(span, span, (a, b) => {
      // The bytes of two ResourceSpans one after the other in one field are their merge, and so on inwards.
      const inner = (bytes: Uint8Array): Uint8Array => bytes.subarray(1 + lengthBytes(bytes, 1));
      const merged = bytesField(1, [...inner(a.bytes), ...inner(b.bytes)]);
      const bytes = Uint8Array.from(merged);
      assert.deepEqual(spansOfBatch(decodeProto(bytes)), spansOf(bytes));
    }),
    { numRuns: 100 },
  );
  const value = [...bytesField(5, bytesField(1, bytesField(1, [97])))];
  const twice = [
    // status, in two parts
    ...bytesField(15, bytesField(2, [98])),
    ...bytesField(15, [24, 2]),
    // an attribute whose value comes in two parts, both of them lists
    ...bytesField(9, [...bytesField(1, [107]), ...bytesField(2, value), ...bytesField(2, value)]),
    // the same inside of one value
    ...bytesField(9, [...bytesField(1, [108]), ...bytesField(2, [...value, ...value])]),
    // a list, then a text, then a list: only the last one counts
    ...bytesField(9, bytesField(2, [...value, ...bytesField(1, [99]), ...value])),
    ...bytesField(9, bytesField(2, [...value, ...value, ...bytesField(1, [99]), ...value])),
    ...bytesField(9, bytesField(2, [...value, ...value, ...bytesField(1, [99])])),
    ...bytesField(9, bytesField(2, [...value, ...value, ...bytesField(6, []), ...value])),
    // nested
    ...[[], bytesField(1, [99]), bytesField(6, []), [...bytesField(1, [99]), ...value]].flatMap(
      (more) =>
        bytesField(9, bytesField(2, bytesField(5, bytesField(1, [...value, ...value, ...more])))),
    ),
    ...bytesField(
      9,
      bytesField(
        2,
        bytesField(6, bytesField(1, [...bytesField(2, value), ...bytesField(2, value)])),
      ),
    ),
  ];
  const bytes = rawRequest(rawSpan(...twice));
  assert.deepEqual(spansOfBatch(decodeProto(bytes)), spansOf(bytes));
});

/** Bytes that the varint at `at` takes. */
function lengthBytes(bytes: Uint8Array, at: number): number {
  let end = at;
  while (bytes[end]! >= 128) end++;
  return end + 1 - at;
}

test('a span that breaks the rules is left out with its reason, its neighbours are kept', () => {
  const nested = (depth: number): Init => {
    let value: Init = {};
    for (let i = 0; i < depth; i++) {
      value = { value: { case: 'arrayValue', value: { values: [value] } } };
    }
    return { key: 'deep', value };
  };
  const wrong: [Init, RegExp][] = [
    [{ spanId: SPAN_ID }, /trace id has 0 bytes, not 16/],
    [{ traceId: new Uint8Array(15).fill(1), spanId: SPAN_ID }, /trace id has 15 bytes, not 16/],
    [{ traceId: new Uint8Array(16), spanId: SPAN_ID }, /trace id is all zeros/],
    [{ traceId: TRACE_ID }, /span id has 0 bytes, not 8/],
    [{ traceId: TRACE_ID, spanId: new Uint8Array(9).fill(1) }, /span id has 9 bytes, not 8/],
    [{ traceId: TRACE_ID, spanId: new Uint8Array(8) }, /span id is all zeros/],
    [{ ...GOOD_SPAN, parentSpanId: Uint8Array.of(1) }, /parent span id has 1 bytes, not 8/],
    [{ ...GOOD_SPAN, links: [{ traceId: Uint8Array.of(1) }] }, /trace id of a link has 1 bytes/],
    [{ ...GOOD_SPAN, links: [{ spanId: Uint8Array.of(1) }] }, /span id of a link has 1 bytes/],
    [{ ...GOOD_SPAN, attributes: [nested(MAX_VALUE_DEPTH + 1)] }, /nested over \d+ deep/],
    [{ ...GOOD_SPAN, events: [{ attributes: [nested(40)] }] }, /nested over \d+ deep/],
    [{ ...GOOD_SPAN, links: [{ attributes: [nested(60)] }] }, /nested over \d+ deep/],
    [
      {
        ...GOOD_SPAN,
        attributes: [nested(40)],
        events: [{ timeUnixNano: 5n, name: 'after', droppedAttributesCount: 1 }],
        links: [{ traceState: 'after', droppedAttributesCount: 1 }],
      },
      /nested over \d+ deep/,
    ],
  ];
  const good: Init = {
    ...GOOD_SPAN,
    attributes: [nested(MAX_VALUE_DEPTH), { key: 'k', value: {} }],
    events: [{ name: 'e', attributes: [{ key: 'k', value: {} }] }],
    links: [{ traceState: 'l' }],
  };
  for (const [span, reason] of wrong) {
    const decoder = new OtlpProtoDecoder();
    const builder = new BatchBuilder();
    decoder.begin(encodeRequest(request(good, span, good, span)));
    assert.equal(decoder.decode(builder), true);
    assert.equal(decoder.accepted, 2);
    assert.equal(decoder.rejected, 2);
    assert.match(decoder.rejectedMessage, /^otlp: span at byte \d+ left out: /);
    assert.match(decoder.rejectedMessage, reason);
    const kept = encodeRequest(request(good, good));
    assert.deepEqual(spansOfBatch(builder.finish()), spansOf(kept));
  }
});

test('a resource or scope with values nested too deep is refused', () => {
  let value: Init = {};
  for (let i = 0; i < 33; i++) {
    value = { value: { case: 'kvlistValue', value: { values: [{ key: 'k', value }] } } };
  }
  const attributes = [{ key: 'k', value }];
  for (const group of [
    { resource: { attributes }, scopeSpans: [{ spans: [GOOD_SPAN] }] },
    { scopeSpans: [{ scope: { attributes }, spans: [GOOD_SPAN] }] },
  ]) {
    const message = tryDecode(encodeRequest({ resourceSpans: [group] }), new BatchBuilder());
    assert.match(message!, /nested over 32 deep/);
  }
});

function isMiddling(init: Init): boolean {
  const bytes = encodeRequest(init);
  return bytes.length > 500 && bytes.length < 900 && spansOf(bytes).length > 1;
}

test('a request that is cut off is refused, or is a shorter one, and leaves the builder usable', () => {
  const [init] = fc.sample(validRequest.filter(isMiddling), { numRuns: 1, seed: 4 });
  const bytes = encodeRequest(init!);
  const whole = spansOf(bytes);
  const builder = new BatchBuilder();
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.slice(0, length);
    const message = tryDecode(cut, builder);
    if (message === undefined) {
      assert.deepEqual(spansOfBatch(builder.finish()), spansOf(cut));
    } else {
      assert.throws(() => spansOf(cut));
      assert.match(message, /truncated/);
    }
  }
  assert.equal(tryDecode(bytes, builder), undefined);
  assert.deepEqual(spansOfBatch(builder.finish()), whole);
});

test('wrong bytes are refused with what is wrong and where', () => {
  const cases: [Uint8Array, RegExp][] = [
    [Uint8Array.of(10, 5, 1), /length 5 > 1 bytes left at byte 2/],
    [Uint8Array.of(10, 0xff, 0xff, 0xff, 0xff, 0x0f), /length 4294967295 > 0 bytes left/],
    [Uint8Array.of(8, 1), /field 1 has wire type 0/],
    [Uint8Array.of(0, 0), /field number 0/],
    [Uint8Array.of(0x83, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), /more than 10/],
    // groups
    [Uint8Array.of(0x9b, 0x06, 0x9c, 0x06), /wire type 3/],
    [rawRequest(rawSpan(...varint(99 * 8 + 4))), /wire type 4/],
    [rawRequest(rawSpan(...varint(99 * 8 + 7))), /wire type 7/],
    [rawRequest(rawSpan(57, 1, 2, 3)), /4 bytes > 3 bytes left/],
    [rawRequest(rawSpan(48)), /truncated/],
    [rawRequest(rawSpan(...bytesField(9, [10, 9, 97]))), /length 9 > 1/],
    [rawRequest(rawSpan(...bytesField(9, [8, 1]))), /field 1 has wire type 0/],
    [rawRequest(rawSpan(...bytesField(9, bytesField(2, [26, 0])))), /field 3 has wire type 2/],
    [
      rawRequest(rawSpan(...bytesField(9, bytesField(2, bytesField(5, [8, 0]))))),
      /field 1 has wire type 0/,
    ],
    [rawRequest(rawSpan(...bytesField(15, [16, 0]))), /field 2 has wire type 0/],
  ];
  // Every known field of a span with every other wire type.
  const wireTypes = [2, 2, 2, 2, 2, 0, 1, 1, 2, 0, 2, 0, 2, 0, 2, 5];
  for (const [i, right] of wireTypes.entries()) {
    for (const wrong of [0, 1, 2, 5].filter((wireType) => wireType !== right)) {
      const value = { 0: [1], 1: Array(8).fill(0), 2: [0], 5: Array(4).fill(0) }[wrong]!;
      cases.push([
        rawRequest(rawSpan(...varint((i + 1) * 8 + wrong), ...value)),
        new RegExp(`field ${i + 1} has wire type ${wrong}`),
      ]);
    }
  }
  const builder = new BatchBuilder();
  for (const [bytes, reason] of cases) {
    assert.match(tryDecode(bytes, builder) ?? 'accepted', reason, bytes.toHex());
  }
  assert.equal(tryDecode(encodeRequest(request(GOOD_SPAN)), builder), undefined);
  assert.equal(builder.finish().rows, 1);
});

test('mutated requests never do more than be refused, and leave the builder as it was', () => {
  const valid = fc.sample(validRequest, { numRuns: 30, seed: 7 }).map(encodeRequest);
  const good = encodeRequest(request(GOOD_SPAN));
  const expected = decodeProto(good).bytes;
  const builder = new BatchBuilder();
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...valid), mutations, (bytes, list) => {
      if (tryDecode(mutated(bytes, list), builder) === undefined) {
        const batch = builder.finish();
        // What was taken can be written, read by the library and by our own reader.
        assert.equal(spansOfBatch(batch).length, batch.rows);
        const reader = new SpanReader(batch);
        for (let row = 0; row < batch.rows; row++) reader.read(row);
      } else refused++;
      assert.equal(tryDecode(good, builder), undefined);
      const batch = builder.finish();
      assert.deepEqual(batch.bytes, expected);
    }),
    { numRuns: 2000, verbose: true },
  );
  assert.ok(refused > 200, `${refused} refused`);
});

interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    remove: fc.nat(4),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom(
        ...[[0xff], [0x80], [0], [10, 0], [0x0b]].map((list) => Uint8Array.from(list)),
      ),
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

function mutated(bytes: Uint8Array, list: readonly Mutation[]): Uint8Array {
  let all = [...bytes];
  for (const { at, remove, insert } of list) {
    all = all.toSpliced(Math.floor(at * all.length), remove, ...insert);
  }
  return Uint8Array.from(all);
}

test('text that is not UTF-8 is mended everywhere', () => {
  const wrong = [0x61, 0xc3];
  const mended = [0x61, 0xef, 0xbf, 0xbd];
  const spans = (text: number[]): Uint8Array => {
    const value = bytesField(1, text);
    const attribute = [...bytesField(1, text), ...bytesField(2, value)];
    const list = [
      ...bytesField(1, [...bytesField(1, text), ...bytesField(2, value)]),
      ...bytesField(1, bytesField(2, bytesField(5, bytesField(1, value)))),
    ];
    const span = rawSpan(
      ...bytesField(3, text),
      ...bytesField(5, text),
      ...bytesField(9, attribute),
      ...bytesField(9, bytesField(2, bytesField(6, list))),
      ...bytesField(11, [...bytesField(2, text), ...bytesField(3, attribute)]),
      ...bytesField(13, [...bytesField(3, text), ...bytesField(4, attribute)]),
      ...bytesField(15, bytesField(2, text)),
    );
    const entity = [1, 2, 3, 4].flatMap((field) => bytesField(field, text));
    const scope = [...bytesField(1, text), ...bytesField(2, text), ...bytesField(3, attribute)];
    return Uint8Array.from(
      bytesField(1, [
        ...bytesField(1, [...bytesField(1, attribute), ...bytesField(3, entity)]),
        ...bytesField(2, [...bytesField(1, scope), ...bytesField(2, span), ...bytesField(3, text)]),
        ...bytesField(3, text),
      ]),
    );
  };
  assert.deepEqual(decodeProto(spans(wrong)).bytes.length, decodeProto(spans(mended)).bytes.length);
  assert.deepEqual(spansOfBatch(decodeProto(spans(wrong))), spansOf(spans(mended)));
});

test('the bits of a double are kept, of every kind of NaN too', () => {
  const nan = [0x01, 0x02, 0x03, 0, 0, 0, 0xf4, 0xff];
  const value = bytesField(2, [33, ...nan]);
  const list = bytesField(2, bytesField(5, bytesField(1, [33, ...nan])));
  const bytes = rawRequest(rawSpan(...bytesField(9, value), ...bytesField(9, list)));
  const batch = decodeProto(bytes);
  const encoded = new OtlpProtoEncoder(batch).encode().toHex();
  assert.equal(encoded.split(Uint8Array.from(nan).toHex()).length, 3);
});

test('unknown fields are passed over and counted', () => {
  const unknown = [...varint(500 * 8), 1];
  const decoder = new OtlpProtoDecoder();
  const builder = new BatchBuilder();
  const attribute = [
    ...bytesField(1, [97]),
    ...bytesField(2, [...bytesField(1, [98]), ...unknown]),
  ];
  const span = rawSpan(...unknown, ...bytesField(9, attribute));
  decoder.begin(Uint8Array.from([...rawRequest(span, rawSpan()), ...unknown]));
  decoder.decode(builder);
  assert.equal(decoder.unknownFields, 3);
  assert.deepEqual(
    spansOfBatch(builder.finish()),
    spansOf(
      encodeRequest({
        resourceSpans: [
          {
            scopeSpans: [
              {
                spans: [
                  {
                    traceId: TRACE_ID,
                    spanId: SPAN_ID,
                    attributes: [
                      { key: 'a', value: { value: { case: 'stringValue', value: 'b' } } },
                    ],
                  },
                  { traceId: TRACE_ID, spanId: SPAN_ID },
                ],
              },
            ],
          },
        ],
      }),
    ),
  );
});

test('a request is decoded in slices into several builders', () => {
  const spans = Array.from({ length: 30 }, (_, i) => ({ ...GOOD_SPAN, name: `span ${i}` }));
  const bytes = encodeRequest({
    resourceSpans: Array.from({ length: 20 }, (_, r) => ({
      schemaUrl: `r${r}`,
      scopeSpans: [
        { schemaUrl: 'a', spans },
        { schemaUrl: 'b', spans },
      ],
    })),
  });
  const decoder = new OtlpProtoDecoder();
  decoder.begin(bytes);
  const all: string[] = [];
  let slices = 0;
  for (let isDone = false; !isDone; slices++) {
    const builder = new BatchBuilder();
    isDone = decoder.decode(builder, 100);
    assert.ok(builder.rows <= 200, `${builder.rows} spans in a slice of about 100`);
    all.push(...spansOfBatch(builder.finish()));
  }
  assert.ok(slices >= 6);
  assert.equal(decoder.accepted, 1200);
  assert.deepEqual(all, spansOf(bytes));
});

test('a field that is repeated very often is merged in good time', () => {
  const join = (...parts: ArrayLike<number>[]): Uint8Array => {
    const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  };
  const field = (number: number, content: ArrayLike<number>): Uint8Array =>
    join(varint(number * 8 + 2), varint(content.length), content);
  const many = (part: ArrayLike<number>): Uint8Array => join(...Array(100_000).fill(part));
  const list = field(5, field(1, [24, 1]));
  const attributes = [
    // The value comes in parts, then the list in the value does, then a list in the list.
    field(9, many(field(2, list))),
    field(9, field(2, many(list))),
    field(9, field(2, field(5, field(1, many(list))))),
  ];
  const cases = [
    ...attributes.map((attribute) => field(1, field(2, field(2, join(rawSpan(), attribute))))),
    field(1, join(many(field(1, [16, 1])), field(2, field(2, rawSpan())))),
  ];
  for (const bytes of cases) {
    const start = process.cpuUsage().user;
    assert.equal(decodeProto(bytes).rows, 1);
    // It takes 20 ms; with time quadratic in the number of parts it was more than a minute.
    assert.ok(process.cpuUsage().user - start < 10e6);
  }
});

test('a slice ends also where there are no spans, or none that are taken', () => {
  const many = <Item>(item: Item, count = 100_000): Item[] =>
    Array.from({ length: count }, () => item);
  const resource = bytesField(1, bytesField(1, [...bytesField(1, [97]), ...bytesField(2, [])]));
  const good = bytesField(2, rawSpan());
  const emptySpans = many(bytesField(2, [])).flat();
  const bodies = {
    'unknown fields': [...many([...varint(500 * 8), 1]).flat(), ...rawRequest(rawSpan())],
    'empty resources': [...many(bytesField(1, [])).flat(), ...rawRequest(rawSpan())],
    'empty spans, and the resource after them': bytesField(1, [
      ...bytesField(2, [...emptySpans, ...good]),
      ...resource,
    ]),
    'empty scopes': bytesField(1, [...emptySpans, ...bytesField(2, good), ...resource]),
  };
  for (const [name, body] of Object.entries(bodies)) {
    const bytes = Uint8Array.from(body);
    const whole = decodeProto(bytes);
    const decoder = new OtlpProtoDecoder();
    decoder.begin(bytes);
    const all: string[] = [];
    let slices = 0;
    for (let isDone = false; !isDone; slices++) {
      const builder = new BatchBuilder();
      isDone = decoder.decode(builder, 1_000_000);
      all.push(...spansOfBatch(builder.finish()));
    }
    assert.ok(slices >= 3, `${name}: ${slices}`);
    assert.equal(all.length, 1, name);
    assert.deepEqual(all, spansOfBatch(whole), name);
  }
});
