// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import { decodeSpans } from '#wire/mapping/testing/decode.ts';
import { mutated } from '#wire/mapping/testing/mutations.ts';
import { formatIpv6 } from './endpoint.ts';
import { createZipkinJsonV2Decoder } from './json-v2-decoder.ts';
import { createZipkinProtoDecoder } from './proto-decoder.ts';
import { expectedSpan } from './testing/expected-span.ts';
import { ipv6Bytes, protoList } from './testing/proto-list.ts';
import { anySpan, PLAIN_SPAN, type ZipkinSpan } from './testing/zipkin-model.ts';

const json = (spans: readonly unknown[]): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(spans));
const spans = fc.array(anySpan, { maxLength: 4 });

for (const [format, create, encode] of [
  ['JSON', createZipkinJsonV2Decoder, json],
  ['protobuf', createZipkinProtoDecoder, protoList],
] as const) {
  test(`every span in ${format} becomes what the mapping says`, () => {
    const decoder = create();
    fc.assert(
      fc.property(spans, (list) => {
        assert.deepEqual(decodeSpans(decoder, encode(list)), list.map(expectedSpan));
        assert.equal(decoder.accepted, list.length);
      }),
      { numRuns: 100 },
    );
  });

  test(`slices of ${format} may go to several builders`, () => {
    const list = Array.from({ length: 10 }, (_, i) => ({ ...PLAIN_SPAN, name: `n${i}` }));
    assert.deepEqual(decodeSpans(create(), encode(list), 3), list.map(expectedSpan));
  });

  test(`a list in ${format} that is cut is malformed, unless it ends with a span`, () => {
    const [some] = fc.sample(spans, { numRuns: 1, seed: 11 });
    const list = [...some!, PLAIN_SPAN];
    const bytes = encode(list);
    const ends = new Set(
      format === 'JSON' ? [] : list.map((_, i) => encode(list.slice(0, i)).length),
    );
    for (let length = 1; length < bytes.length; length++) {
      const run = (): unknown => decodeSpans(create(), bytes.slice(0, length));
      if (ends.has(length)) run();
      else assert.throws(run, { code: 'malformed' }, String(length));
    }
  });

  test(`after a list in ${format} with a resource or scope that is too large the next one has its own`, () => {
    for (const key of ['host.name', 'otel.scope.name']) {
      const decoder = create();
      const own = [{ ...PLAIN_SPAN, tags: { [key]: 'mine' } }];
      const refused = [{ ...PLAIN_SPAN, tags: { [key]: 'x'.repeat(1 << 20) } }];
      assert.deepEqual(decodeSpans(decoder, encode(own)), own.map(expectedSpan));
      assert.throws(() => decodeSpans(decoder, encode(refused)), { code: 'too_large' });
      assert.deepEqual(decodeSpans(decoder, encode(own)), own.map(expectedSpan));
    }
  });

  test(`a span in ${format} with a port that none can be is left out, and its neighbours stay`, () => {
    for (const side of ['localEndpoint', 'remoteEndpoint'] as const) {
      const decoder = create();
      const highest = { ...PLAIN_SPAN, [side]: { port: 65_535 } };
      const tooHigh = { ...PLAIN_SPAN, [side]: { port: 70_000 } };
      const decoded = decodeSpans(decoder, encode([highest, tooHigh, highest]));
      assert.deepEqual(decoded, [highest, highest].map(expectedSpan));
      assert.equal(decoder.rejected, 1);
      assert.match(decoder.rejectedMessage, /left out: the port of an endpoint is over 65535$/);
    }
  });

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
}

test('ids of fewer digits have zeros in front, in either case', () => {
  const [span] = decodeSpans(
    createZipkinJsonV2Decoder(),
    json([{ ...PLAIN_SPAN, traceId: 'ABC', id: 'd', parentId: 'Ef' }]),
  );
  assert.equal(span?.traceId, 'abc'.padStart(32, '0'));
  assert.equal(span?.spanId, 'd'.padStart(16, '0'));
  assert.equal(span?.parentSpanId, 'ef'.padStart(16, '0'));
});

test('JSON: null is not sent, unknown members are passed over, and other scalars are texts', () => {
  const odd = {
    ...PLAIN_SPAN,
    parentId: null,
    kind: null,
    tags: { a: 1.5, b: true, c: null },
    more: [{}],
    localEndpoint: { serviceName: 'shop', port: null, zone: 'x' },
  };
  const [span] = decodeSpans(createZipkinJsonV2Decoder(), json([odd]));
  assert.deepEqual(span, expectedSpan({ ...PLAIN_SPAN, tags: { a: '1.5', b: 'true' } }));
});

test('a bad span in JSON is left out and told, and its neighbours stay', () => {
  const bad: [object, RegExp][] = [
    [{ traceId: undefined }, /it has no trace id/],
    [{ traceId: '0'.repeat(16) }, /it has no trace id/],
    [{ id: '' }, /it has no id/],
    [{ traceId: 'x'.repeat(16) }, /its traceId is not of 1 to 32 hex digits/],
    [{ parentId: '1'.repeat(17) }, /its parentId is not of 1 to 16 hex digits/],
    [{ kind: 'LOCAL' }, /its kind is none of Zipkin/],
    [{ timestamp: -1 }, /an integer out of range/],
    [{ timestamp: 1e17 }, /its timestamp is after the year 2554/],
    [{ duration: 'long' }, /no integer/],
    [{ tags: { a: [] } }, /no number/],
    [{ annotations: [{ timestamp: 1e17, value: 'x' }] }, /the timestamp of an annotation/],
    [{ name: {} }, /no string/],
  ];
  for (const [change, reason] of bad) {
    const decoder = createZipkinJsonV2Decoder();
    const body = json([PLAIN_SPAN, { ...PLAIN_SPAN, tags: { a: 'b' }, ...change }, PLAIN_SPAN]);
    assert.deepEqual(decodeSpans(decoder, body), [PLAIN_SPAN, PLAIN_SPAN].map(expectedSpan));
    assert.match(decoder.rejectedMessage, reason);
    assert.match(decoder.rejectedMessage, /^zipkin json: span at byte \d+ left out: /);
  }
});

test('JSON that is no list is malformed', () => {
  for (const body of ['{}', '"a"', '[', '[{}', '[{}] x', '{"traceId":"1"}']) {
    assert.throws(() => decodeSpans(createZipkinJsonV2Decoder(), new TextEncoder().encode(body)), {
      code: 'malformed',
      message: /^zipkin json: /,
    });
  }
});

test('the two spans of a call that share an id stay two', () => {
  const call = { ...PLAIN_SPAN, kind: 'CLIENT' } as const;
  const served: ZipkinSpan = { ...call, kind: 'SERVER', shared: true };
  const decoded = decodeSpans(createZipkinJsonV2Decoder(), json([call, served]));
  assert.deepEqual(
    decoded.map(({ kind, attributes }) => [kind, attributes.map(({ key }) => key)]),
    [
      [3, []],
      [2, ['zipkin.shared']],
    ],
  );
});

test('of very many tags of the resource the first 256 go there, and the rest stay with the span', () => {
  const tags = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`host.n${i}`, `v${i}`]));
  const body = json([{ ...PLAIN_SPAN, tags }, PLAIN_SPAN]);
  const [many, plain] = decodeSpans(createZipkinJsonV2Decoder(), body);
  assert.equal(many?.resource.attributes.length, 1 + 256);
  assert.equal(many?.attributes.length, 1000 - 256);
  assert.deepEqual(plain, expectedSpan(PLAIN_SPAN));
});

test('a resource of very many bytes is read, and so is the next one', () => {
  const tags = { 'host.long': 'x'.repeat(200_000) };
  const list = [{ ...PLAIN_SPAN, tags }, { ...PLAIN_SPAN, tags }, PLAIN_SPAN];
  const decoded = decodeSpans(createZipkinProtoDecoder(), protoList(list));
  assert.deepEqual(decoded, list.map(expectedSpan));
});

test('an IPv6 address is written in its canonical form', () => {
  const texts = ['::1', '1::', '::ffff:102:304', '2001:db8::1:0:0:1', '1:0:2:3:4:5:6:7'];
  for (const text of texts) assert.equal(formatIpv6(ipv6Bytes(text)), text);
});
