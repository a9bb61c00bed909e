// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '#model/span.ts';
import { countedWords } from '#model/testing/counted-words.ts';
import { resource, span, spanId } from '#query/testing/example-span.ts';
import { batchOf } from '#query/testing/span-body.ts';
import { EdgeFinder } from './edge-finder.ts';
import { NameCodes } from './name-codes.ts';
import { placedValues } from './placed-values.ts';
import { SpanRows } from './span-rows.ts';
import { SpanSource } from './span-source.ts';

const COUNT = 2000;

/** Rows of a trace of many spans, each with a start of its own. */
function rowsOf(given: (i: number) => Partial<Span>): SpanRows {
  const batch = batchOf(
    Array.from({ length: COUNT }, (_, i) => span({ startTimeUnixNano: BigInt(i), ...given(i) })),
  );
  const rows = new SpanRows();
  const source = new SpanSource(batch, placedValues(batch), new NameCodes());
  rows.add(
    source,
    Uint32Array.from({ length: COUNT }, (_, row) => row),
  );
  return rows;
}

/** Rows whose ids were picked to have one hash where nothing about the hash is secret; each is the child of the one before. */
function rowsOfOneHash(): SpanRows {
  const rows = rowsOf((i) => ({ spanId: spanId(i + 1) }));
  for (let i = 0; i < COUNT; i++) {
    rows.spanWords.set([Math.imul(i + 1, 0x9e3779b1), i + 1], i * 2);
  }
  rows.parentWords.set(rows.spanWords.subarray(0, COUNT * 2 - 2), 2);
  return rows;
}

/** Counts the words of span ids that `use` reads. */
function readsOf(rows: SpanRows, use: () => void): number {
  const counted = countedWords(rows.spanWords);
  rows.spanWords = counted.words;
  use();
  return counted.reads;
}

test('two spans are twins where both the id and the start are the same', () => {
  const rows = rowsOf((i) => ({ spanId: spanId((i % 7) + 1) }));
  assert.equal(rows.hasTwins(), false);
  rows.startLo[COUNT - 1] = rows.startLo[COUNT - 8]!;
  assert.equal(rows.hasTwins(), true);
  rows.startHi[COUNT - 1] = 1;
  assert.equal(rows.hasTwins(), false);
});

test('spans with one id and many starts are told apart in few steps', () => {
  const rows = rowsOf(() => ({ spanId: spanId(1) }));
  const reads = readsOf(rows, () => assert.equal(rows.hasTwins(), false));
  assert.ok(reads < COUNT * 50, `${reads} words read of ${COUNT} spans`);
});

test('ids picked to have one hash are told apart in few steps', () => {
  const rows = rowsOfOneHash();
  const reads = readsOf(rows, () => assert.equal(rows.hasTwins(), false));
  assert.ok(reads < COUNT * 50, `${reads} words read of ${COUNT} spans`);
});

test('parents are found in few steps where ids were picked to have one hash', () => {
  const rows = rowsOfOneHash();
  const reads = readsOf(rows, () => new EdgeFinder().find(rows, 0, COUNT, []));
  assert.ok(reads < COUNT * 50, `${reads} words read of ${COUNT} spans`);
});

test('parents are found in few steps where all spans have one id', () => {
  const rows = rowsOf((i) => ({
    spanId: spanId(1),
    parentSpanId: spanId(1),
    kind: i % 6,
    resource: resource(i % 2 === 0 ? 'shop' : 'cart'),
  }));
  const reads = readsOf(rows, () => new EdgeFinder().find(rows, 0, COUNT, ['', 'shop', 'cart']));
  assert.ok(reads < COUNT * 50, `${reads} words read of ${COUNT} spans`);
});

test('who called is found in few steps below a chain of spans without service', () => {
  const depth = COUNT / 2;
  const rows = rowsOf((i) => ({
    spanId: spanId(i + 1),
    parentSpanId: i === 0 ? '' : spanId(Math.min(i, depth)),
    resource: resource(i === 0 ? 'shop' : i < depth ? '' : 'cart'),
  }));
  const counted = countedWords(rows.service);
  rows.service = counted.words;
  const finder = new EdgeFinder();
  finder.find(rows, 0, COUNT, []);
  assert.deepEqual(new Set(finder.caller), new Set([0]));
  assert.equal(finder.callee.length, COUNT - depth);
  assert.ok(counted.reads < COUNT * 50, `${counted.reads} words read of ${COUNT} spans`);
});
