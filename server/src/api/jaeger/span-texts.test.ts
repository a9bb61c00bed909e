// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Attribute } from '@spoor/core/model/attributes.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, event, link, scope, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { FLAGS_KEY, WARNINGS_KEY } from '@spoor/core/wire/jaeger/jaeger-span.ts';
import { adjustSpan } from './adjust-span.ts';
import { jaegerSpan } from './jaeger-span.ts';
import { SpanTexts } from './span-texts.ts';
import { KeptTagKeys } from './tag-keys.ts';

/** Keys that are shown otherwise than others are, that are those of other tags, and such as have a place of their own in the order. */
const KEYS = [
  'http.method',
  'error',
  'event',
  'ip',
  'peer.ipv4',
  FLAGS_KEY,
  WARNINGS_KEY,
  'span.kind',
  'otel.scope.name',
  'otel.status_code',
  'otel.status_description',
  'w3c.tracestate',
  'status.message',
  'trace_state',
  '"\\\n',
  '\u{1f600}',
  '\uffff',
];
const TEXTS = ['a"b', 'c\\d', '\u0000', 'tab\t', 'é', '\u{1f600}', '\u007f', 'true', ''];

const ERROR = { code: 2, message: 'lost' };
const TIMES = {
  startTimeUnixNano: 1_700_000_000_123_456_789n,
  endTimeUnixNano: 1_700_000_001_000_000_000n,
};

const renamed = (list: readonly Attribute[]): fc.Arbitrary<Attribute[]> =>
  fc
    .array(fc.constantFrom(...KEYS), { minLength: list.length, maxLength: list.length })
    .map((keys) => list.map(({ value }, i) => ({ key: keys[i]!, value })));

/** One of a trace; few have links, or what makes the other attributes of no interest. */
const spanOfTrace: fc.Arbitrary<Span> = arbitrarySpan.chain((one) =>
  fc
    .record({
      attributes: fc.oneof(renamed(one.attributes), fc.constant(one.attributes)),
      more: fc.array(fc.tuple(fc.constantFrom(...KEYS.slice(0, 3)), fc.constantFrom(...TEXTS))),
      events: fc.tuple(
        ...one.events.map((old) =>
          renamed(old.attributes).map((list) => ({ ...old, attributes: list })),
        ),
      ),
      name: fc.constantFrom(one.name, ...TEXTS),
      kind: fc.constantFrom(one.kind, 1, 2, 3, 4, 5),
      status: fc.constantFrom(one.status, undefined, { code: 1, message: '' }, ERROR),
      hasTimes: fc.boolean(),
      hasLinks: fc.constantFrom(false, false, false, true),
    })
    .map(({ more, hasTimes, hasLinks, ...changed }) => ({
      ...one,
      ...changed,
      ...(hasTimes ? TIMES : {}),
      traceId: span().traceId,
      attributes: [
        ...changed.attributes,
        ...more.map(([key, value]): Attribute => ({ key, value: { type: 'string', value } })),
      ],
      links: hasLinks ? one.links : [],
    })),
);

function expected(batch: SpanBatch, row: number): string {
  return JSON.stringify(adjustSpan(jaegerSpan(new SpanReader(batch).read(row), 'p1', [])));
}

test('a span is the same text as when it is made from objects, or is left to these', () => {
  let made = 0;
  const kept = new KeptTagKeys();
  fc.assert(
    fc.property(fc.array(spanOfTrace, { minLength: 1, maxLength: 4 }), (spans) => {
      const batch = batchOf(spans);
      const texts = SpanTexts.of(batch, kept)!;
      for (let row = 0; row < batch.rows; row++) {
        const text = texts.get(row, 'p1');
        if (text === undefined) continue;
        assert.equal(text, expected(batch, row));
        made++;
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(made > 50, `only ${made}`);
});

test('what a span usually has is made from the columns', () => {
  const batch = batchOf([
    span({ kind: 2, flags: 1, status: { code: 1, message: '' } }),
    span({
      status: { code: 2, message: 'lost' },
      traceState: 'a=1',
      attributes: attributes({
        error: 'true',
        'http.method': 'GET',
        size: 7n,
        ratio: 0.5,
        ok: true,
      }),
      events: [event('retry', { after: 3n }), event('')],
      droppedAttributesCount: 3,
    }),
  ]);
  for (const row of [0, 1]) {
    assert.equal(SpanTexts.of(batch, new KeptTagKeys())!.get(row, 'p1'), expected(batch, row));
  }
});

test('times beyond the integers that a double has are exact', () => {
  const at = (start: bigint, end: bigint, ...events: bigint[]): Span =>
    span({
      startTimeUnixNano: start,
      endTimeUnixNano: end,
      events: events.map((timeUnixNano) => ({ ...event('retry'), timeUnixNano })),
    });
  const last = 2n ** 64n - 1n;
  const cases: readonly (readonly [Span, times: string[], isMade: boolean])[] = [
    [at(1n, 9_007_199_254_740_993_001n), ['0', '9007199254740993'], true],
    [at(9_007_199_254_740_993_000n, 9_007_199_254_740_993_000n), ['9007199254740993', '0'], true],
    [
      at(9_007_199_254_740_991_999n, 9_007_199_254_740_992_999n, 9_007_199_254_740_992_000n, last),
      ['9007199254740991', '1', '9007199254740992', '18446744073709551'],
      true,
    ],
    [at(9_999_999_999_999_999_000n, last), ['9999999999999999', '8446744073709552'], false],
  ];
  const batch = batchOf(cases.map(([sent]) => sent));
  const texts = SpanTexts.of(batch, new KeptTagKeys())!;
  const timesIn = (text: string): string[] | null =>
    text.match(/(?<="(?:startTime|duration|timestamp)":)\d+/g);
  for (const [row, [, times, isMade]] of cases.entries()) {
    assert.deepEqual(timesIn(expected(batch, row)), times);
    const text = texts.get(row, 'p1');
    assert.equal(text !== undefined, isMade);
    if (text !== undefined) assert.deepEqual(timesIn(text), times);
  }
});

test('what few spans have is left to others', () => {
  const many = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`key ${i}`, true]));
  const spans = [
    span({ links: [link(span())] }),
    span({ kind: 255 }),
    span({ status: { code: 254, message: '' } }),
    span({ startTimeUnixNano: 1000n, endTimeUnixNano: 1n }),
    span({ attributes: attributes({ [FLAGS_KEY]: 3n }) }),
    span({ attributes: attributes({ ip: 1n }) }),
    span({ attributes: attributes(many) }),
    span({ events: [event('', { event: 'retry' })] }),
    span({ events: [event('', many)] }),
  ];
  const batch = batchOf(spans);
  const texts = SpanTexts.of(batch, new KeptTagKeys())!;
  assert.deepEqual(
    spans.map((_, row) => texts.get(row, 'p1')),
    spans.map(() => undefined),
  );
});

test('texts that are not kept are the same when they are made again', () => {
  // 39 spans with 99 texts of 250 characters each, which are more than is kept, and all of them once more.
  const spans = Array.from({ length: 78 }, (_, row) => {
    const long = `${row % 39} `.repeat(100);
    const texts = Array.from({ length: 99 }, (__, i) => [
      `key ${i}`,
      `${(row % 39) * 99 + i}`.padStart(250),
    ]);
    return span({
      name: long,
      attributes: attributes({ ...Object.fromEntries(texts), trace: `${long}\n` }),
      events: [event(long)],
      scope: scope(long),
    });
  });
  const batch = batchOf(spans);
  const texts = SpanTexts.of(batch, new KeptTagKeys())!;
  for (let row = 0; row < batch.rows; row++) {
    assert.equal(texts.get(row, 'p1'), expected(batch, row));
  }
});

test('values that are over 1 MiB together are the same text', () => {
  const batch = batchOf([
    span({ attributes: attributes({ a: 'short', b: 'x'.repeat((1 << 20) + 1), c: 7n }) }),
    span({ attributes: attributes({ a: 'short', b: 'other', c: 'a"b', d: 'é', e: '' }) }),
  ]);
  const texts = SpanTexts.of(batch, new KeptTagKeys())!;
  for (const row of [0, 1]) assert.equal(texts.get(row, 'p1'), expected(batch, row));
});

test('a trace with thousands of keys is left to others', () => {
  const withKeys = (count: number): SpanBatch =>
    batchOf(
      Array.from({ length: count / 64 }, (_, i) =>
        span({
          attributes: attributes(
            Object.fromEntries(Array.from({ length: 64 }, (__, j) => [`key ${i} ${j}`, true])),
          ),
        }),
      ),
    );
  assert.ok(SpanTexts.of(withKeys(2048 - 64), new KeptTagKeys()) !== undefined);
  assert.equal(SpanTexts.of(withKeys(2048 + 64), new KeptTagKeys()), undefined);
});
