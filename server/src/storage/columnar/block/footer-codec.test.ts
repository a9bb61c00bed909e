// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { BlockColumns } from './block-columns.ts';
import {
  type BlockColumn,
  type BlockFooter,
  type ChunkRef,
  GROUP_CHUNKS,
  type PageRef,
} from './block-format.ts';
import { compactGroup, decodeFooter, encodeFooter } from './footer-codec.ts';
import { GroupColumns } from './group-columns.ts';
import { blockCache, shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';

const plainObjects = { noNullPrototype: true } as const;
const u32 = fc.nat({ max: 0xfffffffe });
const chunk = fc.tuple(u32, u32, u32).map((ref): ChunkRef => ref);
const groupColumn = fc.record({ column: u32, count: u32, chunk });
const group = fc
  .record({
    rows: u32,
    traces: u32,
    events: u32,
    links: u32,
    firstTraceId: fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((bytes) => Buffer.from(bytes).toString('hex')),
    chunks: fc.array(fc.option(chunk), {
      minLength: GROUP_CHUNKS.length,
      maxLength: GROUP_CHUNKS.length,
    }),
    columns: fc.uniqueArray(groupColumn, { maxLength: 5, selector: ({ column }) => column }),
  })
  .map(({ columns, ...rest }) => {
    const words = columns
      .toSorted((a, b) => a.column - b.column)
      .flatMap(({ column, count, chunk: ref }) => [column, count, ...ref]);
    return compactGroup({ ...rest, columns: new GroupColumns(Uint32Array.from(words)) });
  });
const frame = fc.tuple(fc.nat({ max: 2 ** 53 - 1 }), u32, u32, u32);
const page = fc.oneof<fc.Arbitrary<PageRef>[]>(
  fc.record({ count: u32, chunk }, plainObjects),
  fc.record({ count: u32, chunk, groups: chunk }, plainObjects),
);
const column: fc.Arbitrary<BlockColumn> = fc.record(
  {
    level: fc.constantFrom(...Object.values(AttributeLevel)),
    type: fc.constantFrom(...Object.values(ValueType)),
    key: u32,
    pages: fc.oneof(fc.constant(undefined), fc.array(page, { maxLength: 3 })),
  },
  plainObjects,
);

/** What the getters of groups and columns say, as plain values: the JSON of format 1. */
function plain({ frames, groups, columns, ...rest }: BlockFooter): object {
  return {
    ...rest,
    frames: Array.from(frames),
    columns: [...columns],
    groups: groups.map((one) => ({
      rows: one.rows,
      traces: one.traces,
      events: one.events,
      links: one.links,
      firstTraceId: one.firstTraceId,
      chunks: one.chunks,
      columns: Array.from({ length: one.columns.length }, (_, i) => ({
        column: one.columns.column(i),
        count: one.columns.count(i),
        chunk: one.columns.chunk(i),
      })),
    })),
  };
}

test('a footer reads as it was written, whatever its frames, columns and groups', () =>
  withDirectory((dir) => {
    const rest = withBlock(dir, [batchOf(shopSpans(50, 5))], ({ footer }) => ({ ...footer }));
    fc.assert(
      fc.property(
        fc.array(frame),
        fc.array(column, { maxLength: 5 }),
        fc.array(group),
        (frames, columns, groups) => {
          const footer = {
            ...rest,
            frames: frames.flat(),
            columns: BlockColumns.of(columns),
            groups,
          };
          const read = decodeFooter(encodeFooter(footer), 3);
          assert.deepEqual(plain(read), plain(footer));
          columns.forEach((one, c) => {
            assert.deepEqual(read.columns.at(c), one);
            const entries = (one.pages ?? []).reduce((sum, { count }) => sum + count, 0);
            assert.equal(read.columns.entries(c), entries);
          });
        },
      ),
    );
  }));

test('a footer of version 1 is JSON and is read too', () =>
  withDirectory((dir) =>
    withBlock(
      dir,
      [batchOf(shopSpans(300, 20))],
      ({ footer }) => {
        const json = Buffer.from(JSON.stringify(plain(footer)));
        assert.deepEqual(plain(decodeFooter(json, 1)), plain(footer));
      },
      blockCache(),
    ),
  ));

test('a column of a group is found by its number, and others are not', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 50 })), fc.nat({ max: 60 }), (numbers, wanted) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      const columns = new GroupColumns(
        Uint32Array.from(sorted.flatMap((number) => [number, 1, 2, 3, 4])),
      );
      assert.equal(columns.find(wanted), sorted.indexOf(wanted));
    }),
  );
});
