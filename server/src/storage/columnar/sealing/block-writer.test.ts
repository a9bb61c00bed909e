// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SpanId } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
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
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { oddSpans } from '#storage/testing/odd-spans.ts';
import { GROUP_ROWS } from '../block/block-format.ts';
import { encodeBlock } from './block-writer.ts';
import { assertHolds } from '../testing/block-content.ts';
import { shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';

function checkBlock(dir: string, lists: readonly (readonly Span[])[]): void {
  const batches = lists.map(batchOf);
  withBlock(dir, batches, (reader) => assertHolds(reader, batches));
}

test('a block holds every span of its batches once, in order, every bit of it', () =>
  withDirectory((dir) => {
    const list = fc.array(arbitrarySpan, { minLength: 1, maxLength: 12 });
    const lists = fc.array(list, { minLength: 1, maxLength: 4 }).chain((batches) =>
      // Some come again, beside others.
      fc
        .array(fc.nat(), { maxLength: 5 })
        .map((picks) => [
          ...batches,
          [...picks.map((n) => batches.flat()[n % batches.flat().length]!), batches[0]![0]!],
        ]),
    );
    fc.assert(
      fc.property(lists, (batches) => checkBlock(dir, batches)),
      { numRuns: 40 },
    );
  }));

test('a block holds what is most easily lost', () =>
  withDirectory((dir) => {
    checkBlock(dir, [oddSpans().slice(2), oddSpans(), oddSpans().slice(0, 3)]);
    checkBlock(dir, [[span({ name: '', resource: resource('') })]]);
  }));

test('a block of several groups holds whole traces in each, and plain columns beside dictionaries', () =>
  withDirectory((dir) => {
    const spans = shopSpans(GROUP_ROWS * 2.5, 500);
    const batches = [spans.slice(0, 4000), spans.slice(4000, 4001), spans.slice(4001)].map(batchOf);
    withBlock(dir, batches, (reader) => {
      assertHolds(reader, batches);
      const { groups } = reader.footer;
      const columns = [...reader.footer.columns];
      assert.equal(groups.length, 3);
      assert.ok(groups[1]!.rows >= GROUP_ROWS && groups[1]!.rows < GROUP_ROWS + 100);
      assert.equal(new Set(columns.map(({ pages }) => pages === undefined)).size, 2);
      assert.ok(columns.some(({ pages }) => pages !== undefined && pages.length > 1));
    });
  }));

test('a trace of 30,000 spans stays in one group', () =>
  withDirectory((dir) => {
    const spans = Array.from({ length: 30_000 }, (_, i) =>
      span({
        traceId: traceId(5),
        spanId: spanId(i + 1),
        // The first 100 name a parent that is in no batch.
        parentSpanId: i < 100 ? spanId(900_000 + i) : spanId((i >> 3) + 1),
        startTimeUnixNano: BigInt(i * 10),
      }),
    );
    const others = [4, 6].map((id) => span({ traceId: traceId(id) }));
    const batches = [spans.slice(15_000), [...others, ...spans.slice(0, 15_000)]].map(batchOf);
    withBlock(dir, batches, (reader) => {
      assertHolds(reader, batches);
      assert.deepEqual(
        reader.footer.groups.map(({ rows, traces }) => [rows, traces]),
        [
          [30_001, 2],
          [1, 1],
        ],
      );
    });
  }));

/** No parent, one of zeros, one among the first `rows` spans, or one that is nowhere. */
function parentOf(i: number, rows: number): SpanId | '' {
  switch (i % 4) {
    case 0:
      return '';
    case 1:
      return spanId(0);
    case 2:
      return spanId(((i * 7) % rows) + 1);
    default:
      return spanId(i + 5000);
  }
}

test('parents in the trace, in another block, of another trace and of zeros come back', () =>
  withDirectory((dir) => {
    // 24 rows of a trace are searched one by one, more by a table.
    for (const rows of [1, 2, 24, 25, 26, 400]) {
      const spans = Array.from({ length: rows }, (_, i) =>
        span({
          spanId: spanId(i + 1),
          parentSpanId: parentOf(i, rows),
          startTimeUnixNano: BigInt((i * 37) % 50),
        }),
      );
      const sameIdsElsewhere = spans.map((one) => ({ ...one, traceId: traceId(2) }));
      checkBlock(dir, [spans, sameIdsElsewhere]);
    }
  }));

test('times at both ends of 64 bits, and ends before starts, come back', () =>
  withDirectory((dir) => {
    const times = [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
    const spans = times.flatMap((start, i) =>
      times.map((end, k) =>
        span({
          traceId: traceId((k % 3) + 1),
          spanId: spanId(i * 10 + k + 1),
          startTimeUnixNano: start,
          endTimeUnixNano: end,
          events: times.map((time) => event('e', {}, time)),
        }),
      ),
    );
    checkBlock(dir, [spans.slice(20), spans.slice(0, 20)]);
  }));

test('two thousand keys, values of ten kilobytes and empty texts come back', () =>
  withDirectory((dir) => {
    const long = (i: number): string => `${i} ${'länger '.repeat(1400)}`;
    const keys = Array.from({ length: 2000 }, (_, i) => [`key ${i}`, BigInt(i)] as const);
    const wide = [0, 1].map((i) =>
      span({
        spanId: spanId(i + 1),
        attributes: attributes(Object.fromEntries(keys.slice(i * 500))),
      }),
    );
    const heavy = Array.from({ length: 40 }, (_, i) =>
      span({
        traceId: traceId(i + 2),
        name: i % 2 === 0 ? '' : long(i),
        attributes: attributes({ text: long(i % 10), empty: '', '': '' }),
        events: [event('', { stack: long(i) })],
        links: [link({ traceId: traceId(1), spanId: spanId(1) }, { why: long(i) })],
        scope: scope(i % 2 === 0 ? '' : long(i)),
      }),
    );
    checkBlock(dir, [wide.slice(0, 1), heavy, wide.slice(1)]);
  }));

test('events and links of spans beside spans without any come back', () =>
  withDirectory((dir) => {
    const none = Array.from({ length: 5 }, (_, i) => span({ spanId: spanId(i + 1) }));
    const events = none.map((one, i) => ({
      ...one,
      traceId: traceId(2),
      events: Array.from({ length: i }, (_, e) => event(`event ${e}`, { n: BigInt(i + e) })),
    }));
    const links = none.map((one, i) => ({
      ...one,
      traceId: traceId(3),
      links: Array.from({ length: 4 - i }, (_, l) =>
        link({ traceId: traceId(l + 1), spanId: spanId(i + 1) }, { l: 'x' }),
      ),
    }));
    checkBlock(dir, [none, links, events]);
    checkBlock(dir, [none]);
    checkBlock(dir, [events]);
    checkBlock(dir, [none, links]);
  }));

test('thousands of spans that share their ids are told apart by content in a moment', () =>
  withDirectory((dir) => {
    const spans = Array.from({ length: 6000 }, (_, i) =>
      span({ attributes: attributes({ n: BigInt(i % 3000) }) }),
    );
    checkBlock(dir, [spans.slice(0, 2000), spans.slice(2000)]);
  }));

test('what is said of a block is true of it', () => {
  const spans = shopSpans(500, 40);
  const block = encodeBlock([batchOf(spans), batchOf(spans.slice(100))])!;
  const starts = spans
    .map(({ startTimeUnixNano }) => startTimeUnixNano)
    .sort((a, b) => (a < b ? -1 : 1));
  assert.deepEqual(
    { ...block, parts: Buffer.concat(block.parts).length },
    {
      parts: block.bytes,
      bytes: block.bytes,
      rows: 500,
      traces: new Set(spans.map((one) => one.traceId)).size,
      minStartUnixNano: starts[0],
      maxStartUnixNano: starts.at(-1),
    },
  );
});

test('the breakdown by what is stored adds up to the frames of the file', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf(shopSpans(3000, 200))], ({ footer }) => {
      let stored = 0;
      for (let at = 1; at < footer.frames.length; at += 4) stored += footer.frames[at]!;
      const shares = Object.values(footer.bytesBy).reduce((sum, bytes) => sum + bytes, 0);
      assert.ok(Math.abs(shares - stored) < 1);
      assert.ok('attribute db.statement' in footer.bytesBy);
    }),
  ));
