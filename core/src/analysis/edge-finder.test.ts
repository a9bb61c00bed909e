// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resource, spanId } from '#query/testing/example-span.ts';
import { EdgeFinder } from './edge-finder.ts';
import { readsOf, WIDE_SPANS, wideTrace, wideTraceOfOneHash } from './testing/wide-trace.ts';

const TEXTS = ['', 'shop', 'cart'];

function assertFew(reads: number): void {
  assert.ok(reads < WIDE_SPANS * 50, `${reads} words read of ${WIDE_SPANS} spans`);
}

test('parents are found in few steps where ids were picked to have one hash', () => {
  const rows = wideTraceOfOneHash();
  assertFew(readsOf(rows, 'spanWords', () => new EdgeFinder().find(rows, 0, WIDE_SPANS, TEXTS)));
});

test('parents are found in few steps where all spans have one id', () => {
  const rows = wideTrace((i) => ({
    spanId: spanId(1),
    parentSpanId: spanId(1),
    kind: i === 0 ? 2 : 1,
    resource: resource(i === 0 ? 'shop' : 'cart'),
  }));
  const finder = new EdgeFinder();
  assertFew(readsOf(rows, 'spanWords', () => finder.find(rows, 0, WIDE_SPANS, TEXTS)));
  // The one that serves is the parent of all others, and the earliest of them its own.
  assert.deepEqual(new Set(finder.caller.slice(1)), new Set([0]));
  assert.deepEqual([finder.callee[0], finder.caller[0]], [0, 1]);
  assert.equal(finder.callee.length, WIDE_SPANS);
});

test('who called is found in few steps below a chain of spans without service', () => {
  const depth = WIDE_SPANS / 2;
  const rows = wideTrace((i) => ({
    spanId: spanId(i + 1),
    parentSpanId: i === 0 ? '' : spanId(Math.min(i, depth)),
    resource: resource(i === 0 ? 'shop' : i < depth ? '' : 'cart'),
  }));
  const finder = new EdgeFinder();
  assertFew(readsOf(rows, 'service', () => finder.find(rows, 0, WIDE_SPANS, TEXTS)));
  assert.deepEqual(new Set(finder.caller), new Set([0]));
  assert.equal(finder.callee.length, WIDE_SPANS - depth);
});

test('loops of spans without service are left in few steps, also after a large trace', () => {
  const rows = wideTrace((i) => ({
    spanId: spanId(i + 1),
    // The first two of four are each other's parents, and the others their children.
    parentSpanId: spanId((i % 4 === 0 ? i + 1 : i - (i % 4)) + 1),
    resource: resource(i % 4 < 2 ? '' : 'cart'),
  }));
  const finder = new EdgeFinder();
  assertFew(readsOf(rows, 'service', () => finder.find(rows, 0, WIDE_SPANS, TEXTS)));
  assert.deepEqual(finder.callee, []);
  const reads = readsOf(rows, 'service', () => {
    for (let start = 0; start < WIDE_SPANS; start += 4) {
      finder.find(rows, start, start + 4, TEXTS);
    }
  });
  assertFew(reads);
  assert.deepEqual(finder.callee, []);
});
