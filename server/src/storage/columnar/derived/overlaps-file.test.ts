// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EdgeKind } from '@spoor/core/analysis/edge-kind.ts';
import { MinuteCounts } from '@spoor/core/analysis/minute-counts.ts';
import { FaultyFiles } from '../testing/faulty-files.ts';
import type { StoredOverlap } from './kept-overlaps.ts';
import { OverlapsFile } from './overlaps-file.ts';

const PATH = '/data/overlaps';
const TEXTS = ['', 'shop', 'bank', 'pay'];

function overlap(id: number): StoredOverlap {
  const counts = new MinuteCounts();
  counts.add(0, 28_333_333 + id, 17);
  counts.add(0, 28_333_333, 1023, -1);
  const table = counts.table();
  return {
    id,
    checksum: 0xfedcba98,
    seen: new Set([1, 2]),
    shared: new Set([2]),
    counted: {
      edges: {
        texts: TEXTS,
        keys: [{ caller: 1, callee: 2, kind: EdgeKind.call, isInferred: true, isError: false }],
        table,
      },
      spans: {
        textOf: (number) => TEXTS[number]!,
        keys: [{ service: 2, operation: 3, kind: 5, isError: true }],
        table,
      },
    },
  };
}

/** With texts instead of numbers. */
function told({ counted: { edges, spans }, ...rest }: StoredOverlap): unknown {
  const { textOf, keys, table } = spans;
  return {
    ...rest,
    edges,
    table,
    keys: keys.map((key) => ({
      ...key,
      service: textOf(key.service),
      operation: textOf(key.operation),
    })),
  };
}

test('what is read is what was written last', () => {
  const file = new OverlapsFile(new FaultyFiles().workers, PATH);
  assert.deepEqual(file.read(), []);
  for (const overlaps of [[overlap(3), overlap(4)], [overlap(5)], []]) {
    file.write(overlaps);
    assert.deepEqual(file.read().map(told), overlaps.map(told));
  }
});

test('a file that is damaged anywhere, or cut off, is as if it were not there', () => {
  const files = new FaultyFiles();
  const file = new OverlapsFile(files.workers, PATH);
  file.write([overlap(3), overlap(4)]);
  const whole = files.content(PATH);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = whole.slice();
      bytes[at]! ^= change;
      files.put(PATH, bytes);
      assert.deepEqual(file.read(), []);
      files.put(PATH, whole.subarray(0, at));
      assert.deepEqual(file.read(), []);
    }),
  );
});

test('what would be too large is not written, and what is too much by itself is not made first', () => {
  const file = new OverlapsFile(new FaultyFiles().workers, PATH);
  file.write([overlap(3)]);
  const { counted, ...rest } = overlap(4);
  const { edges } = counted;
  const cells = 17 << 20;
  const table = { ...edges.table, bucket: new Uint32Array(cells), count: new Int32Array(cells) };
  const unmade = new Set<number>();
  unmade[Symbol.iterator] = () => assert.fail('it was made');
  file.write([{ ...rest, seen: unmade, counted: { ...counted, edges: { ...edges, table } } }]);
  const text = 'x'.repeat(33 << 20);
  file.write(
    [4, 5].map((id) => ({
      ...overlap(id),
      counted: { ...counted, edges: { ...edges, texts: [text] } },
    })),
  );
  assert.deepEqual(
    file.read().map(({ id }) => id),
    [3],
  );
});

test('a disk that fails takes nothing but what was to be kept', () => {
  for (const name of ['open', 'read', 'writev', 'size'] as const) {
    const files = new FaultyFiles();
    const file = new OverlapsFile(files.workers, PATH);
    files.failEach(name, 'EIO');
    file.write([overlap(3)]);
    assert.deepEqual(file.read(), []);
    files.heal();
    file.write([overlap(3)]);
    assert.equal(file.read().length, 1);
  }
});
