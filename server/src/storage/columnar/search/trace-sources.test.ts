// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { rowTexts, shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { FrameScratch } from '../block/frame-scratch.ts';
import { HeadBatch } from '../head/head-batch.ts';
import { HeadPart } from '../head/head-part.ts';
import { type OpenBlock, TraceSources } from './trace-sources.ts';

function noDamage(_: OpenBlock, error: unknown): never {
  throw error;
}

/** Encoded rows of each trace that is looked for, sorted. */
function partTexts(sources: TraceSources, ...asked: Parameters<TraceSources['findParts']>) {
  const [, scratch] = asked;
  return sources.findParts(...asked).map((parts) => {
    scratch?.clear();
    return parts
      .flatMap(({ columns, rows }) =>
        Array.from(rows, (row) => rowTexts(columns, row, row + 1)[0]!),
      )
      .sort();
  });
}

test('all parts of a trace are found in head and blocks, for each id as often as it is asked for', () =>
  withDirectory((dir) => {
    const spans = shopSpans(900, 60);
    const cuts = [0, 200, 201, 500, 900];
    const lists = cuts.slice(1).map((end, i) => spans.slice(cuts[i], end));
    withBlock(dir, [batchOf(lists[3]!)], (reader) => {
      const block: OpenBlock = { id: 1, minStart: 0, maxStart: Infinity, reader: () => reader };
      const head = lists.slice(0, 3).map((list) => new HeadBatch(batchOf(list)));
      const parts = [HeadPart.of(head.slice(0, 2)), HeadPart.of(head.slice(2))];
      const sources = new TraceSources(parts, [block], noDamage);
      const known = [...new Set(spans.map((one) => one.traceId))];
      const ids = [...known, traceId(1), known[3]!, traceId('f'.repeat(32)), known[3]!];
      const expected = ids.map((id) => {
        const own = spans.filter((one) => one.traceId === id);
        return own.length === 0 ? [] : rowTexts(batchOf(own)).sort();
      });
      assert.deepEqual(partTexts(sources, ids), expected);
      assert.deepEqual(partTexts(sources, ids, new FrameScratch()), expected);
      assert.deepEqual(sources.findParts([]), []);
    });
  }));

test('ids that differ only in their middle are told apart in the head', () => {
  const ids = Array.from({ length: 200 }, (_, i) =>
    traceId(`11111111${i.toString(16).padStart(16, '0')}22222222`),
  );
  const batch = new HeadBatch(
    batchOf(ids.slice(0, 150).map((id, i) => span({ traceId: id, spanId: spanId(i + 1) }))),
  );
  const parts = new TraceSources([HeadPart.of([batch])], [], noDamage).findParts(ids);
  assert.deepEqual(
    parts.map((list) => list.map(({ rows }) => Array.from(rows))),
    ids.map((_, i) => (i < 150 ? [[i]] : [])),
  );
});

test('a block that cannot be read is reported and left out, and others are read', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf([span()])], (reader) => {
      const failure = new SpoorError('corrupt', 'block is gone');
      const bounds = { minStart: 0, maxStart: Infinity };
      const blocks: OpenBlock[] = [
        {
          ...bounds,
          id: 1,
          reader: () => {
            throw failure;
          },
        },
        { ...bounds, id: 2, reader: () => undefined },
        { ...bounds, id: 3, reader: () => reader },
      ];
      const reports: unknown[] = [];
      const sources = new TraceSources([], blocks, (block, error) => {
        reports.push([block.id, error]);
      });
      assert.deepEqual(partTexts(sources, [traceId(1)]), [rowTexts(batchOf([span()]))]);
      assert.deepEqual(reports, [[1, failure]]);
      assert.deepEqual(sources.readers(), [reader]);
      assert.equal(reports.length, 2);
    }),
  ));
