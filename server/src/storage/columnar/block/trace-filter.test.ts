// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededWords } from '../testing/symbol-fixture.ts';
import { TraceFilter } from './trace-filter.ts';

function randomIds(count: number, seed: number): Uint8Array {
  const next = seededWords(seed);
  return new Uint8Array(Uint32Array.from({ length: count * 4 }, next).buffer);
}

/** Ids 0, 1, 2, … as some generators make them. */
function countedIds(count: number, from: number): Uint8Array {
  const ids = new Uint8Array(count * 16);
  const view = new DataView(ids.buffer);
  for (let i = 0; i < count; i++) view.setUint32(i * 16 + 12, from + i);
  return ids;
}

function filterOf(ids: Uint8Array): TraceFilter {
  const filter = TraceFilter.sized(ids.length / 16);
  for (let at = 0; at < ids.length; at += 16) filter.add(ids, at);
  return filter;
}

function share(filter: TraceFilter, ids: Uint8Array): number {
  let hits = 0;
  for (let at = 0; at < ids.length; at += 16) if (filter.mayHave(ids, at)) hits++;
  return (hits * 16) / ids.length;
}

test('every id that was added may be there', () => {
  const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(fc.array(id, { minLength: 1, maxLength: 50 }), (list) => {
      const ids = new Uint8Array(Buffer.concat(list));
      assert.equal(share(filterOf(ids), ids), 1);
    }),
  );
});

test('of random ids that were not added about one in 1,700 may be there', () => {
  const filter = filterOf(randomIds(20_000, 1));
  assert.equal(filter.bits.length, 40_000);
  const falseHits = share(filter, randomIds(100_000, 2));
  assert.ok(falseHits > 0.0001 && falseHits < 0.0015, String(falseHits));
});

test('ids that count up are told apart as well', () => {
  const filter = filterOf(countedIds(20_000, 1));
  assert.equal(share(filter, countedIds(20_000, 1)), 1);
  assert.ok(share(filter, countedIds(20_000, 20_001)) < 0.1);
  assert.ok(share(filter, randomIds(20_000, 3)) < 0.05);
});

test('an empty filter has nothing', () => {
  assert.equal(share(TraceFilter.sized(0), randomIds(100, 1)), 0);
});
