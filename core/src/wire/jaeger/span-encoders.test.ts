// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import type { Span } from '#model/span.ts';
import { arbitrarySpan } from '#query/testing/arbitrary-span.ts';
import { link as linkTo, span as exampleSpan, spanId } from '#query/testing/example-span.ts';
import { decodeSpans } from '#wire/mapping/testing/decode.ts';
import { mutated } from '#wire/mapping/testing/mutations.ts';
import { valueText } from '#wire/mapping/value-text.ts';
import { toJaegerSpan } from './jaeger-span.ts';
import { encodeJaegerJson } from './json-encoder.ts';
import {
  createJaegerProtoDecoder,
  createJaegerSpanJsonDecoder,
  createJaegerSpanProtoDecoder,
} from './proto-decoder.ts';
import { encodeJaegerProto } from './proto-encoder.ts';
import { JAEGER_SPAN } from './testing/jaeger-descriptors.ts';
import { anyBatch } from './testing/jaeger-model.ts';
import { protoRequest } from './testing/proto-batch.ts';

const FORMATS = {
  proto: { encode: encodeJaegerProto, decoder: createJaegerSpanProtoDecoder() },
  json: { encode: encodeJaegerJson, decoder: createJaegerSpanJsonDecoder() },
};

/** The span after a way through Jaeger's format. */
function trip(format: keyof typeof FORMATS, span: Span): Span {
  const { encode, decoder } = FORMATS[format];
  const [read] = decodeSpans(decoder, encode(toJaegerSpan(span)));
  assert.equal(decoder.rejectedMessage, '');
  return read!;
}

/**
 * A span by what it says: a status that says nothing is as good as none, and tags with a meaning that are no use are put
 * behind the others each time.
 */
function content(span: Span): Span {
  const { status } = span;
  const text = ({ key, value }: Span['attributes'][number]): string => `${key} ${valueText(value)}`;
  return {
    ...span,
    status: status?.code === 0 && status.message === '' ? undefined : status,
    attributes: span.attributes.toSorted((a, b) => (text(a) < text(b) ? -1 : 1)),
  };
}

for (const format of ['proto', 'json'] as const) {
  test(`a span that came from Jaeger is the same after a way through ${format}`, () => {
    const decoder = createJaegerProtoDecoder();
    fc.assert(
      fc.property(anyBatch, (batch) => {
        for (const span of decodeSpans(decoder, protoRequest(batch))) {
          assert.deepEqual(content(trip(format, span)), content(span));
        }
      }),
      { numRuns: 100 },
    );
  });

  test(`attributes that repeat the scope of a span are kept in ${format}`, () => {
    const texts = (version: string): Span['attributes'] => [
      { key: 'otel.library.name', value: { type: 'string', value: 'client' } },
      { key: 'otel.library.version', value: { type: 'string', value: version } },
    ];
    for (const version of ['', '1.2']) {
      const scope = { ...exampleSpan({}).scope, present: true, name: 'client', version };
      const once = trip(format, exampleSpan({ scope, attributes: texts(version) }));
      assert.deepEqual(once.attributes, texts(version));
      assert.deepEqual([once.scope.name, once.scope.version], ['client', version]);
    }
  });

  test(`what ${format} keeps of any span, a second way through it keeps too`, () => {
    fc.assert(
      fc.property(arbitrarySpan, (span) => {
        const once = trip(format, span);
        assert.deepEqual(trip(format, once), once);
        const same = ({ status, ...rest }: Span): unknown => [
          rest.traceId,
          rest.spanId,
          rest.parentSpanId.replace(/^0+$/, ''),
          rest.name,
          rest.traceState,
          rest.startTimeUnixNano,
          rest.endTimeUnixNano,
          rest.resource.serviceName,
          rest.scope.name,
          status?.code === 2,
          rest.events.map(({ name, timeUnixNano }) => [name, timeUnixNano]),
          rest.links
            .filter((link) => link.traceId !== '')
            .map((link) => [link.traceId, link.spanId || '0'.repeat(16)]),
        ];
        assert.deepEqual(same(once), same(span));
      }),
      { numRuns: 100 },
    );
  });
}

test('both encodings say the same', () => {
  fc.assert(
    fc.property(arbitrarySpan, (span) => {
      assert.deepEqual(trip('json', span), trip('proto', span));
    }),
    { numRuns: 100 },
  );
});

test('the official library reads the same from both encodings, and writes that JSON itself', () => {
  fc.assert(
    fc.property(arbitrarySpan, (span) => {
      const jaeger = toJaegerSpan(span);
      const message = fromBinary(JAEGER_SPAN, encodeJaegerProto(jaeger));
      const json: JsonValue = JSON.parse(new TextDecoder().decode(encodeJaegerJson(jaeger)));
      assert.deepEqual(
        toBinary(JAEGER_SPAN, fromJson(JAEGER_SPAN, json)),
        encodeJaegerProto(jaeger),
      );
      assert.deepEqual(toJson(JAEGER_SPAN, message), withPlainZero(json));
    }),
    { numRuns: 200 },
  );
});

/** A sign of zero is a text here, as the other numbers that JSON cannot write. */
function withPlainZero(json: JsonValue): unknown {
  return JSON.parse(JSON.stringify(json), (_, value: unknown) => (value === '-0' ? -0 : value));
}

test('a root stays one when it links to a span of its own trace', () => {
  const span = exampleSpan();
  const to = { traceId: span.traceId, spanId: spanId(9) };
  const links = [linkTo(to, { 'opentracing.ref_type': 'follows_from' })];
  const read = trip('proto', { ...span, links });
  assert.equal(read.parentSpanId, '');
  assert.deepEqual(read.links, links);
});

test('a body is a malformed one or a span, whatever was changed in it', () => {
  const bodies = arbitrarySpan.map((span) => encodeJaegerJson(toJaegerSpan(span)));
  fc.assert(
    fc.property(bodies.chain(mutated), (body) => {
      try {
        decodeSpans(FORMATS.json.decoder, body);
      } catch (error) {
        assert.ok(error instanceof SpoorError && error.code === 'malformed', String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test('JSON is read in the forms that protobuf allows', () => {
  const [span] = decodeSpans(
    createJaegerSpanJsonDecoder(),
    new TextEncoder().encode(`{
      "trace_id": "AAAAAAAAAAEAAAAAAAAAAg", "spanId": "AAAAAAAAAAM=", "operation_name": "g\\u00e9t",
      "flags": "3", "startTime": "2026-11-26T19:20:00.5+01:00", "duration": "-1.000000001s", "processId": "p",
      "references": [{ "traceId": "AAAAAAAAAAEAAAAAAAAAAg==", "spanId": "AAAAAAAAAAQ=", "refType": "CHILD_OF" }],
      "tags": [
        { "key": "n", "vType": 2, "vInt64": 7 }, { "key": "d", "vType": "FLOAT64", "vFloat64": "NaN" },
        { "key": "b", "vType": "BINARY", "vBinary": "_w" }, { "key": "s", "vStr": null }
      ],
      "process": { "serviceName": "shop", "tags": [] }, "warnings": ["late"], "unknown": [{}]
    }`),
  );
  assert.equal(span?.name, 'gét');
  assert.equal(span.parentSpanId, '0000000000000004');
  assert.equal(span.startTimeUnixNano, 1_795_717_200_500_000_000n);
  assert.equal(span.endTimeUnixNano, 1_795_717_199_499_999_999n);
  assert.equal(span.resource.serviceName, 'shop');
  assert.deepEqual(
    span.attributes.map(({ key, value }) => [key, 'value' in value ? value.value : undefined]),
    [
      ['n', 7n],
      ['d', NaN],
      ['b', Uint8Array.of(255)],
      ['s', ''],
      ['@jaeger@warnings', [{ type: 'string', value: 'late' }]],
      ['jaeger.flags', 3n],
    ],
  );
});
