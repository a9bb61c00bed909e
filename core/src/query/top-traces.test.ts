// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { traceId } from './testing/example-span.ts';
import { TopTraces } from './top-traces.ts';
import { TRACE_ORDERS, type TracePosition } from './trace-query.ts';

/** The traces of a page, of traces with these keys, whose ids are 1, 2, …, and whether there are more. */
function sorted(
  keys: readonly bigint[],
  isLeastFirst: boolean,
  { after, limit }: { after?: TracePosition; limit: number },
): { ids: number[]; more: boolean } {
  const ids = keys.map((_, i) => i + 1);
  const rank = (id: number): bigint => (isLeastFirst ? keys[id - 1]! : -keys[id - 1]!);
  ids.sort((a, b) => (rank(a) === rank(b) ? a - b : rank(a) < rank(b) ? -1 : 1));
  const rest = ids.slice(after === undefined ? 0 : ids.indexOf(Number(`0x${after.traceId}`)) + 1);
  return { ids: rest.slice(0, limit), more: rest.length > limit };
}

test('pages of any size hold all traces once, in order, however they were offered', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt(-3n, 3n), { maxLength: 60 }),
      fc.constantFrom(...TRACE_ORDERS),
      fc.integer({ min: 1, max: 10 }),
      fc.func(fc.nat()),
      (keys, order, limit, shuffle) => {
        const isLeastFirst = order === 'oldest' || order === 'shortest';
        const ids = keys.map((_, i) => i + 1).sort((a, b) => shuffle(a) - shuffle(b));
        let after: TracePosition | undefined;
        do {
          const page = after === undefined ? { limit } : { limit, after };
          const top = new TopTraces<number>({ order, ...page });
          for (const id of ids) top.offer({ key: keys[id - 1]!, traceId: traceId(id), value: id });
          const { traces, next } = top.finish();
          const expected = sorted(keys, isLeastFirst, page);
          assert.deepEqual(
            traces.map(({ value }) => value),
            expected.ids,
          );
          assert.equal(next !== undefined, expected.more);
          assert.ok(next === undefined || next.traceId === traces.at(-1)!.traceId);
          after = next;
        } while (after !== undefined);
      },
    ),
  );
});

test('nothing that is behind the position it names gets in', () => {
  const top = new TopTraces<number>({ order: 'shortest', limit: 2 });
  assert.equal(top.worst, undefined);
  for (const key of [5n, 9n, 7n, 3n, 8n, 6n]) {
    top.offer({ key, traceId: traceId(Number(key)), value: Number(key) });
  }
  // One more than the page holds is kept, so that it is known whether there is another page.
  assert.deepEqual(top.worst, { key: 6n, traceId: traceId(6), value: 6 });
  assert.deepEqual(
    top.finish().traces.map(({ value }) => value),
    [3, 5],
  );
});
