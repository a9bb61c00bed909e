// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spanId } from '#query/testing/example-span.ts';
import { readsOf, WIDE_SPANS, wideTrace, wideTraceOfOneHash } from './testing/wide-trace.ts';

test('two spans are twins where both the id and the start are the same', () => {
  const rows = wideTrace((i) => ({ spanId: spanId((i % 7) + 1) }));
  assert.equal(rows.hasTwins(), false);
  rows.startLo[WIDE_SPANS - 1] = rows.startLo[WIDE_SPANS - 8]!;
  assert.equal(rows.hasTwins(), true);
  rows.startHi[WIDE_SPANS - 1] = 1;
  assert.equal(rows.hasTwins(), false);
});

test('spans with one id and many starts are told apart in few steps', () => {
  const rows = wideTrace(() => ({ spanId: spanId(1) }));
  const reads = readsOf(rows, 'spanWords', () => assert.equal(rows.hasTwins(), false));
  assert.ok(reads < WIDE_SPANS * 50, `${reads} words read of ${WIDE_SPANS} spans`);
});

test('ids picked to have one hash are told apart in few steps', () => {
  const rows = wideTraceOfOneHash();
  const reads = readsOf(rows, 'spanWords', () => assert.equal(rows.hasTwins(), false));
  assert.ok(reads < WIDE_SPANS * 50, `${reads} words read of ${WIDE_SPANS} spans`);
});
