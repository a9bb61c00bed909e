// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BlockFooter, ChunkRef } from './block-format.ts';
import { GROUP_CHUNKS } from './block-format.ts';
import { decodeFooter, encodeFooter } from './footer-codec.ts';
import { blockCache, shopSpans, withBlock } from './testing/block-fixture.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { withDirectory } from './testing/temporary-directory.ts';

const u32 = fc.nat({ max: 0xfffffffe });
const chunk = fc.tuple(u32, u32, u32).map((ref): ChunkRef => ref);
const group = fc.record({
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
  columns: fc.array(fc.record({ column: u32, count: u32, chunk }, { noNullPrototype: true }), {
    maxLength: 5,
  }),
});
const frame = fc.tuple(fc.nat({ max: 2 ** 53 - 1 }), u32, u32, u32);

/** What the getters of groups say, as plain values. */
function plain({ frames, groups, ...rest }: BlockFooter): unknown {
  return {
    ...rest,
    frames: Array.from(frames),
    groups: groups.map(({ rows, traces, events, links, firstTraceId, chunks, columns }) => ({
      rows,
      traces,
      events,
      links,
      firstTraceId,
      chunks,
      columns,
    })),
  };
}

test('a footer reads as it was written, whatever its frames and groups', () =>
  withDirectory((dir) => {
    const rest = withBlock(dir, [batchOf(shopSpans(50, 5))], ({ footer }) => ({ ...footer }));
    fc.assert(
      fc.property(fc.array(frame), fc.array(group), (frames, groups) => {
        const footer = { ...rest, frames: frames.flat(), groups };
        assert.deepEqual(plain(decodeFooter(encodeFooter(footer), 2)), plain(footer));
      }),
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
