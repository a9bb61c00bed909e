// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { BatchBuilder } from '#model/batch-builder.ts';
import { SpoorError } from '#model/errors.ts';
import { SpanReader } from '#model/span-reader.ts';
import type { Span } from '#model/span.ts';
import { OtlpJsonDecoder } from './decode-json.ts';
import { type Init, validRequest } from './testing/arbitrary-request.ts';
import {
  decodeJson,
  decodeProto,
  encodeRequest,
  jsonRequest,
  spansOf,
  spansOfBatch,
} from './testing/oracle.ts';
import { EXPORT_REQUEST } from './testing/otlp-descriptors.ts';
import { randomOf } from './testing/rewrite-protobuf.ts';
import { restyleJson } from './testing/restyle-json.ts';

const GOOD = '"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174"';

/** A request of these spans. */
function request(...spans: string[]): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join()}]}]}]}`;
}

/** The spans of a text, as objects. */
function read(text: string | Uint8Array): Span[] {
  const batch = decodeJson(text);
  const reader = new SpanReader(batch);
  return Array.from({ length: batch.rows }, (_, row) => reader.read(row));
}

/** The one span with these members besides its ids. */
function readSpan(members: string): Span {
  return read(request(`{${GOOD},${members}}`))[0]!;
}

/** Decodes a request, rolls back where it is refused, and gives the message. */
function tryDecode(text: string | Uint8Array, builder: BatchBuilder): string | undefined {
  const decoder = new OtlpJsonDecoder();
  const mark = builder.mark();
  try {
    decoder.begin(typeof text === 'string' ? new TextEncoder().encode(text) : text);
    decoder.decode(builder);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof SpoorError, String(error));
    assert.equal(error.code, 'malformed');
    assert.match(error.message, /^otlp json: .* at byte \d+(, the end)?$/);
    builder.rollback(mark);
    return error.message;
  }
}

/** The message of the refusal. */
function refusal(text: string | Uint8Array): string {
  return tryDecode(text, new BatchBuilder()) ?? 'accepted';
}

/** What a decoder says of a request whose spans may be left out. */
function outcome(text: string): { accepted: number; rejected: number; message: string } {
  const decoder = new OtlpJsonDecoder();
  const builder = new BatchBuilder();
  decoder.begin(new TextEncoder().encode(text));
  assert.equal(decoder.decode(builder), true);
  assert.equal(builder.finish().rows, decoder.accepted);
  const { accepted, rejected, rejectedMessage } = decoder;
  return { accepted, rejected, message: rejectedMessage };
}

function hasEmptyGroup(init: Init): boolean {
  const { resourceSpans } = create(EXPORT_REQUEST, init) as unknown as {
    resourceSpans: { scopeSpans: { spans: unknown[] }[] }[];
  };
  return resourceSpans.some(({ scopeSpans }) => scopeSpans.some(({ spans }) => spans.length === 0));
}

test('a request in JSON gives the same batch as in protobuf, to the byte', () => {
  fc.assert(
    fc.property(validRequest, (init) => {
      const proto = decodeProto(encodeRequest(init));
      const json = decodeJson(JSON.stringify(jsonRequest(init)));
      // Groups without spans leave unused symbols when they come as protobuf.
      if (!hasEmptyGroup(init)) assert.deepEqual(json.bytes, proto.bytes);
      assert.deepEqual(spansOfBatch(json), spansOfBatch(proto));
    }),
    { numRuns: 200 },
  );
});

test('a request means the same however its JSON is written', () => {
  fc.assert(
    fc.property(validRequest, fc.nat(), (init, seed) => {
      const text = restyleJson(jsonRequest(init), randomOf(seed));
      // The double -0 and the empty text are sent as such inside of a value only.
      assert.deepEqual(spansOfBatch(decodeJson(text)), spansOf(encodeRequest(init)), text);
    }),
    { numRuns: 200 },
  );
});

test('the example of the specification is read', () => {
  const [span] = read(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",
    "value":{"stringValue":"my.service"}}]},"scopeSpans":[{"scope":{"name":"my.library",
    "version":"1.0.0","attributes":[{"key":"my.scope.attribute","value":{"stringValue":
    "some scope attribute"}}]},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C",
    "spanId":"EEE19B7EC3C1B174","parentSpanId":"EEE19B7EC3C1B173","name":"I'm a server span",
    "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000","kind":2,
    "attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}}]}]}]}]}`);
  assert.equal(span!.traceId, '5b8efff798038103d269b633813fc60c');
  assert.equal(span!.parentSpanId, 'eee19b7ec3c1b173');
  assert.equal(span!.name, "I'm a server span");
  assert.equal(span!.kind, 2);
  assert.equal(span!.endTimeUnixNano - span!.startTimeUnixNano, 1_000_000_000n);
  assert.equal(span!.resource.serviceName, 'my.service');
  assert.equal(span!.scope.version, '1.0.0');
  assert.deepEqual(span!.attributes, [
    { key: 'my.span.attr', value: { type: 'string', value: 'some value' } },
  ]);
});

test('resource, scope and schema URLs count wherever they stand, for all slices', () => {
  const span = (i: number): string => `{${GOOD},"name":"${i}"}`;
  const spans = (from: number): string =>
    Array.from({ length: 5 }, (_, i) => span(from + i)).join();
  const text = `{"resourceSpans":[
    {"scopeSpans":[
      {"spans":[${spans(0)}],"schemaUrl":"s0","scope":{"name":"a"}},
      {"spans":[${spans(5)}],"scope":{"version":"b","name":"x","name":"b"}},
      {"spans":[],"scope":{"name":"none"}}],
     "unknown":[{"spans":[1]}],
     "schemaUrl":"r0","resource":{"droppedAttributesCount":7}},
    {"scopeSpans":[{"spans":[${spans(10)}]}],"scopeSpans":[{"schemaUrl":"s1","spans":[${spans(15)}]}]},
    {"resource":{"droppedAttributesCount":1},"scopeSpans":[{"spans":[${spans(20)}]}],
     "resource":{"droppedAttributesCount":9},"schemaUrl":"first","schemaUrl":"r2"}]}`;
  const expected = (i: number): unknown[] => {
    if (i < 5) return [7, 'r0', 'a', '', 's0'];
    if (i < 10) return [7, 'r0', 'b', 'b', ''];
    if (i < 20) return [0, '', '', '', i < 15 ? '' : 's1'];
    return [9, 'r2', '', '', ''];
  };
  for (const maxSpans of [1, 2, 3, 7, Infinity]) {
    const decoder = new OtlpJsonDecoder();
    decoder.begin(new TextEncoder().encode(text));
    let count = 0;
    for (let isDone = false; !isDone;) {
      // Each slice goes into a builder of its own.
      const builder = new BatchBuilder();
      isDone = decoder.decode(builder, maxSpans);
      assert.ok(builder.rows <= maxSpans);
      const batch = builder.finish();
      const reader = new SpanReader(batch);
      for (let row = 0; row < batch.rows; row++, count++) {
        const { name, resource, scope } = reader.read(row);
        assert.equal(name, String(count));
        assert.deepEqual(
          [
            resource.droppedAttributesCount,
            resource.schemaUrl,
            scope.name,
            scope.version,
            scope.schemaUrl,
          ],
          expected(count),
        );
      }
    }
    assert.equal(count, 25);
  }
});

test('a large request is decoded in slices that are bounded in bytes, with or without spans', () => {
  const pad = 'x'.repeat(300_000);
  const span = (i: number): string => `{${GOOD},"name":"${i}","traceState":"${pad}"}`;
  const unknown = `[${Array.from({ length: 20_000 }, () => '{"a":[1,2,3,"text"],"b":{"c":null}}').join()}]`;
  const spans = Array.from({ length: 10 }, (_, i) => span(i)).join();
  const text = `{"resourceSpans":[{"x":${unknown},"scopeSpans":[{"spans":[${spans}],
    "y":${unknown},"schemaUrl":"s"}],"z":${unknown},"schemaUrl":"r"}],"w":${unknown}}`;
  const decoder = new OtlpJsonDecoder();
  decoder.begin(new TextEncoder().encode(text));
  let slices = 0;
  const names: string[] = [];
  for (let isDone = false; !isDone; slices++) {
    const builder = new BatchBuilder();
    isDone = decoder.decode(builder, 1000);
    assert.ok(builder.rows <= 4, `${builder.rows} spans of 300 kB in a slice`);
    const batch = builder.finish();
    const reader = new SpanReader(batch);
    for (let row = 0; row < batch.rows; row++) {
      const { name, resource, scope } = reader.read(row);
      names.push(`${name} ${resource.schemaUrl} ${scope.schemaUrl}`);
    }
  }
  assert.deepEqual(
    names,
    Array.from({ length: 10 }, (_, i) => `${i} r s`),
  );
  assert.ok(slices >= 10, `${slices} slices`);
  assert.equal(decoder.unknownFields, 4);
});

test('absent and empty messages differ', () => {
  const texts = [
    `{"resourceSpans":[{"scopeSpans":[{"spans":[{${GOOD}}]}]}]}`,
    `{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{${GOOD},"status":{}}]}]}]}`,
    `{"resourceSpans":[{"resource":null,"scopeSpans":[{"scope":null,"spans":[{${GOOD},"status":null}]}]}]}`,
  ];
  const spans = texts.map((text) => read(text)[0]!);
  assert.deepEqual(
    spans.map(({ resource, scope, status }) => [resource.present, scope.present, status]),
    [
      [false, false, undefined],
      [true, true, { code: 0, message: '' }],
      [false, false, undefined],
    ],
  );
});

test('attribute values of every kind and form are read', () => {
  const value = (text: string): unknown =>
    readSpan(`"attributes":[{"key":"k","value":${text}}]`).attributes[0]!.value;
  const cases: [string, unknown][] = [
    ['null', { type: 'absent' }],
    ['{}', { type: 'empty' }],
    ['{"stringValue":null}', { type: 'empty' }],
    ['{"stringValue":""}', { type: 'string', value: '' }],
    ['{"stringValue":"a","intValue":"1"}', { type: 'int', value: 1n }],
    ['{"boolValue":false}', { type: 'bool', value: false }],
    ['{"intValue":-9223372036854775808}', { type: 'int', value: -(2n ** 63n) }],
    ['{"intValue":"9223372036854775807"}', { type: 'int', value: 2n ** 63n - 1n }],
    ['{"intValue":9007199254740993}', { type: 'int', value: 9007199254740993n }],
    ['{"intValue":-1e3}', { type: 'int', value: -1000n }],
    ['{"intValue":"-0"}', { type: 'int', value: 0n }],
    ['{"doubleValue":"NaN"}', { type: 'double', value: NaN }],
    ['{"doubleValue":"-Infinity"}', { type: 'double', value: -Infinity }],
    ['{"doubleValue":-0}', { type: 'double', value: -0 }],
    ['{"doubleValue":5e-324}', { type: 'double', value: 5e-324 }],
    ['{"doubleValue":"1.5"}', { type: 'double', value: 1.5 }],
    ['{"bytesValue":"-_8="}', { type: 'bytes', value: Uint8Array.of(0xfb, 0xff) }],
    ['{"bytesValue":""}', { type: 'bytes', value: new Uint8Array(0) }],
    ['{"arrayValue":{}}', { type: 'array', value: [] }],
    ['{"arrayValue":{"values":null}}', { type: 'array', value: [] }],
    [
      '{"array_value":{"values":[{},{"int_value":"7"},{"arrayValue":{"values":[{"boolValue":true}]}}]}}',
      {
        type: 'array',
        value: [
          { type: 'empty' },
          { type: 'int', value: 7n },
          { type: 'array', value: [{ type: 'bool', value: true }] },
        ],
      },
    ],
    [
      '{"kvlistValue":{"values":[{"value":{"stringValue":"v"},"key":"x","key":"k"},{"key":"x","value":{"boolValue":true},"key":""},{"key":"n"},{}]}}',
      {
        type: 'kvlist',
        value: [
          { key: 'k', value: { type: 'string', value: 'v' } },
          { key: '', value: { type: 'bool', value: true } },
          { key: 'n', value: { type: 'absent' } },
          { key: '', value: { type: 'absent' } },
        ],
      },
    ],
  ];
  for (const [text, expected] of cases) assert.deepEqual(value(text), expected, text);
});

test('texts with escapes, surrogates and wrong UTF-8 are what JSON and UTF-8 say', () => {
  const cases: [string, string][] = [
    ['\\u0041\\n\\"\\\\\\/\\b\\f\\r\\t', 'A\n"\\/\b\f\r\t'],
    ['\\ud83d\\ude00 😀', '😀 😀'],
    ['\\ud83d', '\ufffd'],
    ['\\ude00\\ud83d', '\ufffd\ufffd'],
    ['\\ud83d\\ud83d\\ude00', '\ufffd😀'],
    ['\\ud83dx\\u00E9\\u20ac\\u0000', '\ufffdxé€\u0000'],
  ];
  for (const [text, expected] of cases) {
    const members = `"name":"${text}","attributes":[{"value":{"stringValue":"${text}"},"key":"${text}"}]`;
    const span = readSpan(members);
    assert.equal(span.name, expected);
    assert.deepEqual(span.attributes, [
      { key: expected, value: { type: 'string', value: expected } },
    ]);
  }
  const text = request(`{${GOOD},"name":"a#","attributes":[{"key":"#"}]}`);
  const bytes = new TextEncoder().encode(text).map((byte) => (byte === 0x23 ? 0xc3 : byte));
  const [span] = read(bytes);
  assert.equal(span!.name, 'a\ufffd');
  assert.equal(span!.attributes[0]!.key, '\ufffd');
});

test('of a member that comes twice the last one counts, lists are joined', () => {
  const span = readSpan(`"name":"a","kind":1,"status":{"code":2,"message":"m"},"traceState":"t",
    "attributes":[{"key":"x","key":"y"}],"name":"b","kind":3,"status":{"code":1},
    "attributes":[{"key":"z","value":{"intValue":1},"value":{"boolValue":true}}],"traceState":""`);
  assert.equal(span.name, 'b');
  assert.equal(span.kind, 3);
  assert.deepEqual(span.status, { code: 1, message: '' });
  assert.equal(span.traceState, '');
  assert.deepEqual(span.attributes, [
    { key: 'y', value: { type: 'absent' } },
    { key: 'z', value: { type: 'bool', value: true } },
  ]);
});

test('a span that breaks the rules is left out with its reason, its neighbours are kept', () => {
  const deep = (depth: number): string =>
    `{"key":"k","value":${'{"arrayValue":{"values":['.repeat(depth)}{}${']}}'.repeat(depth)}}`;
  const wrong: [string, RegExp][] = [
    ['{"spanId":"eee19b7ec3c1b174"}', /it has no trace id/],
    ['{"traceId":"","spanId":"eee19b7ec3c1b174"}', /it has no trace id/],
    [`{${GOOD},"traceId":"abc"}`, /trace id is not of 32 hex digits/],
    [`{${GOOD},"traceId":"W47/95gDgQPSabYzgT/GDA=="}`, /trace id is not of 32 hex digits/],
    [`{${GOOD},"traceId":"5B8EFFF798038103D269B633813FC60g"}`, /trace id is not of 32 hex digits/],
    [`{${GOOD},"traceId":"${'0'.repeat(32)}"}`, /trace id is all zeros/],
    ['{"traceId":"5B8EFFF798038103D269B633813FC60C"}', /it has no span id/],
    [`{${GOOD},"spanId":"eee19b7ec3c1b1"}`, /span id is not of 16 hex digits/],
    [`{${GOOD},"parentSpanId":"eee19b7ec3c1b1"}`, /parent span id is not of 16 hex digits/],
    [`{${GOOD},"links":[{"traceId":"00"}]}`, /trace id of a link is not of 32 hex digits/],
    [`{${GOOD},"links":[{"spanId":"00"}]}`, /span id of a link is not of 16 hex digits/],
    [`{${GOOD},"attributes":[${deep(33)}],"events":[{"name":"e"}]}`, /nested over 32 deep/],
    [`{${GOOD},"events":[{"attributes":[${deep(40)}]}]}`, /nested over 32 deep/],
    [`{${GOOD},"traceId":5}`, /no string at byte/],
    [`{${GOOD},"kind":"SPAN_KIND_FOO"}`, /no integer at byte/],
    [`{${GOOD},"kind":2147483648}`, /integer out of range/],
    [`{${GOOD},"kind":1.5}`, /no integer/],
    [`{${GOOD},"startTimeUnixNano":"18446744073709551616"}`, /integer out of range/],
    [`{${GOOD},"startTimeUnixNano":-1}`, /integer out of range/],
    [`{${GOOD},"startTimeUnixNano":""}`, /no integer/],
    [`{${GOOD},"startTimeUnixNano":1e400}`, /integer out of range/],
    [`{${GOOD},"startTimeUnixNano":[]}`, /no number/],
    [`{${GOOD},"droppedLinksCount":4294967296}`, /integer out of range/],
    [`{${GOOD},"flags":-1}`, /integer out of range/],
    [`{${GOOD},"attributes":{}}`, /not a list/],
    [`{${GOOD},"attributes":[null]}`, /not an object/],
    [`{${GOOD},"attributes":[{"key":1}]}`, /no string/],
    [`{${GOOD},"attributes":[{"value":"x"}]}`, /not an object/],
    [`{${GOOD},"attributes":[{"value":{"intValue":9223372036854775808}}]}`, /out of range/],
    [`{${GOOD},"attributes":[{"value":{"intValue":-9223372036854775809}}]}`, /out of range/],
    [`{${GOOD},"attributes":[{"value":{"boolValue":"true"}}]}`, /neither true nor false/],
    [`{${GOOD},"attributes":[{"value":{"doubleValue":1e999}}]}`, /range of doubles/],
    [`{${GOOD},"attributes":[{"value":{"doubleValue":"x"}}]}`, /no number/],
    [`{${GOOD},"attributes":[{"value":{"bytesValue":"a"}}]}`, /no base64/],
    [`{${GOOD},"attributes":[{"value":{"bytesValue":{"0":1}}}]}`, /no string/],
    [`{${GOOD},"status":2}`, /not an object/],
    ['5', /not an object/],
    ['null', /not an object/],
    ['[]', /not an object/],
  ];
  const good = `{${GOOD},"name":"good","attributes":[${deep(32)}],"events":[{"name":"e"}]}`;
  for (const [span, reason] of wrong) {
    const text = request(good, span, good, span);
    const { accepted, rejected, message } = outcome(text);
    assert.deepEqual([accepted, rejected], [2, 2], span);
    assert.match(message, reason, span);
    const position = Number(/^otlp json: span at byte (\d+) left out: /.exec(message)![1]);
    assert.equal(text.slice(position, position + span.length), span);
    assert.deepEqual(
      spansOfBatch(decodeJson(text)),
      spansOfBatch(decodeJson(request(good, good))),
      span,
    );
  }
});

test('wrong values outside of spans refuse the request, with the position', () => {
  const span = `{${GOOD}}`;
  const cases: [string, RegExp][] = [
    ['[]', /not an object at byte 0/],
    ['null', /not an object at byte 0/],
    ['{"resourceSpans":{}}', /not a list at byte 17/],
    ['{"resourceSpans":[null]}', /not an object at byte 18/],
    ['{"resourceSpans":[{"schemaUrl":5}]}', /no string at byte 31/],
    [`{"resourceSpans":[{"resource":5,"scopeSpans":[{"spans":[${span}]}]}]}`, /not an object/],
    ['{"resourceSpans":[{"resource":{"attributes":[{"key":5}]}}]}', /no string at byte 52/],
    ['{"resourceSpans":[{"scopeSpans":[{"scope":{"name":[]}}]}]}', /no string at byte 50/],
    ['{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}', /not a list at byte 42/],
    [
      `{"resourceSpans":[{"resource":{"attributes":[{"value":${'{"arrayValue":{"values":['.repeat(33)}${']}}'.repeat(33)}}]}}]}`,
      /nested over 32 deep/,
    ],
  ];
  for (const [text, reason] of cases) assert.match(refusal(text), reason, text);
});

test('text that is not JSON is refused, wherever the fault is, and leaves the builder usable', () => {
  const full = `{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":{"doubleValue":-1.5e3}}]},
    "scopeSpans":[{"spans":[{${GOOD},"x":[true,{"y":null}],"events":[{"name":"\\u00e9"}]}]}]}]}`;
  const builder = new BatchBuilder();
  for (let length = 0; length < full.length; length++) {
    assert.match(tryDecode(full.slice(0, length), builder)!, /truncated|not an object at byte 0/);
  }
  for (const more of ['}', '{}', 'x', ',', '\u0000', '\ufeff']) {
    assert.match(refusal(full + more), /text after the end/);
  }
  // Each token replaced by, or followed by, a wrong one.
  for (let at = 0; at < full.length; at++) {
    for (const wrong of ['\u0001', ',', '}', ']', ':', '"', '\\', '-', 'e', '{', '0', ' ']) {
      const text = full.slice(0, at) + wrong + full.slice(at + 1);
      const message = tryDecode(text, builder);
      if (!isJson(text)) assert.notEqual(message, undefined, text);
    }
  }
  builder.clear();
  assert.equal(tryDecode(full, builder), undefined);
  assert.deepEqual(builder.finish().bytes, decodeJson(full).bytes);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('mutated requests never do more than be refused, and leave the builder as it was', () => {
  const valid = fc
    .sample(validRequest, { numRuns: 20, seed: 3 })
    .map((init, i) => restyleJson(jsonRequest(init), randomOf(i)));
  const good = request(`{${GOOD}}`);
  const expected = decodeJson(good).bytes;
  const builder = new BatchBuilder();
  const mutation = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    remove: fc.nat(6),
    insert: fc.constantFrom(
      '',
      '',
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '\\u',
      '\\',
      '1',
      'null',
      '\ud800',
    ),
  });
  let refused = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...valid),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (original, list) => {
        let text = original;
        for (const { at, remove, insert } of list) {
          const start = Math.floor(at * text.length);
          text = text.slice(0, start) + insert + text.slice(start + remove);
        }
        const message = tryDecode(text, builder);
        if (message === undefined) {
          assert.ok(isJson(new TextDecoder().decode(new TextEncoder().encode(text))), text);
          const batch = builder.finish();
          assert.equal(spansOfBatch(batch).length, batch.rows);
        } else refused++;
        assert.equal(tryDecode(good, builder), undefined);
        assert.deepEqual(builder.finish().bytes, expected);
      },
    ),
    { numRuns: 1500 },
  );
  assert.ok(refused > 300, `${refused} refused`);
});

test('names are read in both spellings, other names are passed over and counted', () => {
  const decoder = new OtlpJsonDecoder();
  const builder = new BatchBuilder();
  const text = `{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"5b8efff798038103d269b633813fc60c",
    "span_id":"eee19b7ec3c1b174","start_time_unix_nano":5,"TraceId":1,"":2,"traceid":{"traceId":[]}}]}]}],"x":0}`;
  decoder.begin(new TextEncoder().encode(text));
  decoder.decode(builder);
  assert.equal(decoder.accepted, 1);
  assert.equal(decoder.unknownFields, 4);
  assert.equal(new SpanReader(builder.finish()).read(0).startTimeUnixNano, 5n);
});

test('a byte order mark and white space around the request are passed over', () => {
  const text = `\ufeff \r\n\t{ } \n`;
  assert.equal(tryDecode(text, new BatchBuilder()), undefined);
  assert.equal(tryDecode('{"resourceSpans":[]}', new BatchBuilder()), undefined);
  assert.equal(tryDecode('{"resourceSpans":null}', new BatchBuilder()), undefined);
});

test('what is passed over may be nested deep, but not without bound', () => {
  const nested = (depth: number): string => `{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  assert.equal(tryDecode(nested(512), new BatchBuilder()), undefined);
  assert.match(refusal(nested(513)), /nested over 512 deep at byte 517/);
  assert.match(refusal(`{"x":${'['.repeat(1_000_000)}`), /nested over 512 deep/);
  assert.match(refusal(`{"x":${'{"a":'.repeat(1_000_000)}`), /nested over 512 deep/);
});

test('members that are repeated very often are read in good time', () => {
  const long = 'v'.repeat(1_000_000);
  const keys = Array.from({ length: 100_000 }, (_, i) => `"key":"${i}"`).join();
  const value = `{"value":{"stringValue":"${long}"},${keys}}`;
  const start = process.cpuUsage().user;
  const span = readSpan(`"attributes":[{"key":"k","value":{"kvlistValue":{"values":[${value}]}}}]`);
  const expected = { key: '99999', value: { type: 'string', value: long } };
  assert.deepEqual(span.attributes[0]!.value, { type: 'kvlist', value: [expected] });
  // It takes 50 ms; with a copy of the value for each key it would be more than a minute.
  assert.ok(process.cpuUsage().user - start < 10e6);
});
