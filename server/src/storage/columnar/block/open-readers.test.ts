// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { OpenFiles } from '../files/open-files.ts';
import { OpenReaders } from './open-readers.ts';
import { assertHolds } from '../testing/block-content.ts';
import { blockCache, blockFile, shopSpans } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';

/** Writes blocks of their own spans. */
function writeBlocks(dir: string, count: number) {
  return Array.from({ length: count }, (_, i) => {
    const batch = batchOf(shopSpans(40, 4, i + 1));
    const path = join(dir, `${i}.block`);
    writeFileSync(path, blockFile([batch]));
    return { path, id: i + 1, batch };
  });
}

test('only the footers used last are kept, and what was let go is read again', () =>
  withDirectory((dir) => {
    const blocks = writeBlocks(dir, 4);
    const readers = new OpenReaders(blockCache(), new OpenFiles(), 1);
    const open = blocks.map((block) => readers.get(block));
    readers.get(blocks[1]!);
    readers.trim();
    assert.deepEqual(
      open.map(({ footerBytes }) => footerBytes > 0),
      [false, true, false, false],
    );
    blocks.forEach((block, b) => {
      assert.equal(readers.get(block), open[b]);
      assertHolds(open[b]!, [block.batch]);
      readers.trim();
    });
    assert.deepEqual(
      open.map(({ footerBytes }) => footerBytes > 0),
      [false, false, false, true],
    );
    for (const block of blocks) readers.close(block);
    assert.ok(blocks.every((block) => readers.known(block) === undefined));
  }));

test('a group in use can be read on when its footer was let go', () =>
  withDirectory((dir) => {
    const [block] = writeBlocks(dir, 1);
    const readers = new OpenReaders(blockCache(), new OpenFiles(), 1);
    const reader = readers.get(block!);
    const group = reader.group(0);
    reader.release();
    assert.equal(group.columns.length, reader.footer.columns.length);
    reader.release();
    const slice = group.slice(0, group.rows);
    assert.deepEqual(
      slice.columns.map(({ count }) => count > 0),
      slice.columns.map(() => true),
    );
    readers.close(block!);
  }));

test('a footer that is damaged after it was let go is found out', () =>
  withDirectory((dir) => {
    const [block] = writeBlocks(dir, 1);
    const readers = new OpenReaders(blockCache(), new OpenFiles(), 1);
    const reader = readers.get(block!);
    reader.release();
    writeFileSync(block!.path, 'no block');
    assert.throws(() => reader.footer, { code: 'corrupt' });
    assert.notEqual(reader.damage, undefined);
    readers.close(block!);
  }));
