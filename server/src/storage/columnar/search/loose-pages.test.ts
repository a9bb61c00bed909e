// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { span, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { TRACE_ORDERS } from '@spoor/core/query/trace-query.ts';
import { shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { HeadBatch } from '../head/head-batch.ts';
import { type LoosePage, LoosePages, RoughLoose } from './loose-pages.ts';
import { LooseTrace } from './loose-trace.ts';
import { MatchedRows } from './matched-rows.ts';
import { TraceRank } from './trace-rank.ts';

/** A trace whose numbers come from its own. */
function numbered(number: number): LooseTrace {
  const trace = new LooseTrace(traceId(number + 1));
  trace.startTimeUnixNano = BigInt((number * 7919) % 1000);
  trace.endTimeUnixNano = trace.startTimeUnixNano + BigInt((number * 104_729) % 1000);
  trace.maxSpans = number % 37;
  trace.maxErrors = number % 5;
  return trace;
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
      const pages = new LoosePages();
      const traces = Array.from({ length: 30 }, (_, i) => numbered(i));
      for (const trace of traces) pages.add(trace);
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
        grown.addHead({ head: new HeadBatch(batchOf(spans)), trace: 0 });
        page!.grow(grown);
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
      const pages = new LoosePages();
      const there = new Set<LooseTrace>();
      let next = 0;
      for (const { add, remove, every } of steps) {
        for (let i = 0; i < add; i++) {
          const trace = numbered(next++);
          there.add(trace);
          pages.add(trace);
        }
        for (const trace of [...there].filter((_, i) => i % every === 0).slice(0, remove)) {
          there.delete(trace);
          pages.remove(trace);
        }
        const all = [...pages.values()];
        const traces = all.flatMap((page) => [...page.traces]);
        assert.equal(traces.length, there.size);
        assert.deepEqual(new Set(traces), there);
        assert.ok(all.length <= 1 + there.size / 64);
        for (const order of TRACE_ORDERS) {
          const rank = new TraceRank(order);
          for (const page of all) {
            const ranks = [...page.traces].map((trace) => rank.ofKey(rank.keyOf(trace)));
            assert.equal(page.bound(rank), Math.max(...ranks));
          }
          assert.equal(pages.bound(rank), Math.max(...all.map((page) => page.bound(rank))));
        }
        for (const page of all) {
          const { minDuration, maxDuration, maxSpans, minErrors } = roughly(page);
          const own = [...page.traces];
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
      const pages = new LoosePages();
      const few = numbered(3);
      pages.add(few);
      const most = (count: number): number => few.page!.mostOf(known, () => count);
      assert.deepEqual([most(2), most(1)], [2, 2]);
      known.inGroup(reader, 0, () => undefined);
      assert.equal(most(1), 1);
      pages.add(numbered(5));
      assert.equal(most(4), 4);
    }),
  ));

test('how many spans of any trace meet a predicate at most is known once it was worked out of each page', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf(shopSpans(10, 2))], (reader) => {
      const known = new MatchedRows().of({ op: 'and', args: [] });
      const pages = new LoosePages();
      assert.equal(pages.knownMostOf(known), 0);
      for (let i = 0; i < 300; i++) pages.add(numbered(i));
      const [first, second] = pages.values();
      first!.mostOf(known, () => 3);
      assert.equal(pages.knownMostOf(known), Infinity);
      second!.mostOf(known, () => 2);
      assert.deepEqual([pages.knownMostOf(known), pages.knownMostOf(known)], [3, 3]);

      known.inGroup(reader, 0, () => undefined);
      assert.equal(pages.knownMostOf(known), Infinity);
      for (const page of pages.values()) page.mostOf(known, () => 1);
      assert.equal(pages.knownMostOf(known), 1);

      const [grown] = second!.traces;
      second!.grow(grown!);
      assert.equal(pages.knownMostOf(known), Infinity);
    }),
  ));
