// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Attribute } from '@spoor/core/model/attributes.ts';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { arbitrarySpan, KEYS } from '@spoor/core/query/testing/arbitrary-span.ts';
import {
  attributes,
  event,
  link,
  resource,
  scope,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { batchOf, encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import { OtlpProtoDecoder } from '@spoor/core/wire/otlp/decode.ts';
import { rowTexts } from '../testing/block-fixture.ts';
import { sameContent } from './same-content.ts';
import { SpanUnion } from './span-union.ts';

/** So many distinct values make a column plain. */
const PLAIN_VALUES = 1100;

/** Spans after which columns of these keys are plain, at each level, for texts, integers and doubles. */
function plainSpans(keys: readonly string[]): Span[] {
  return Array.from({ length: PLAIN_VALUES }, (_, i) => {
    const values = (level: number): Attribute[] =>
      keys.flatMap((key, k) => {
        const number = (i * keys.length + k) * 3 + level + 1000;
        return [`text ${number}`, BigInt(number), number + 0.5].flatMap((value) =>
          attributes({ [key]: value }),
        );
      });
    return span({
      traceId: traceId(99),
      attributes: values(0),
      events: [{ ...event('full'), attributes: values(1) }],
      links: [{ ...link({ traceId: traceId(1), spanId: spanId(1) }), attributes: values(2) }],
    });
  });
}

/** Compares all pairs of rows in the first `rows` of a union with what the encoded spans say. */
function checkPairs(batches: readonly SpanBatch[], rows: number): SpanUnion {
  const union = new SpanUnion(batches);
  const texts = batches.flatMap((batch) => rowTexts(batch)).slice(0, rows);
  texts.forEach((text, a) =>
    texts.forEach((other, b) =>
      assert.equal(sameContent(union, a, b), text === other, `rows ${a} and ${b}`),
    ),
  );
  return union;
}

const base = span({
  parentSpanId: spanId(7),
  traceState: 'a=1',
  flags: 257,
  status: { code: 2, message: 'late' },
  attributes: attributes({ text: 'one', number: 1n, ratio: 0, list: [1n, 'x'], flag: true }),
  droppedAttributesCount: 1,
  events: [event('a', { text: 'first', number: 1n }, 1005n), event('b', { ratio: 0 }, 1006n)],
  droppedEventsCount: 1,
  links: [
    link({ traceId: traceId(5), spanId: spanId(6) }, { text: 'first', ratio: 0 }),
    link({ traceId: traceId(6), spanId: spanId(6) }, { number: 1n }),
  ],
  droppedLinksCount: 1,
});

/** Lists that differ from this one in a single thing. */
function otherLists(list: readonly Attribute[]): Attribute[][] {
  const [first, ...more] = list;
  const other = (values: Parameters<typeof attributes>[0]): Attribute[] => [
    ...attributes(values),
    ...more,
  ];
  const key = first!.key;
  return [
    list.toReversed(),
    more,
    [first!, ...list],
    [...list, first!],
    other({ [key]: 'two' }),
    other({ [key]: 'one ' }),
    other({ [key]: '1' }),
    other({ [key]: 1n }),
    other({ [key]: 1 }),
    other({ [key]: 0 }),
    other({ [key]: -0 }),
    other({ [key]: NaN }),
    other({ [key]: null }),
    other({ other: 'one' }),
    // The same key twice, in one order and the other.
    [...attributes({ [key]: 'two' }), first!, ...more],
    [first!, ...attributes({ [key]: 'two' }), ...more],
  ];
}

/** Items of which one differs from that of this list, or the list itself does. */
function otherItems<Item extends { readonly attributes: readonly Attribute[] }>(
  [first, second]: readonly Item[],
  changes: readonly Partial<Item>[],
): Item[][] {
  return [
    [],
    [first!],
    [second!],
    [second!, first!],
    [first!, first!],
    [first!, second!, second!],
    ...changes.map((change) => [{ ...first!, ...change }, second!]),
    ...otherLists(first!.attributes).map((list) => [{ ...first!, attributes: list }, second!]),
    [first!, { ...second!, attributes: first!.attributes }],
  ];
}

/** Spans that differ from each other in a single thing. */
const variants: readonly Span[] = [
  {},
  { parentSpanId: '' as const },
  { parentSpanId: spanId(8) },
  { parentSpanId: spanId('7000000000000000') },
  { traceState: '' },
  { traceState: 'a=2' },
  { flags: 256 },
  { name: 'GET /cart' },
  { kind: 3 },
  { endTimeUnixNano: base.endTimeUnixNano + 1n },
  { endTimeUnixNano: base.endTimeUnixNano + 2n ** 32n },
  { status: undefined },
  { status: { code: 1, message: 'late' } },
  { status: { code: 2, message: '' } },
  { resource: resource('shop', { host: 'a' }) },
  { scope: scope('http', { host: 'a' }) },
  { droppedAttributesCount: 0 },
  { droppedEventsCount: 2 },
  { droppedLinksCount: 2 },
  ...otherLists(base.attributes).map((list) => ({ attributes: list })),
  ...otherItems(base.events, [
    { timeUnixNano: 1006n },
    { timeUnixNano: 1005n + 2n ** 32n },
    { name: 'c' },
    { droppedAttributesCount: 1 },
  ]).map((events) => ({ events })),
  ...otherItems(base.links, [
    { traceId: traceId(7) },
    { spanId: spanId(7) },
    { traceState: 'a=1' },
    { flags: 1 },
    { droppedAttributesCount: 1 },
  ]).map((links) => ({ links })),
].map((change) => ({ ...base, ...change }));

for (const isPlain of [false, true]) {
  const columns = isPlain ? 'plain columns' : 'dictionaries';
  const more = (keys: readonly string[]): SpanBatch[] =>
    isPlain ? [batchOf(plainSpans(keys))] : [];

  test(`spans that differ in a single thing are told apart, and copies in several batches are not, in ${columns}`, () => {
    const batches = [variants, variants.toReversed()].map(batchOf);
    const texts = batches.flatMap((batch) => rowTexts(batch));
    assert.equal(new Set(texts).size, variants.length);
    const union = checkPairs([...batches, ...more(['text', 'number', 'ratio'])], texts.length);
    const plain = union.columns.filter((column) => column.isPlain);
    assert.equal(plain.length, isPlain ? 27 : 0);
  });

  test(`spans are the same where they are encoded alike, whatever they hold, in ${columns}`, () => {
    const padding = more(KEYS);
    const parts = ['attributes', 'events', 'links', 'status', 'resource', 'scope'] as const;
    fc.assert(
      fc.property(arbitrarySpan, arbitrarySpan, (one, other) => {
        const mixed = parts.map((part) => ({ ...one, [part]: other[part] }));
        const spans = [one, other, ...mixed].map((each) => ({
          ...each,
          traceId: one.traceId,
          spanId: one.spanId,
          startTimeUnixNano: one.startTimeUnixNano,
        }));
        checkPairs([batchOf(spans), batchOf(spans.toReversed()), ...padding], spans.length * 2);
      }),
      { numRuns: isPlain ? 15 : 60 },
    );
  });

  test(`a NaN is the same as one of the same bits only, in ${columns}`, () => {
    // Zero has two encodings, and what is not a number many.
    const bits = [
      0n,
      1n << 63n,
      0x7ff8n << 48n,
      (0x7ff8n << 48n) | 1n,
      0xfff8n << 48n,
      0x7ff4n << 48n,
    ];
    const marks = bits.map((_, i) => 1e100 * (i + 1));
    const spans = marks.map((ratio) => span({ attributes: attributes({ ratio }) }));
    const body = Buffer.from(encodeSpans(spans));
    marks.forEach((mark, i) => {
      const pattern = Buffer.alloc(8);
      pattern.writeDoubleLE(mark);
      body.writeBigUInt64LE(bits[i]!, body.indexOf(pattern));
    });
    const decode = (): SpanBatch => {
      const builder = new BatchBuilder();
      const decoder = new OtlpProtoDecoder();
      decoder.begin(body);
      decoder.decode(builder);
      return builder.finish();
    };
    const batches = [decode(), decode()];
    assert.equal(new Set(batches.flatMap((batch) => rowTexts(batch))).size, bits.length);
    checkPairs([...batches, ...more(['ratio'])], bits.length * 2);
  });
}
