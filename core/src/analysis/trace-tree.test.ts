// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SPAN_PROBLEMS, buildTraceTree, type TraceTreeInput } from './trace-tree.ts';
import { visibleRows } from './visible-rows.ts';

type Row = [id: string, parent: string, start: number, duration: number];

function columns(rows: readonly Row[]): TraceTreeInput {
  return {
    spanIds: rows.map((row) => row[0]),
    parentSpanIds: rows.map((row) => row[1]),
    start: rows.map((row) => row[2]),
    duration: rows.map((row) => row[3]),
  };
}

function outline(rows: readonly Row[]): string[] {
  const tree = buildTraceTree(columns(rows));
  return [...tree.order].map((row) => '.'.repeat(tree.depth[row]!) + rows[row]![0]);
}

test('children stand under their parent by start, the longer first when they start together', () => {
  const rows: Row[] = [
    ['c', 'root', 30, 5],
    ['b', 'root', 10, 5],
    ['a', 'root', 10, 9],
    ['a1', 'a', 12, 1],
    ['root', '', 0, 100],
  ];
  assert.deepEqual(outline(rows), ['root', '.a', '..a1', '.b', '.c']);
  const tree = buildTraceTree(columns(rows));
  assert.equal(tree.levels, 3);
  assert.deepEqual([...tree.subtreeSize], [1, 1, 2, 1, 5]);
  assert.deepEqual([...tree.roots], [4]);
});

test('a span whose parent is missing becomes a root after the real ones, and says so', () => {
  const rows: Row[] = [
    ['orphan', 'gone', 0, 5],
    ['under', 'orphan', 1, 1],
    ['root', '0000000000000000', 10, 5],
  ];
  assert.deepEqual(outline(rows), ['root', 'orphan', '.under']);
  assert.deepEqual(
    [...buildTraceTree(columns(rows)).problems],
    [SPAN_PROBLEMS.missingParent, 0, 0],
  );
});

test('a loop is cut above its earliest span, also when a span is its own parent', () => {
  const rows: Row[] = [
    ['a', 'c', 5, 1],
    ['b', 'a', 3, 1],
    ['c', 'b', 4, 1],
    ['tail', 'c', 9, 1],
    ['self', 'self', 20, 1],
  ];
  assert.deepEqual(outline(rows), ['b', '.c', '..a', '..tail', 'self']);
  const { problems } = buildTraceTree(columns(rows));
  assert.equal(problems[1], SPAN_PROBLEMS.cycle);
  assert.equal(problems[4], SPAN_PROBLEMS.cycle);
  assert.equal(problems[0], 0);
});

test('of two spans with one id the first gets the children and the second is flagged', () => {
  const rows: Row[] = [
    ['root', '', 0, 10],
    ['x', 'root', 1, 5],
    ['x', 'root', 2, 3],
    ['child', 'x', 3, 1],
  ];
  assert.deepEqual(outline(rows), ['root', '.x', '..child', '.x']);
  assert.equal(buildTraceTree(columns(rows)).problems[2], SPAN_PROBLEMS.duplicateId);
});

test('a trace without spans gives an empty tree', () => {
  const tree = buildTraceTree(columns([]));
  assert.equal(tree.levels, 0);
  assert.equal(tree.roots.length, 0);
});

test('a chain of 200,000 spans is built without recursion', () => {
  const rows = 200_000;
  const tree = buildTraceTree({
    spanIds: Array.from({ length: rows }, (_, i) => `s${i}`),
    parentSpanIds: Array.from({ length: rows }, (_, i) => (i === 0 ? '' : `s${i - 1}`)),
    start: Float64Array.from({ length: rows }, (_, i) => i),
    duration: new Float64Array(rows),
  });
  assert.equal(tree.levels, rows);
  assert.equal(tree.subtreeSize[0], rows);
});

test('whatever the ids are, every span is in the tree once, right after its ancestors', () => {
  const id = fc.integer({ min: 0, max: 12 }).map((n) => (n === 0 ? '' : `s${n}`));
  const row = fc.tuple(id, id, fc.integer({ min: 0, max: 5 }), fc.integer({ min: -2, max: 5 }));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), (rows) => {
      const tree = buildTraceTree(columns(rows));
      assert.deepEqual(
        [...tree.order].sort((a, b) => a - b),
        [...rows.keys()],
      );
      for (const [at, span] of tree.order.entries()) {
        assert.equal(tree.position[span], at);
        const above = tree.parent[span]!;
        if (above < 0) {
          assert.equal(tree.depth[span], 0);
        } else {
          assert.equal(tree.depth[span], tree.depth[above]! + 1);
          const from = tree.position[above]!;
          assert.ok(at > from && at < from + tree.subtreeSize[above]!);
        }
      }
      const sizes = [...tree.roots].reduce((sum, root) => sum + tree.subtreeSize[root]!, 0);
      assert.equal(sizes, rows.length);
    }),
  );
});

test('a collapsed row hides its whole subtree and nothing else', () => {
  const rows: Row[] = [
    ['root', '', 0, 100],
    ['a', 'root', 1, 50],
    ['a1', 'a', 2, 10],
    ['a2', 'a1', 3, 1],
    ['b', 'root', 60, 5],
  ];
  const tree = buildTraceTree(columns(rows));
  assert.deepEqual([...visibleRows(tree, () => false)], [0, 1, 2, 3, 4]);
  assert.deepEqual([...visibleRows(tree, (row) => row === 1)], [0, 1, 4]);
  assert.deepEqual([...visibleRows(tree, () => true)], [0]);
});
