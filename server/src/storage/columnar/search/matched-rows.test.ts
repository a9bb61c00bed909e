// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { RowSet } from '@spoor/core/query/row-set.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { MatchedRows } from './matched-rows.ts';

function named(value: string): SpanPredicate {
  return {
    op: 'eq',
    field: { kind: 'intrinsic', name: 'name' },
    value: { type: 'string', value },
  };
}

/** The set of these rows of 64. */
function rowsOf(...rows: number[]): RowSet {
  const set = new RowSet(64);
  for (const row of rows) set.add(row);
  return set;
}

function withReader(use: (reader: BlockReader) => void): Promise<void> {
  return withDirectory((dir) => withBlock(dir, [batchOf(shopSpans(10, 2))], use));
}

test('what meets a predicate in a group is found out once, also where that is nothing', () =>
  withReader((reader) => {
    const matched = new MatchedRows();
    let asked = 0;
    const ask = (name: string, g: number, set?: RowSet): RowSet | undefined =>
      matched.of(named(name)).inGroup(reader, g, () => {
        asked++;
        return set;
      });
    const set = rowsOf(3, 5);
    assert.equal(ask('a', 0, set), set);
    assert.equal(ask('a', 0), set);
    assert.equal(ask('a', 1), undefined);
    assert.equal(ask('a', 1, set), undefined);
    assert.equal(asked, 2);
    // An equal predicate is another one only where its values differ.
    assert.equal(ask('b', 0), undefined);
    assert.equal(asked, 3);
  }));

test('whether a block may have some is found out once, and forgotten with the block', () =>
  withReader((reader) => {
    const matched = new MatchedRows();
    let asked = 0;
    const ask = (name: string, holds: boolean): boolean =>
      matched.of(named(name)).mayBeIn(reader, () => {
        asked++;
        return holds;
      });
    const { bytes } = matched;
    assert.deepEqual(
      [ask('a', false), ask('a', true), ask('b', true), ask('b', false)],
      [false, false, true, true],
    );
    assert.equal(asked, 2);
    assert.ok(matched.bytes > bytes);
    matched.forget(reader);
    assert.equal(ask('a', true), true);
  }));

test('it tells the most rows of a trace in a group, once it knows them', () =>
  withReader((reader) => {
    const rows = new MatchedRows().of(named('a'));
    const starts = Uint32Array.of(0, 4, 40, 64);
    const most = (g: number): number => rows.mostIn(reader, g, () => starts);
    assert.equal(most(0), Infinity);
    rows.inGroup(reader, 0, () => rowsOf(3, 4, 10, 39, 40, 41));
    rows.inGroup(reader, 1, () => undefined);
    assert.deepEqual([most(0), most(1), most(2)], [3, 0, Infinity]);
  }));

test('it tells the most rows of a trace in all groups: of those it does not know, no more than they have spans', () =>
  withReader((reader) => {
    const rows = new MatchedRows().of(named('a'));
    const starts = Uint32Array.of(0, 4, 40, 64);
    const spans = (): Float64Array => Float64Array.of(36, 36, 12);
    const most = (): number => rows.mostInAll(reader, spans, () => starts);
    const { changes } = rows;
    assert.equal(most(), Infinity);
    rows.inGroup(reader, 0, () => rowsOf(3, 4, 10, 39, 40, 41));
    assert.equal(most(), 36);
    rows.inGroup(reader, 1, () => undefined);
    assert.equal(most(), 12);
    rows.inGroup(reader, 2, () => rowsOf(5));
    assert.equal(most(), 3);
    assert.equal(rows.changes, changes + 3);
    const count = (g: number): number => rows.mostOf(reader, g, 4, 40);
    assert.deepEqual([count(0), count(1), count(2), count(3)], [3, 0, 1, 36]);
  }));

test('no more is kept than allowed: what was used last is, and a predicate that takes all of it is kept in part', () =>
  withReader((reader) => {
    // Two predicates with their rows in some groups of a block fit in, or one with those in some 35.
    const matched = new MatchedRows(12_000);
    const fill = (name: string, groups: number): number => {
      let asked = 0;
      for (let g = 0; g < groups; g++) {
        matched.of(named(name)).inGroup(reader, g, () => {
          asked++;
          return rowsOf(g);
        });
      }
      matched.trim();
      assert.ok(matched.bytes <= 12_000);
      return asked;
    };
    assert.equal(fill('a', 10), 10);
    assert.equal(fill('b', 10), 10);
    assert.equal(fill('a', 10), 0);
    // Now b was not used for the longest time.
    assert.equal(fill('c', 10), 10);
    assert.equal(fill('a', 10), 0);
    assert.equal(fill('b', 10), 10);
    assert.equal(fill('long', 50), 50);
    const again = fill('long', 50);
    assert.ok(again > 0 && again < 20, `${again}`);
    // What takes long to say is not kept.
    const text = 'x'.repeat(5000);
    assert.deepEqual([fill(text, 2), fill(text, 2)], [2, 2]);
  }));

test('predicates without any rows take room as well, and those asked last are kept', () =>
  withReader((reader) => {
    const matched = new MatchedRows(100_000);
    for (let i = 0; i < 1000; i++) {
      const before = matched.bytes;
      matched.of(named(`${'x'.repeat(1000)} ${i}`));
      assert.ok(matched.bytes >= before + 2000);
      matched.trim();
      assert.ok(matched.bytes <= 100_000);
    }
    // They have made room for what is of use.
    let asked = 0;
    for (let time = 0; time < 2; time++) {
      matched.of(named('a')).inGroup(reader, 0, () => {
        asked++;
        return rowsOf(1);
      });
      matched.trim();
    }
    assert.equal(asked, 1);
  }));

test('a block that goes gives its room back, so that a predicate asked all the time is never full', () =>
  withReader((reader) => {
    const matched = new MatchedRows(20_000);
    matched.of(named('seldom')).inGroup(reader, 0, () => rowsOf(1));
    const { bytes } = matched;
    for (let block = 0; block < 50; block++) {
      // Only who it is counts.
      const passing: BlockReader = Object.create(reader);
      let asked = 0;
      const ask = (): void => {
        for (let g = 0; g < 20; g++) {
          matched.of(named('often')).inGroup(passing, g, () => {
            asked++;
            return rowsOf(g);
          });
        }
        matched.trim();
      };
      ask();
      ask();
      assert.equal(asked, 20);
      assert.ok(matched.bytes > bytes + 20 * 8);
      matched.forget(passing);
    }
    const kept = matched.of(named('seldom')).inGroup(reader, 0, () => assert.fail());
    assert.ok(kept?.has(1));
  }));
