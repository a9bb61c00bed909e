// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Span } from '@spoor/core/model/span.ts';
import { joinTrace } from '@spoor/core/query/join-trace.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, span, spanId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { blockCache, rowTexts, shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import type { BlockReader } from './block-reader.ts';
import { FrameScratch } from './frame-scratch.ts';
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

/** Clears it and puts something else into all of its memory. */
function overwrite(scratch: FrameScratch): void {
  scratch.clear();
  for (let i = 0; i < 512; i++) scratch.take(1024).fill(0xff);
  scratch.clear();
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

test('values of plain columns and of large dictionaries are in memory of the batch itself', () =>
  withDirectory((dir) => {
    const spans = shopSpans(9000, 100, 7);
    const read = (reader: BlockReader): void => {
      const columns = [...reader.footer.columns];
      assert.ok(columns.some(({ pages }) => pages === undefined));
      assert.ok(columns.some(({ pages }) => pages !== undefined && pages.length > 1));
      const scratch = new FrameScratch();
      const traces = Map.groupBy(spans, ({ traceId }) => traceId);
      for (const [id, trace] of [...traces].slice(0, 8)) {
        const { group, start, end } = reader.findTrace(id)!;
        scratch.clear();
        const batch = sliceBatch(group.slice(start, end, scratch));
        overwrite(scratch);
        assert.deepEqual(batch && rowTexts(batch).toSorted(), rowTexts(batchOf(trace)).toSorted());
      }
    };
    // Too small for a frame, so that all are in the scratch.
    withBlock(dir, [batchOf(spans)], read, blockCache(1024));
  }));

test('a value of a large dictionary is written once, however many spans of the trace have it', () =>
  withDirectory((dir) => {
    const spans = Array.from({ length: 60 }, (_, i) =>
      span({
        spanId: spanId(i + 1),
        attributes: attributes({ text: (i % 4 < 2 ? 'b' : 'a').padEnd(40_001, 'x') }),
      }),
    );
    withBlock(dir, [batchOf(spans)], (reader) => {
      assert.equal([...reader.footer.columns][0]!.pages?.length, 2);
      const { group, start, end } = reader.findTrace(spans[0]!.traceId)!;
      const made = sliceBatch(group.slice(start, end))!;
      const joined = joinTrace([group.part(start, end)]);
      assert.deepEqual(rowTexts(made), rowTexts(joined));
      assert.equal(made.values.bytes.length, joined.values.bytes.length);
    });
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
