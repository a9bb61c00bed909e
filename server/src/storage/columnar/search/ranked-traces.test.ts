// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { queryFor } from '#storage/testing/store-harness.ts';
import { withSources } from '../testing/search-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { bestOf } from './ranked-traces.ts';
import { findTraces } from './trace-search.ts';

test('the best of any ranks are those that a sort by rank and number puts first', () => {
  const ranks = fc.oneof(
    fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 200 }),
    fc.array(fc.double({ noNaN: true }), { maxLength: 200 }),
  );
  fc.assert(
    fc.property(ranks, fc.nat(200), (all, most) => {
      const count = Math.min(most, all.length);
      const found = bestOf(Float64Array.from(all), count);
      const expected = all
        .map((rank, trace) => ({ rank, trace }))
        .sort((a, b) => (a.rank === b.rank ? a.trace - b.trace : b.rank > a.rank ? 1 : -1))
        .slice(0, count);
      assert.deepEqual(
        [...found.traces],
        expected.map(({ trace }) => trace),
      );
      assert.ok(found.ranks.every((rank, i) => rank === all[found.traces[i]!]));
    }),
    { numRuns: 500 },
  );
});

test('what a block has behind its best traces is found in its place', () =>
  withDirectory((dir) => {
    // More traces than a block puts in order, with few different keys; what is rare is spread over all of them.
    const spans = Array.from({ length: 4700 }, (_, i) => {
      const place = (i * 2731) % 4700;
      const startTimeUnixNano = 1_763_800_000_000_000_000n + BigInt(place >> 4) * 1_000_000n;
      return span({
        traceId: traceId(i + 1),
        spanId: spanId(i + 1),
        startTimeUnixNano,
        endTimeUnixNano: startTimeUnixNano + BigInt(i % 3) * 1_000_000n,
        name: place % 470 === 3 ? 'rare' : 'usual',
        status: { code: place > 4400 ? 2 : 0, message: '' },
      });
    });
    const blocks = [spans.slice(0, 4400), spans.slice(4300)];
    const rare: SpanPredicate = {
      op: 'eq',
      field: { kind: 'intrinsic', name: 'name' },
      value: { type: 'string', value: 'rare' },
    };
    withSources(dir, { blocks }, (sources) => {
      assert.ok(sources.blocks[0]!.reader()!.footer.traces > 4096);
      withSources(dir, { head: [spans] }, (head) => {
        for (const order of ['oldest', 'longest', 'most_errors'] as const) {
          for (const [where, limit] of [
            [rare, 20],
            [undefined, 1600],
          ] as const) {
            let query = queryFor(where, { order, limit });
            for (;;) {
              const found = findTraces(sources, query, () => {});
              assert.deepEqual(
                found,
                findTraces(head, query, () => {}),
              );
              if (found.next === undefined) break;
              query = { ...query, after: found.next };
            }
          }
        }
      });
    });
  }));
