// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { orderRows } from './row-order.ts';
import { SpanUnion } from './span-union.ts';
import { rowKeys, rowTexts } from '../testing/block-fixture.ts';

/** Orders the rows of these batches; says which key and content each row has. */
function ordered(lists: readonly (readonly Span[])[]) {
  const batches = lists.map(batchOf);
  const order = orderRows(new SpanUnion(batches));
  const keys = batches.flatMap(rowKeys);
  const texts = batches.flatMap((batch) => rowTexts(batch));
  return {
    order,
    keys: Array.from(order.rows, (row) => keys[row]!),
    texts: Array.from(order.rows, (row) => texts[row]!),
    all: texts,
  };
}

test('rows stand by trace id, start and span id, and each span once', () => {
  // Ids that begin alike, and traces of more rows than are sorted by insertion.
  const ids = ['0', '00000001', '00000002', 'ffffffff'].flatMap((head) =>
    ['01', '02', 'ff'].map((tail) => traceId(`${head.padStart(8, '0')}${tail.padStart(24, '0')}`)),
  );
  const one = fc
    .record({
      span: arbitrarySpan,
      id: fc.oneof(fc.constantFrom(...ids), fc.constant(ids[4]!)),
      start: fc.constantFrom(0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 64n - 1n),
    })
    .map(({ span: rest, id, start }) => ({ ...rest, traceId: id, startTimeUnixNano: start }));
  fc.assert(
    fc.property(
      fc.array(fc.array(one, { minLength: 1, maxLength: 40 }), { maxLength: 4 }),
      (lists) => {
        const { order, keys, texts, all } = ordered(lists);
        assert.deepEqual(keys, keys.toSorted());
        assert.deepEqual(texts.toSorted(), [...new Set(all)].sort());
        const starts = [...order.traceStarts];
        const expected = keys.flatMap((key, i) =>
          i === 0 || keys[i - 1]!.slice(0, 32) !== key.slice(0, 32) ? [i] : [],
        );
        assert.deepEqual(starts, [...expected, keys.length]);
      },
    ),
    { numRuns: 60 },
  );
});

test('of copies in several batches one is kept, beside spans that differ in a single attribute', () => {
  const spans = Array.from({ length: 100 }, (_, i) =>
    span({
      traceId: traceId((i % 2) + 1),
      spanId: spanId((i % 3) + 1),
      attributes: attributes({ n: BigInt(i % 7) }),
    }),
  );
  const { texts } = ordered([spans, spans.toReversed(), spans.slice(50)]);
  assert.equal(texts.length, 42);
  assert.equal(new Set(texts).size, 42);
});

test('nothing has an order too', () => {
  const { order } = ordered([]);
  assert.deepEqual([order.rows.length, [...order.traceStarts]], [0, [0]]);
});
