// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { TRACE_ORDERS } from '@spoor/core/query/trace-query.ts';
import { shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { HeadBatch } from '../head/head-batch.ts';
import { type LoosePage, LoosePages, RoughLoose } from './loose-pages.ts';
import { LooseTable } from './loose-table.ts';
import { LooseTrace } from './loose-trace.ts';
import { MatchedRows } from './matched-rows.ts';
import { TraceRank } from './trace-rank.ts';

/** Numbers of the traces that a test adds at most. */
const MOST = 4800;

/** A batch of the head with that many traces; those with numbers that are close are unlike. */
const HEAD = new HeadBatch(
  batchOf(
    Array.from({ length: MOST }, (_, number) => {
      const start = BigInt((number * 7919) % 1000);
      return Array.from({ length: 1 + (number % 3) }, (_, i) =>
        span({
          traceId: traceId(number + 1),
          spanId: spanId(i + 1),
          startTimeUnixNano: start,
          endTimeUnixNano: start + BigInt((number * 104_729) % 1000),
          status: { code: number % 5 === i ? 2 : 0, message: '' },
        }),
      );
    }).flat(),
  ),
);

/** Traces of that batch, on pages. */
class Pages {
  readonly table = new LooseTable(() => assert.fail('no trace is in a block'));
  readonly pages = new LoosePages(this.table);

  /** @param trace number in the batch @returns its number in the table */
  add(trace: number): number {
    const number = this.table.add(HEAD.idWords, HEAD.traces.firstRowOf(trace) * 4);
    this.pages.add(number);
    this.table.addHead(number, { head: HEAD, trace });
    this.pages.grow(number);
    return number;
  }

  remove(number: number): void {
    this.pages.remove(number);
    this.table.remove(number);
  }

  trace(number: number): LooseTrace {
    return new LooseTrace(this.table, number);
  }

  /** The page of a trace. */
  pageOf(number: number): LoosePage {
    return this.pages.values().find((page) => page.number === this.table.pageOf(number))!;
  }
}

function roughly<Group extends LoosePage | LoosePages>(group: Group): RoughLoose<Group> {
  const rough = new RoughLoose<Group>(() => Infinity);
  rough.group = group;
  return rough;
}

test('bounds of a page hold for traces that get parts after they were asked for', () => {
  const part = fc.record({
    trace: fc.nat(30),
    start: fc.integer({ min: 0, max: 1000 }),
    length: fc.integer({ min: 0, max: 1000 }),
  });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const some = new Pages();
      const { pages, table } = some;
      const traces = Array.from({ length: 30 }, (_, i) => some.trace(some.add(i)));
      const [page] = [...pages.values()];
      for (const { trace: number, start, length } of parts) {
        const grown = traces[number % 30]!;
        const spans = [
          span({
            traceId: grown.id,
            startTimeUnixNano: BigInt(start),
            endTimeUnixNano: BigInt(start + length),
            status: { code: length % 3, message: '' },
          }),
        ];
        table.addHead(grown.number, { head: new HeadBatch(batchOf(spans)), trace: 0 });
        pages.grow(grown.number);
        assert.equal(page!.isInHead, true);
        for (const order of TRACE_ORDERS) {
          const rank = new TraceRank(order);
          for (const trace of traces) {
            assert.ok(page!.bound(rank) >= rank.ofKey(rank.keyOf(trace)));
            assert.ok(pages.bound(rank) >= rank.ofKey(rank.keyOf(trace)));
          }
          assert.equal(page!.ranked(rank).trace(29) !== undefined, true);
        }
        for (const rough of [roughly(page!), roughly(pages)]) {
          for (const trace of traces) {
            assert.ok(rough.minDuration <= trace.minDuration);
            assert.ok(rough.maxDuration >= trace.maxDuration && rough.longest >= trace.longest);
            assert.ok(rough.minSpans <= trace.minSpans && rough.maxSpans >= trace.maxSpans);
            assert.ok(rough.minErrors <= trace.minErrors && rough.maxErrors >= trace.maxErrors);
          }
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('each trace is on one page, no trace is above the bound of its page, and pages do not become many', () => {
  const step = fc.record({
    add: fc.nat(600),
    remove: fc.nat(600),
    every: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      const some = new Pages();
      const { pages } = some;
      const there = new Map<number, string>();
      let next = 0;
      for (const { add, remove, every } of steps) {
        for (let i = 0; i < add; i++) {
          const number = some.add(next++);
          assert.ok(!there.has(number));
          there.set(number, traceId(next));
        }
        const removed = [...there.keys()].filter((_, i) => i % every === 0).slice(0, remove);
        for (const number of removed) {
          there.delete(number);
          some.remove(number);
        }
        const all = [...pages.values()];
        const traces = all.flatMap((page) => [...page.traces()]);
        assert.equal(traces.length, there.size);
        assert.deepEqual(new Map(traces.map(({ number, id }) => [number, id])), there);
        assert.ok(all.length <= 1 + there.size / 64);
        for (const order of TRACE_ORDERS) {
          const rank = new TraceRank(order);
          for (const page of all) {
            const own = [...page.traces()].sort(
              (a, b) =>
                rank.ofKey(rank.keyOf(b)) - rank.ofKey(rank.keyOf(a)) || (a.id < b.id ? -1 : 1),
            );
            const ranked = page.ranked(rank);
            const places = Array.from(own, (_, place) => place);
            assert.deepEqual(
              places.map((place) => [ranked.trace(place)!.id, ranked.rank(place)]),
              own.map((trace) => [trace.id, rank.ofKey(rank.keyOf(trace))]),
            );
            assert.equal(ranked.trace(own.length), undefined);
            assert.equal(page.bound(rank), own.length === 0 ? -Infinity : ranked.rank(0));
          }
          assert.equal(pages.bound(rank), Math.max(...all.map((page) => page.bound(rank))));
        }
        for (const page of all) {
          const { minDuration, maxDuration, maxSpans, minErrors } = roughly(page);
          const own = [...page.traces()];
          assert.deepEqual(
            { minDuration, maxDuration, maxSpans, minErrors },
            {
              minDuration: Math.min(...own.map((trace) => trace.minDuration)),
              maxDuration: Math.max(...own.map((trace) => trace.maxDuration)),
              maxSpans: Math.max(...own.map((trace) => trace.maxSpans)),
              minErrors: Math.min(...own.map((trace) => trace.minErrors)),
            },
          );
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('how many spans of a trace a page has at most is worked out again when one changes or more is known', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf(shopSpans(10, 2))], (reader) => {
      const known = new MatchedRows().of({ op: 'and', args: [] });
      const some = new Pages();
      const few = some.pageOf(some.add(3));
      const most = (count: number): number => few.mostOf(known, () => count);
      assert.deepEqual([most(2), most(1)], [2, 2]);
      known.inGroup(reader, 0, () => undefined);
      assert.equal(most(1), 1);
      some.add(5);
      assert.equal(most(4), 4);
    }),
  ));

test('how many spans of any trace meet a predicate at most is what pages know, or all of their spans', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf(shopSpans(10, 2))], (reader) => {
      const known = new MatchedRows().of({ op: 'and', args: [] });
      const some = new Pages();
      const { pages } = some;
      assert.equal(pages.knownMostOf(known), 0);
      // Each has three spans at most.
      for (let i = 0; i < 300; i++) some.add(i);
      const [first, second] = pages.values();
      first!.mostOf(known, () => 1);
      assert.equal(pages.knownMostOf(known), 3);
      second!.mostOf(known, () => 2);
      assert.deepEqual([pages.knownMostOf(known), pages.knownMostOf(known)], [2, 2]);

      known.inGroup(reader, 0, () => undefined);
      assert.equal(pages.knownMostOf(known), 3);
      first!.mostOf(known, () => 3);
      assert.deepEqual([pages.knownMostOf(known), pages.knownMostOf(known)], [3, 3]);

      pages.grow(first!.numbers[0]!);
      second!.mostOf(known, () => 0);
      assert.equal(pages.knownMostOf(known), 3);
      first!.mostOf(known, () => 0);
      assert.equal(pages.knownMostOf(known), 0);
    }),
  ));
