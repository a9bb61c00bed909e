// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Span } from '#model/span.ts';
import { arbitrarySpan } from '#query/testing/arbitrary-span.ts';
import { attributes, event, resource, span as exampleSpan } from '#query/testing/example-span.ts';
import { decodeSpans } from '#wire/mapping/testing/decode.ts';
import { parseIp } from './ip-address.ts';
import { encodeZipkinJson } from './json-encoder.ts';
import { createZipkinJsonV2Decoder } from './json-v2-decoder.ts';
import { createZipkinProtoDecoder } from './proto-decoder.ts';
import { encodeZipkinProto } from './proto-encoder.ts';
import { protoList } from './testing/proto-list.ts';
import { anySpan, type ZipkinSpan } from './testing/zipkin-model.ts';
import { createZipkinThriftDecoder } from './thrift-decoder.ts';
import { encodeZipkinThrift } from './thrift-encoder.ts';
import { toZipkinSpan } from './zipkin-span.ts';

const FORMATS = {
  json: { encode: encodeZipkinJson, decoder: createZipkinJsonV2Decoder() },
  proto: { encode: encodeZipkinProto, decoder: createZipkinProtoDecoder() },
  thrift: { encode: encodeZipkinThrift, decoder: createZipkinThriftDecoder() },
};
const NAMES = ['json', 'proto', 'thrift'] as const;

/** The span after a way through Zipkin's format. */
function trip(format: keyof typeof FORMATS, span: Span): Span {
  const { encode, decoder } = FORMATS[format];
  const [read] = decodeSpans(decoder, encode([toZipkinSpan(span)]));
  assert.equal(decoder.rejectedMessage, '');
  return read!;
}

/** A status that says nothing is as good as none. */
function withoutEmptyStatus(span: Span): Span {
  const { status } = span;
  return status?.code === 0 && status.message === '' ? { ...span, status: undefined } : span;
}

/** Whether version 1 has a place for everything. */
function fitsVersion1({
  timestamp,
  kind,
  shared,
  annotations,
  localEndpoint,
}: ZipkinSpan): boolean {
  const isShared = shared === true;
  return (
    timestamp !== undefined &&
    (!isShared || (kind === 'SERVER' && (annotations ?? []).length === 0)) &&
    (localEndpoint === undefined || localEndpoint.serviceName !== undefined)
  );
}

function hasStart({ startTimeUnixNano }: Span): boolean {
  return startTimeUnixNano >= 1000n;
}

for (const format of NAMES) {
  test(`a span that came from Zipkin is the same after a way through ${format}`, () => {
    const decoder = createZipkinProtoDecoder();
    const spans = format === 'thrift' ? anySpan.filter(fitsVersion1) : anySpan;
    fc.assert(
      fc.property(spans, (zipkin) => {
        const [span] = decodeSpans(decoder, protoList([zipkin]));
        assert.deepEqual(withoutEmptyStatus(trip(format, span!)), withoutEmptyStatus(span!));
      }),
      { numRuns: 200 },
    );
  });

  test(`what ${format} keeps of any span, a second way through it keeps too`, () => {
    // Without a start, version 1 has the times of the annotations.
    const spans = format === 'thrift' ? arbitrarySpan.filter(hasStart) : arbitrarySpan;
    fc.assert(
      fc.property(spans, (span) => {
        const once = trip(format, span);
        assert.deepEqual(trip(format, once), once);
        const same = ({ status, ...rest }: Span): unknown => [
          rest.traceId,
          rest.spanId,
          rest.name,
          rest.traceState,
          rest.resource.serviceName,
          rest.scope.name,
          status?.code === 2 ? status.message : '',
          rest.events.length,
        ];
        assert.deepEqual(same(once), same(span));
      }),
      { numRuns: 200 },
    );
  });
}

test('what Zipkin has no place for becomes texts, and times are whole µs', () => {
  const span = exampleSpan({
    kind: 1,
    startTimeUnixNano: 1_700_000_000_000_000_999n,
    endTimeUnixNano: 1_700_000_000_000_001_000n,
    attributes: attributes({ count: 3n, list: ['a', 1], 'net.host.ip': '10.0.0.1' }),
    droppedEventsCount: 2,
    events: [event('plain'), event('rich', { size: 1n })],
    resource: resource('shop', { 'host.name': 'h', zone: 'z' }),
  });
  assert.deepEqual(JSON.parse(new TextDecoder().decode(encodeZipkinJson([toZipkinSpan(span)]))), [
    {
      traceId: span.traceId,
      id: span.spanId,
      name: 'GET /',
      timestamp: 1_700_000_000_000_000,
      duration: 1,
      localEndpoint: { serviceName: 'shop', ipv4: '10.0.0.1' },
      annotations: [
        { timestamp: 0, value: 'plain' },
        { timestamp: 0, value: '"rich": {"size":1}' },
      ],
      tags: {
        'span.kind': 'internal',
        'otel.scope.name': 'http',
        count: '3',
        list: '["a",1]',
        'otel.dropped_events_count': '2',
        'host.name': 'h',
        zone: 'z',
      },
    },
  ]);
});

test('an address is one only in the form in which it is read again', () => {
  const read = (text: string): string | undefined => parseIp(text)?.toHex();
  assert.equal(read('10.0.0.1'), '0a000001');
  assert.equal(read('2001:db8::c001'), '20010db800000000000000000000c001');
  assert.equal(read('1:2:3:4:5:6:7:8'), '00010002000300040005000600070008');
  for (const text of [
    '0.0.0.0',
    '::',
    '',
    'shop',
    '10.0.0',
    '10.0.0.01',
    '10.0.0.256',
    '1.2.3.4.5',
    '::1::2',
    '1:2',
    ':::',
    '2001:DB8::1',
    '1:2:3:4:5:6:7:8:9',
    '0:0:0:0:0:0:0:1',
    '::ffff:1.2.3.4',
    '1:2:3:4:5:6:7::8',
    'g::1',
  ]) {
    assert.equal(read(text), undefined, text);
  }
});
