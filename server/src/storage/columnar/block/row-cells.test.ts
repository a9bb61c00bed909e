// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { rowTexts, shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import type { BlockReader } from './block-reader.ts';
import type { GroupRowList } from './row-cells.ts';
import { pickRows } from './row-group.ts';

/** Compares picked rows of some groups with the same rows of all of them. */
function assertPicked(block: BlockReader, lists: readonly GroupRowList[]): void {
  pickRows(block, lists).forEach((picked, i) => {
    const { group, rows } = lists[i]!;
    const all = rowTexts(group);
    assert.deepEqual(
      Array.from(rows, (row) => rowTexts(picked, row, row + 1)[0]),
      Array.from(rows, (row) => all[row]),
    );
  });
}

test('whatever rows of a group are picked, they hold what they hold among the others', () =>
  withDirectory((dir) => {
    const spans = fc.array(arbitrarySpan, { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(spans, fc.infiniteStream(fc.boolean()), (list, isPicked) => {
        withBlock(dir, [batchOf(list)], (block) => {
          const group = block.group(0);
          const rows = Uint32Array.from({ length: group.rows }, (_, row) => row);
          const some = rows.filter(() => isPicked.next().value);
          assertPicked(block, [{ group, rows: some }]);
          assertPicked(block, [{ group, rows }]);
        });
      }),
      { numRuns: 30 },
    );
  }));

test('values of large dictionaries and plain columns come from the rows that are picked in any group', () =>
  withDirectory((dir) => {
    withBlock(dir, [batchOf(shopSpans(9000, 900))], (block) => {
      const columns = [...block.footer.columns];
      assert.ok(block.footer.groups.length > 1);
      assert.ok(columns.some(({ pages }) => pages === undefined));
      assert.ok(columns.some(({ pages }) => pages !== undefined && pages.length > 1));
      const lists = block.footer.groups.map((_, g) => {
        const group = block.group(g);
        const rows = Uint32Array.from({ length: Math.floor(group.rows / 7) }, (_row, i) => i * 7);
        return { group, rows };
      });
      assertPicked(block, lists);
      assertPicked(block, []);
    });
  }));
