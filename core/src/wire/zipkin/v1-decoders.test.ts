// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import { createJaegerAgentDecoder } from '#wire/jaeger/agent-decoder.ts';
import { decodeSpans } from '#wire/mapping/testing/decode.ts';
import { ThriftBinaryReader } from '#wire/thrift/binary-reader.ts';
import { ThriftCompactReader } from '#wire/thrift/compact-reader.ts';
import { mutated } from '#wire/mapping/testing/mutations.ts';
import { encodeList, encodeMessage } from '#wire/thrift/testing/thrift-library.ts';
import { createZipkinJsonV1Decoder } from './json-v1-decoder.ts';
import { anyV1Span, v1Json, v1Thrift, type V1Span } from './testing/v1-model.ts';
import { createZipkinThriftDecoder } from './thrift-decoder.ts';

const encodeThrift = (spans: readonly V1Span[]): Uint8Array =>
  encodeList('binary', 'struct', spans.map(v1Thrift));
const encodeJson = (spans: readonly V1Span[]): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(spans.map(v1Json)));
const spans = fc.array(anyV1Span, { maxLength: 4 });

const SHOP = { serviceName: 'shop', ipv4: '10.0.0.1', port: 80 };
const STORE = { serviceName: 'store', ipv4: '10.0.0.2', port: 70_000 - 65_536 };

const CLIENT: V1Span = {
  traceId: 1n,
  id: 2n,
  parentId: 3n,
  name: 'get',
  annotations: [
    { timestamp: 100, value: 'cs', endpoint: SHOP },
    { timestamp: 130, value: 'retry', endpoint: SHOP },
    { timestamp: 150, value: 'cr', endpoint: SHOP },
  ],
  binaryAnnotations: [
    { key: 'http.path', value: '/x', endpoint: SHOP },
    { key: 'sa', value: true, endpoint: STORE },
    { key: 'size', value: { i64: -5n }, endpoint: SHOP },
  ],
  timestamp: 100,
  duration: 50,
};

test('Thrift over HTTP and UDP and JSON of the same spans give the same rows', () => {
  const thrift = createZipkinThriftDecoder();
  const json = createZipkinJsonV1Decoder();
  const binary = createJaegerAgentDecoder(new ThriftBinaryReader());
  const compact = createJaegerAgentDecoder(new ThriftCompactReader());
  fc.assert(
    fc.property(spans, (list) => {
      const decoded = decodeSpans(thrift, encodeThrift(list));
      assert.equal(decoded.length, list.length);
      assert.deepEqual(decodeSpans(json, encodeJson(list)), decoded);
      const argument = [[1, { type: 'list', item: 'struct', value: list.map(v1Thrift) }]] as const;
      for (const [protocol, decoder] of [
        ['binary', binary],
        ['compact', compact],
      ] as const) {
        const message = encodeMessage(protocol, 'emitZipkinBatch', argument);
        assert.deepEqual(decodeSpans(decoder, message), decoded);
      }
    }),
    { numRuns: 100 },
  );
});

test('a call seen by its client has kind, times, both sides and its other annotations', () => {
  const [span] = decodeSpans(createZipkinThriftDecoder(), encodeThrift([CLIENT]));
  assert.equal(span?.kind, 3);
  assert.deepEqual([span?.startTimeUnixNano, span?.endTimeUnixNano], [100_000n, 150_000n]);
  assert.equal(span?.resource.serviceName, 'shop');
  assert.equal(span?.parentSpanId, '0000000000000003');
  assert.deepEqual(
    span?.events.map(({ name, timeUnixNano }) => [name, timeUnixNano]),
    [['retry', 130_000n]],
  );
  assert.deepEqual(
    span?.attributes.map(({ key, value }) => [key, 'value' in value ? value.value : undefined]),
    [
      ['http.path', '/x'],
      ['size', -5n],
      ['net.host.ip', '10.0.0.1'],
      ['net.host.port', 80n],
      ['peer.service', 'store'],
      ['net.peer.ip', '10.0.0.2'],
      ['net.peer.port', 4464n],
    ],
  );
});

test('a server that does not know when the span began shares it, and its times follow from its annotations', () => {
  const served: V1Span = {
    traceId: 1n,
    id: 2n,
    name: 'get',
    annotations: [
      { timestamp: 110, value: 'sr', endpoint: STORE },
      { timestamp: 140, value: 'ss', endpoint: STORE },
    ],
    binaryAnnotations: [{ key: 'ca', value: true, endpoint: SHOP }],
  };
  const [span] = decodeSpans(createZipkinJsonV1Decoder(), encodeJson([served]));
  assert.equal(span?.kind, 2);
  assert.deepEqual([span?.startTimeUnixNano, span?.endTimeUnixNano], [110_000n, 140_000n]);
  assert.equal(span?.resource.serviceName, 'store');
  assert.deepEqual(span?.events, []);
  const keys = span?.attributes.map(({ key }) => key);
  assert.ok(keys?.includes('zipkin.shared') && !keys.includes('otel.zipkin.absentField.startTime'));
  assert.ok(keys?.includes('peer.service'));
});

test('annotations of the other side are kept, and so is when they were', () => {
  const both: V1Span = {
    ...CLIENT,
    annotations: [
      ...CLIENT.annotations,
      { timestamp: 110, value: 'sr', endpoint: STORE },
      { timestamp: 140, value: 'ss', endpoint: STORE },
    ],
  };
  const [span] = decodeSpans(createZipkinJsonV1Decoder(), encodeJson([both]));
  assert.equal(span?.resource.serviceName, 'shop');
  assert.deepEqual(
    span?.events.map(({ name }) => name),
    ['retry', 'sr', 'ss'],
  );
});

test('of very many annotations all are kept, and the first 1024 say what the span is', () => {
  const annotations = Array.from({ length: 3000 }, (_, i) => ({
    timestamp: i + 1,
    value: i === 2999 ? 'cs' : `a${i}`,
    endpoint: SHOP,
  }));
  const many: V1Span = { ...CLIENT, annotations, binaryAnnotations: [] };
  for (const spans of [
    decodeSpans(createZipkinThriftDecoder(), encodeThrift([many])),
    decodeSpans(createZipkinJsonV1Decoder(), encodeJson([many])),
  ]) {
    assert.equal(spans[0]?.events.length, 3000);
    assert.deepEqual([spans[0]?.kind, spans[0]?.resource.serviceName], [0, 'shop']);
  }
});

test('a local span has the service of its binary annotations', () => {
  const local: V1Span = {
    traceId: 1n,
    id: 2n,
    name: 'job',
    annotations: [],
    binaryAnnotations: [{ key: 'lc', value: 'worker', endpoint: SHOP }],
    timestamp: 5,
    duration: 1,
  };
  const [span] = decodeSpans(createZipkinThriftDecoder(), encodeThrift([local]));
  assert.equal(span?.resource.serviceName, 'shop');
  assert.deepEqual(span?.attributes[0], { key: 'lc', value: { type: 'string', value: 'worker' } });
});

test('a list in Thrift that is cut anywhere is malformed', () => {
  const bytes = encodeThrift([CLIENT, CLIENT]);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeSpans(createZipkinThriftDecoder(), bytes.slice(0, length)), {
      code: 'malformed',
    });
  }
});

for (const [format, create, encode] of [
  ['Thrift', createZipkinThriftDecoder, encodeThrift],
  ['JSON', createZipkinJsonV1Decoder, encodeJson],
] as const) {
  test(`a list in ${format} that was changed is decoded or malformed`, () => {
    const decoder = create();
    fc.assert(
      fc.property(spans.map(encode).chain(mutated), (bytes) => {
        try {
          decodeSpans(decoder, bytes);
        } catch (error) {
          assert.ok(error instanceof SpoorError && error.code === 'malformed', String(error));
        }
      }),
      { numRuns: 300 },
    );
  });

  test(`a bad span in ${format} is left out, and its neighbours stay`, () => {
    const decoder = create();
    const decoded = decodeSpans(decoder, encode([CLIENT, { ...CLIENT, id: 0n }, CLIENT]));
    assert.equal(decoded.length, 2);
    assert.match(decoder.rejectedMessage, /left out: it has no id/);
  });
}

test('a span in JSON with a port that none can be is left out, and its neighbours stay', () => {
  const endpoint = { ...SHOP, port: 70_000 };
  const odd: V1Span[] = [
    { ...CLIENT, annotations: [{ timestamp: 100, value: 'cs', endpoint }] },
    { ...CLIENT, binaryAnnotations: [{ key: 'sa', value: true, endpoint }] },
  ];
  for (const span of odd) {
    const decoder = createZipkinJsonV1Decoder();
    assert.equal(decodeSpans(decoder, encodeJson([CLIENT, span, CLIENT])).length, 2);
    assert.match(decoder.rejectedMessage, /left out: the port of an endpoint is over 65535$/);
  }
});

test('a port in Thrift is 16 bits, which count as unsigned', () => {
  const endpoint = { ...SHOP, port: 65_535 };
  const span = { ...CLIENT, annotations: [{ timestamp: 100, value: 'cs', endpoint }] };
  const [decoded] = decodeSpans(createZipkinThriftDecoder(), encodeThrift([span]));
  const port = decoded?.attributes.find(({ key }) => key === 'net.host.port');
  assert.deepEqual(port?.value, { type: 'int', value: 65_535n });
});
