// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '@spoor/core/model/span.ts';
import { joinTrace } from '@spoor/core/query/join-trace.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, span, spanId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { rowTexts, shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { sliceBatch } from './slice-batch.ts';

/** The spans of each trace of a block in two ways, as they are encoded; undefined where the batch is not made of the slice. */
function tracesOf(
  dir: string,
  spans: readonly Span[],
): (readonly [string[] | undefined, string[]])[] {
  return withBlock(dir, [batchOf(spans)], (reader) =>
    [...new Set(spans.map(({ traceId }) => traceId))].map((id) => {
      const { group, start, end } = reader.findTrace(id)!;
      const batch = sliceBatch(group.slice(start, end));
      return [batch && rowTexts(batch), rowTexts(joinTrace([group.part(start, end)]))];
    }),
  );
}

test('a batch of a slice has the spans that are joined of it', () =>
  withDirectory((dir) => {
    for (const [made, joined] of tracesOf(dir, shopSpans(400, 25))) assert.deepEqual(made, joined);
    fc.assert(
      fc.property(fc.array(arbitrarySpan, { minLength: 1, maxLength: 12 }), (list) => {
        const spans = list.map((one, i) => ({ ...one, spanId: spanId(i + 1) }));
        for (const [made, joined] of tracesOf(dir, spans)) assert.deepEqual(made, joined);
      }),
      { numRuns: 60 },
    );
  }));

test('a trace with very many keys is left to others', () =>
  withDirectory((dir) => {
    const keys = Array.from({ length: 1025 }, (_, i) => [`key ${i}`, i % 2 === 0] as const);
    for (const count of [1024, 1025]) {
      const values = attributes(Object.fromEntries(keys.slice(0, count)));
      const [[made, joined] = []] = tracesOf(dir, [span({ attributes: values })]);
      assert.deepEqual(made, count === 1024 ? joined : undefined);
    }
  }));

test('where rows have the same start and id their content decides, which is not looked at', () =>
  withDirectory((dir) => {
    const [[made, joined] = []] = tracesOf(dir, [
      span({ name: 'a' }),
      span({ name: 'b' }),
      span({ spanId: spanId(2) }),
    ]);
    assert.equal(made, undefined);
    assert.equal(joined?.length, 3);
  }));
