// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, type TraceId } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitraryQuery } from '@spoor/core/query/testing/arbitrary-query.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import {
  attributes,
  event,
  link,
  resource,
  scope,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import {
  type QueryLiteral,
  type SpanPredicate,
  type TracePredicate,
  type TraceQuery,
  TRACE_ORDERS,
} from '@spoor/core/query/trace-query.ts';
import { queryFor } from '#storage/testing/store-harness.ts';
import { TraceOracle } from '#storage/testing/trace-oracle.ts';
import { GROUP_ROWS } from '../block/block-format.ts';
import { shopSpans } from '../testing/block-fixture.ts';
import { type SpanLayout, withSources } from '../testing/search-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { findTraces } from './trace-search.ts';
import { TraceSources } from './trace-sources.ts';

/** No span meets it, which only the rows tell. */
const NOWHERE: SpanPredicate = {
  op: 'eq',
  field: { kind: 'intrinsic', name: 'kind' },
  value: { type: 'int', value: 200n },
};

function find(dir: string, layout: SpanLayout, query: TraceQuery): TraceId[] {
  return withSources(dir, layout, (sources) =>
    findTraces(sources, query, () => {}).traces.map((found) => found.traceId),
  );
}

/** A span of a trace at a time, in units that are far apart from each other for a double. */
function at(trace: number, start: number, given: Partial<Span> = {}): Span {
  const startTimeUnixNano = 1_763_800_000_000_000_000n + BigInt(start) * 1_000_000n;
  return span({ traceId: traceId(trace), spanId: spanId(start + 1), startTimeUnixNano, ...given });
}

test('traces are found and ranked exactly, however their spans are spread over head and blocks', () =>
  withDirectory((dir) => {
    // Few traces in many places: most of them are split.
    const part = fc.array(arbitrarySpan, { minLength: 1, maxLength: 5 });
    const layout = fc.record({
      head: fc.array(part, { maxLength: 3 }),
      blocks: fc.array(part, { maxLength: 4 }),
      isVersion1: fc.boolean(),
    });
    fc.assert(
      fc.property(
        layout,
        fc.array(arbitraryQuery, { minLength: 1, maxLength: 6 }),
        (places, queries) => {
          const oracle = new TraceOracle();
          for (const spans of [...places.head, ...places.blocks])
            oracle.write(DEFAULT_TENANT, spans);
          withSources(dir, places, (sources) => {
            for (const one of queries) {
              const expected = oracle.findTraces(DEFAULT_TENANT, one);
              // The second time with what the first one found out.
              for (let time = 1; time <= 2; time++) {
                const found = findTraces(sources, one, () => {});
                assert.deepEqual(found, expected, fc.stringify(one));
              }
            }
          });
        },
      ),
      { numRuns: 80 },
    );
  }));

test('a trace whose newest part is the newest of all, but whose first span is old, comes in its place', () =>
  withDirectory((dir) => {
    const blocks = [
      [at(1, 0), at(2, 10)],
      [at(3, 20), at(4, 30)],
      // Parts of the oldest two traces, and one that is new.
      [at(1, 90), at(2, 80), at(5, 40)],
    ];
    const newest = [5, 4, 3, 2, 1].map(traceId);
    for (let limit = 1; limit <= 6; limit++) {
      const expected = newest.slice(0, limit);
      assert.deepEqual(find(dir, { blocks }, queryFor(undefined, { limit })), expected);
      const mixed = { blocks: blocks.slice(0, 2), head: blocks.slice(2) };
      assert.deepEqual(find(dir, mixed, queryFor(undefined, { limit })), expected);
      const turned = { blocks: blocks.slice(2), head: blocks.slice(0, 2) };
      assert.deepEqual(find(dir, turned, queryFor(undefined, { limit })), expected);
    }
  }));

test('a trace is ranked by its first span also where only a later one matches, in another block', () =>
  withDirectory((dir) => {
    const error = { status: { code: 2, message: '' } };
    const blocks = [
      [at(1, 0), at(2, 50), at(3, 60, error)],
      [at(1, 100, error), at(2, 70, error)],
    ];
    const where: SpanPredicate = {
      op: 'eq',
      field: { kind: 'intrinsic', name: 'status' },
      value: { type: 'int', value: 2n },
    };
    const found = (limit: number) => find(dir, { blocks }, queryFor(where, { limit }));
    assert.deepEqual(found(1), [traceId(3)]);
    assert.deepEqual(found(2), [3, 2].map(traceId));
    assert.deepEqual(found(3), [3, 2, 1].map(traceId));
  }));

test('traces that start together are found by id, wherever they lie and however few are wanted', () =>
  withDirectory((dir) => {
    const blocks = [[at(7, 5)], [at(3, 5), at(9, 5)], [at(5, 5), at(1, 4)]];
    const head = [[at(4, 5)], [at(8, 5)]];
    for (let limit = 1; limit <= 7; limit++) {
      const found = find(dir, { head, blocks }, queryFor(undefined, { limit }));
      assert.deepEqual(found, [3, 4, 5, 7, 8, 9, 1].slice(0, limit).map(traceId));
    }
  }));

test('of many traces with equal keys, each page has those with the least ids, however many groups, blocks and batches have some', () =>
  withDirectory((dir) => {
    const traces = Array.from({ length: 1400 }, (_, i) => {
      const id = ((i * 611) % 1400) + 1;
      const spans = Array.from({ length: 1 + (i % 13) }, (_span, k) =>
        at(id, k, {
          endTimeUnixNano: at(id, k + 1).startTimeUnixNano,
          status: { code: k < i % 3 ? 2 : 0, message: '' },
        }),
      );
      return { id, spans, errors: spans.filter(({ status }) => status?.code === 2).length };
    });
    // A third is in each block; every seventh is in both, every eleventh in the head as well, some of it as a copy.
    const part = (wanted: (i: number, k: number) => boolean): Span[] =>
      traces.flatMap(({ spans }, i) => spans.filter((_span, k) => wanted(i, k)));
    const isSplit = (i: number): boolean => i % 7 === 0;
    const layout = {
      blocks: [
        part((i, k) => (isSplit(i) ? k % 2 === 0 : i % 2 === 0)),
        part((i, k) => (isSplit(i) ? k % 2 === 1 : i % 2 === 1)),
      ],
      head: [part((i, k) => i % 11 === 0 && k % 3 === 0), part((i) => i % 50 === 0)],
    };
    const keys = {
      most_spans: (trace: (typeof traces)[number]) => -trace.spans.length,
      most_errors: (trace: (typeof traces)[number]) => -trace.errors,
      longest: (trace: (typeof traces)[number]) => -trace.spans.length,
      shortest: (trace: (typeof traces)[number]) => trace.spans.length,
    };
    withSources(dir, layout, (sources) => {
      assert.ok(sources.blocks.every((block) => block.reader()!.footer.groups.length > 1));
      for (const order of ['most_spans', 'most_errors', 'longest', 'shortest'] as const) {
        const keyOf = keys[order];
        const expected = traces
          .toSorted((a, b) => keyOf(a) - keyOf(b) || a.id - b.id)
          .map(({ id }) => traceId(id));
        for (const limit of [1, 20, 333]) {
          let after: TraceQuery['after'];
          for (let first = 0; first < Math.min(limit * 5, expected.length); first += limit) {
            const more = after === undefined ? {} : { after };
            const page = findTraces(
              sources,
              queryFor(undefined, { order, limit, ...more }),
              () => {},
            );
            const ids = page.traces.map((found) => found.traceId);
            assert.deepEqual(
              ids,
              expected.slice(first, first + limit),
              `${order} ${first} ${limit}`,
            );
            after = page.next;
          }
        }
      }
    });
  }));

test('pages of traces with equal keys take no more the later they are', () =>
  withDirectory((dir) => {
    // Traces that differ in nothing but their ids; every fourth has more of its spans in the other block.
    const ids = Array.from({ length: 2000 }, (_, i) => i + 1);
    const blocks = [0, 1].map((block) =>
      ids
        .filter((id) => id % 4 === 0 || id % 2 === block)
        .flatMap((id) => Array.from({ length: 6 }, (_, k) => at(id, block * 6 + k))),
    );
    withSources(dir, { blocks }, (sources) => {
      assert.ok(sources.blocks.every((block) => block.reader()!.footer.groups.length > 1));
      const found: TraceId[] = [];
      const looks: number[] = [];
      let query = queryFor(undefined, { order: 'most_errors', limit: 250 });
      for (;;) {
        let count = 0;
        const { traces, next } = findTraces(sources, query, () => count++);
        found.push(...traces.map((one) => one.traceId));
        looks.push(count);
        if (next === undefined) break;
        query = { ...query, after: next };
      }
      assert.deepEqual(found, ids.map(traceId));
      assert.ok(Math.max(...looks) <= looks[0]! + 8, looks.join(' '));
    });
  }));

test('starts that are one nanosecond apart are told apart, now and at the end of time', () =>
  withDirectory((dir) => {
    for (const base of [1_763_800_000_123_456_789n, 2n ** 63n - 2n, 2n ** 64n - 6n]) {
      const spans = [3, 1, 4, 0, 2].map((i) =>
        span({ traceId: traceId(i + 1), startTimeUnixNano: base + BigInt(i) }),
      );
      const blocks = spans.map((one) => [one]);
      for (let limit = 1; limit <= 5; limit++) {
        const expected = [5, 4, 3, 2, 1].slice(0, limit).map(traceId);
        assert.deepEqual(find(dir, { blocks }, queryFor(undefined, { limit })), expected);
        const mixed = { head: blocks.slice(0, 2), blocks: blocks.slice(2) };
        assert.deepEqual(find(dir, mixed, queryFor(undefined, { limit })), expected);
      }
      for (const layout of [{ blocks }, { head: blocks }, { blocks: [spans] }]) {
        const window = { startMinUnixNano: base + 1n, startMaxUnixNano: base + 3n };
        assert.deepEqual(find(dir, layout, queryFor(undefined, window)), [3, 2].map(traceId));
      }
    }
  }));

test('the search ends at the block from which on all is older, and leaves out what is outside of the window', () =>
  withDirectory((dir) => {
    const blocks = Array.from({ length: 6 }, (_, b) =>
      Array.from({ length: 10 }, (_span, i) => at(b * 10 + i + 1, b * 1000 + i)),
    );
    // It looks around before each block that it visits, and before each trace that it looks at or sums up.
    const looks = (one: TraceQuery): number =>
      withSources(dir, { blocks }, (sources) => {
        findTraces(sources, one, () => {});
        let count = 0;
        findTraces(sources, one, () => count++);
        return count;
      });
    assert.ok(looks(queryFor(NOWHERE, { limit: 5 })) >= 6);
    assert.ok(looks(queryFor(undefined, { limit: 5 })) <= 2 * 5 + 2);
    const base = blocks[1]![0]!.startTimeUnixNano;
    const window = { startMinUnixNano: base, startMaxUnixNano: base + 9_000_000n };
    assert.ok(looks(queryFor(undefined, { ...window, limit: 50 })) <= 10 + 9 + 2);
    assert.equal(find(dir, { blocks }, queryFor(undefined, window)).length, 9);
  }));

test('a search stops as soon as it is cancelled', () =>
  withDirectory((dir) => {
    const blocks = Array.from({ length: 5 }, (_, b) => [at(b + 1, b)]);
    withSources(dir, { blocks, head: [[at(9, 9)]] }, (sources) => {
      for (let after = 0; after < 6; after++) {
        let left = after;
        const check = (): void => {
          if (left-- === 0) throw new SpoorError('cancelled', 'enough');
        };
        assert.throws(
          () => findTraces(sources, queryFor(undefined, { limit: 10 }), check),
          /enough/,
        );
        assert.equal(left, -1);
      }
    });
  }));

test('a long search looks around at each page of values, group and trace, and stops there', () =>
  withDirectory((dir) => {
    // Some 150 kB of values of their own: several pages; and three groups.
    const spans = shopSpans(GROUP_ROWS * 2.5, 500).map((one, i) => ({
      ...one,
      attributes: attributes({ query: `select ${i >> 1} from somewhere` }),
    }));
    const all: SpanPredicate = { op: 'and', args: [] };
    const allTime = { startMinUnixNano: 0n, startMaxUnixNano: 2n ** 64n };
    const pattern: SpanPredicate = {
      op: 'matches',
      field: { kind: 'attribute', scope: 'span', key: 'query' },
      // What values have inside does not tell that none matches.
      pattern: '.*select [a-z].*',
    };
    const many: TracePredicate = {
      op: 'gt',
      field: { kind: 'count', where: all },
      value: { type: 'int', value: 19n },
    };
    withSources(dir, { blocks: [spans] }, (sources) => {
      // What is kept of blocks is there, but not which of their rows were found to match.
      const fresh = (): TraceSources =>
        new TraceSources([], sources.blocks, () => assert.fail(), sources.loose);
      for (const query of [
        queryFor(pattern, allTime),
        queryFor(all, { ...allTime, having: many }),
      ]) {
        findTraces(fresh(), query, () => undefined);
        let looks = 0;
        findTraces(fresh(), query, () => looks++);
        assert.ok(looks >= 6, `${looks}`);
        for (let after = 0; after < looks; after += 1 + (looks >> 3)) {
          let left = after;
          const check = (): void => {
            if (left-- === 0) throw new SpoorError('cancelled', 'enough');
          };
          assert.throws(() => findTraces(fresh(), query, check), /enough/);
          assert.equal(left, -1);
        }
      }
    });
  }));

test('a search looks around at each trace also where it is known which rows match', () =>
  withDirectory((dir) => {
    const spans = Array.from({ length: 500 }, (_, i) => at(i + 1, i));
    const named: SpanPredicate = {
      op: 'eq',
      field: { kind: 'intrinsic', name: 'name' },
      value: { type: 'string', value: spans[0]!.name },
    };
    const having: TracePredicate = {
      op: 'eq',
      field: { kind: 'trace', name: 'root_name' },
      value: { type: 'string', value: 'no such name' },
    };
    withSources(dir, { blocks: [spans] }, (sources) => {
      const looks = (): number => {
        let count = 0;
        const { traces } = findTraces(sources, queryFor(named, { having }), () => count++);
        assert.deepEqual(traces, []);
        return count;
      };
      looks();
      assert.ok(looks() >= spans.length);
    });
  }));

test('a block of many groups answers as the head does, whatever its dictionaries leave out', () =>
  withDirectory((dir) => {
    // Values that only some groups have: texts only (`user`, of shopSpans), beside other types, and in several places.
    const odd: ((one: Span) => Partial<Span>)[] = [
      ({ startTimeUnixNano }) => ({
        events: [event('e', { user: 'user 9999' }, startTimeUnixNano)],
      }),
      () => ({ links: [link({ traceId: traceId(1), spanId: spanId(1) }, { user: 'user 8888' })] }),
      () => ({ attributes: attributes({ code: 7n }) }),
      () => ({ attributes: attributes({ code: true }) }),
      () => ({ attributes: attributes({ tag: ['tag 5', 'tag 999'] }) }),
      () => ({ resource: resource('rare', { zone: 'zone 999' }) }),
      () => ({ scope: scope('rare', { zone: 'zone 5' }) }),
    ];
    const spans = shopSpans(GROUP_ROWS * 2.5, 500).map((one, i) => {
      if (i % 300 < odd.length) return { ...one, ...odd[i % 300]!(one) };
      const n = (i >> 2) % 200;
      // One value that most traces have, among thousands that few have.
      if (i % 4 === 1) return { ...one, attributes: attributes({ user: 'user 0' }) };
      if (i % 4 !== 0) return one;
      return {
        ...one,
        attributes: attributes({ code: `${n}`, tag: `tag ${n}`, zone: `zone ${n}` }),
      };
    });
    const questions = {
      user: ['0', '1', '6', '17', '4321', '4999', '9999', '8888', 'x'].map((n) => `user ${n}`),
      code: ['7', 'true', '4', '1000', ''],
      tag: ['tag 4', 'tag 5', 'tag 999', 'tag'],
      zone: ['zone 4', 'zone 5', 'zone 999', 'zone'],
    };
    const scopes = ['any', 'span', 'resource', 'instrumentation', 'event', 'link'] as const;
    const leaves: SpanPredicate[] = [];
    for (const [key, values] of Object.entries(questions)) {
      for (const value of values) {
        for (const one of scopes) {
          for (const type of ['string', 'text'] as const) {
            const field = { kind: 'attribute' as const, scope: one, key };
            leaves.push({ op: 'eq', field, value: { type, value } });
          }
        }
      }
    }
    const some = fc.array(fc.constantFrom(...leaves), { minLength: 1, maxLength: 3 });
    const tree = fc.oneof(
      fc.record({ op: fc.constantFrom('and' as const, 'or' as const), args: some }),
      some.map((args) => ({ op: 'not' as const, arg: { op: 'or' as const, args } })),
    );
    // The parts of most traces are in both of these.
    const halves = [0, 1].map((half) => spans.filter((_, i) => (i >> 3) % 2 === half));
    const layouts = [
      { blocks: [spans], head: [], asked: leaves },
      { blocks: halves, head: [], asked: leaves.filter((_, i) => i % 3 === 0) },
      { blocks: [halves[0]!], head: [halves[1]!.slice(0, 50)], asked: leaves.slice(0, 20) },
    ];
    for (const { blocks, head, asked } of layouts) {
      withSources(dir, { blocks, head }, (inBlock) =>
        withSources(dir, { head: [...blocks, ...head] }, (inHead) => {
          assert.ok(inBlock.blocks[0]!.reader()!.footer.groups.length >= 2);
          const check = (where: SpanPredicate, limit: number): void => {
            const one = queryFor(where, { limit, order: limit === 10 ? 'most_spans' : 'newest' });
            const expected = findTraces(inHead, one, () => {});
            assert.deepEqual(
              findTraces(inBlock, one, () => {}),
              expected,
              JSON.stringify(where),
            );
          };
          for (const leaf of asked) check(leaf, 1000);
          const nothing = leaves.find((leaf) => leaf.op === 'eq' && leaf.value.value === 'user x')!;
          for (const leaf of asked.filter((_, i) => i % 4 === 0)) {
            check({ op: 'or', args: [leaf, nothing] }, 10);
            check({ op: 'and', args: [nothing, leaf] }, 10);
          }
          fc.assert(fc.property(tree, fc.constantFrom(1, 10, 1000), check), { numRuns: 20 });
        }),
      );
    }
  }));

test('a block is searched by its groups where few of them match, and behind its best traces, and answers as the head does', () =>
  withDirectory((dir) => {
    // Few different keys; a rare name is in groups that lie together, a status all over. A few traces are in both blocks.
    const spans = Array.from({ length: 1200 }, (_, i) =>
      Array.from({ length: 1 + (i % 3) }, (_span, k) => {
        const place = ((i * 611) % 1200) >> 3;
        const one = at(i + 1, place + k, { spanId: spanId(i * 3 + k + 1) });
        return {
          ...one,
          endTimeUnixNano: one.startTimeUnixNano + BigInt(i % 5) * 1_000_000n,
          name: i % 600 < 40 ? 'rare' : 'usual',
          status: { code: i % 7 === k ? 2 : 0, message: '' },
        };
      }),
    );
    const blocks = [spans.slice(0, 900).flat(), spans.slice(880).flatMap((some) => some.slice(1))];
    blocks[1]!.push(...spans.slice(900).flatMap((some) => some.slice(0, 1)));
    const equal = (name: 'name' | 'status', value: QueryLiteral): SpanPredicate => ({
      op: 'eq',
      field: { kind: 'intrinsic', name },
      value,
    });
    const questions = [
      undefined,
      equal('name', { type: 'string', value: 'rare' }),
      equal('status', { type: 'int', value: 2n }),
    ];
    withSources(dir, { head: blocks }, (inHead) =>
      withSources(dir, { blocks, groupRows: 16 }, (inBlocks) => {
        assert.ok(inBlocks.blocks.every((block) => block.reader()!.footer.groups.length > 30));
        for (const order of TRACE_ORDERS) {
          for (const where of questions) {
            for (const limit of [30, 300]) {
              let query = queryFor(where, { order, limit });
              for (let page = 0; page < 4; page++) {
                const expected = findTraces(inHead, query, () => {});
                const found = findTraces(inBlocks, query, () => {}, [40, 120]);
                assert.deepEqual(found, expected, `${order} ${page} ${limit}`);
                if (expected.next === undefined) break;
                query = { ...query, after: expected.next };
              }
            }
          }
        }
      }),
    );
  }));

test('traces with many spans that meet a predicate are found whatever questions before found out, and where there are none', () =>
  withDirectory((dir) => {
    // Groups differ in how long their traces are. Some traces are in both blocks, a few in the head as well, with copies.
    const traces = Array.from({ length: 400 }, (_, i) =>
      Array.from({ length: 1 + (i % 100 < 8 ? 9 : i % 4) }, (_span, k) =>
        at(i + 1, ((i * 377) % 400) + k, {
          spanId: spanId(i * 10 + k + 1),
          kind: (i * 7 + k * k) % 6,
          status: { code: (i + k) % 13 === 0 ? 2 : 0, message: '' },
        }),
      ),
    );
    const blocks = [
      traces.slice(0, 300).flatMap((some, i) => (i % 11 === 0 ? some.slice(2) : some)),
      traces.flatMap((some, i) => (i >= 300 ? some : i % 11 === 0 ? some.slice(0, 2) : [])),
    ];
    const head = [traces.filter((_, i) => i % 97 === 0).flatMap((some) => some.slice(0, 3))];
    const kind = (op: 'eq' | 'ge', value: bigint): SpanPredicate => ({
      op,
      field: { kind: 'intrinsic', name: 'kind' },
      value: { type: 'int', value },
    });
    const counted = fc.constantFrom(kind('eq', 2n), kind('ge', 1n), kind('ge', 9n));
    const compared: fc.Arbitrary<TracePredicate> = fc.record({
      op: fc.constantFrom('gt', 'ge', 'eq', 'lt'),
      field: counted.map((where) => ({ kind: 'count' as const, where })),
      value: fc.bigInt({ min: 0n, max: 6n }).map((value) => ({ type: 'int' as const, value })),
    });
    const some = fc.array(compared, { minLength: 1, maxLength: 2 });
    const having: fc.Arbitrary<TracePredicate> = fc.oneof(
      compared,
      fc.record({ op: fc.constantFrom('and', 'or'), args: some }),
      fc.record({ op: fc.constant('some'), where: counted }),
    );
    const question = fc.record({
      having,
      where: fc.constantFrom(kind('eq', 2n), { op: 'and' as const, args: [] }),
      order: fc.constantFrom(...TRACE_ORDERS),
      limit: fc.constantFrom(3, 40, 500),
    });
    withSources(dir, { head: [...blocks, ...head] }, (inHead) =>
      withSources(dir, { blocks, head, groupRows: 16 }, (inBlocks) => {
        assert.ok(inBlocks.blocks.every((block) => block.reader()!.footer.groups.length > 8));
        const all = fc.array(question, { minLength: 1, maxLength: 8 });
        const check = (questions: readonly Partial<TraceQuery>[]): void => {
          // Each of them makes more known to all that come after it.
          for (const { where, ...rest } of questions) {
            const one = queryFor(where, rest);
            const expected = findTraces(inHead, one, () => {});
            const found = findTraces(inBlocks, one, () => {}, [40, 120]);
            assert.deepEqual(found, expected, fc.stringify(one));
          }
        };
        fc.assert(
          fc.property(all, fc.boolean(), (questions, isForgotten) => {
            if (isForgotten) inBlocks.matched.forget(inBlocks.blocks[0]!.reader()!);
            check(questions);
          }),
          { numRuns: 40 },
        );
        // Once it is known of all groups that no trace has so many, neither these nor the traces are looked at.
        const field = { kind: 'count' as const, where: kind('eq', 2n) };
        const value = { type: 'int' as const, value: 6n };
        const nowhere = queryFor(undefined, { having: { op: 'gt', field, value } });
        inBlocks.matched.forget(inBlocks.blocks[0]!.reader()!);
        const [first, second] = [1, 2].map(() => {
          let looks = 0;
          findTraces(inBlocks, nowhere, () => looks++);
          return looks;
        });
        assert.ok(second! < first!, `${first} ${second}`);
      }),
    );
  }));

test('a pattern is found where values have it, and blocks where none can have it are passed over', () =>
  withDirectory((dir) => {
    // Each block has statements of its own, enough for grams; some traces are in both.
    const statement = (i: number): string =>
      `${i < 2500 ? 'SELECT price, currency FROM offers' : 'update Stock set reserved = 1'} WHERE sku = 'SKU-${(i * 7919) % 99_991}' AND zone IN (1, 2) AND visible ORDER BY valid_until DESC, weight LIMIT 20 FOR SHARE`;
    const spans = Array.from({ length: 5000 }, (_, i) =>
      at(1 + ((i * 7) % 1900), i, {
        attributes: attributes({ statement: statement(i - (i % 2)) }),
      }),
    );
    const blocks = [spans.slice(0, 2500), spans.slice(2500)];
    const patterns = [
      '.*SKU-7919.*',
      '.*sku-7919.*',
      '(?i).*sku-7919.*(sku|zone).*',
      '.*Stock.*-1.*',
      '(?i).*FROM stock.*',
      '.*price.*reserved.*',
      '(?i).*SET RESERVED.*99.*',
      '.*no such text.*',
      '.*',
      '.*(offers|Stock).*77.*',
    ];
    withSources(dir, { head: blocks }, (inHead) =>
      withSources(dir, { blocks }, (inBlocks) => {
        for (const block of inBlocks.blocks) {
          assert.equal(block.reader()!.footer.grams?.length, 1);
        }
        for (const pattern of patterns) {
          const field = { kind: 'attribute' as const, scope: 'span' as const, key: 'statement' };
          for (const limit of [10, 3000]) {
            const one = queryFor({ op: 'matches', field, pattern }, { limit });
            const expected = findTraces(inHead, one, () => {});
            assert.deepEqual(
              findTraces(inBlocks, one, () => {}),
              expected,
              pattern,
            );
          }
        }
      }),
    );
  }));

test('where the newest spans fill the page, values of older blocks are not looked through', () =>
  withDirectory((dir) => {
    const value = (i: number): string => `${i} ${'some words that many values have '.repeat(5)}`;
    const blocks = Array.from({ length: 3 }, (_, b) =>
      Array.from({ length: 2500 }, (_span, i) =>
        at(1 + b * 1000 + (i % 500), b * 2500 + i, {
          attributes: attributes({ text: value(b * 2500 + (i >> 1)) }),
        }),
      ),
    );
    const newest = Array.from({ length: 30 }, (_, i) =>
      at(5000 + i, 10_000 + i, { attributes: attributes({ text: `quiz ${i}` }) }),
    );
    withSources(dir, { blocks, head: [newest] }, (sources) => {
      const field = { kind: 'attribute' as const, scope: 'span' as const, key: 'text' };
      const looks = (pattern: string, limit: number): number => {
        let count = 0;
        const one = queryFor({ op: 'matches', field, pattern }, { limit });
        const { traces } = findTraces(sources, one, () => count++);
        assert.equal(traces.length, Math.min(limit, 30));
        return count;
      };
      // No three bytes in a row are certain: only the values of a block tell that none matches, page by page.
      const enough = looks('.*q.*u.*', 20);
      assert.ok(enough <= 2 * 20 + 10, `${enough}`);
      assert.ok(looks('.*q.*i.*', 50) > 2 * 30 + 5 + 15);
    });
  }));

test('a key with half a surrogate pair is that of its bytes, in head and blocks', () =>
  withDirectory((dir) => {
    const spans = [
      at(1, 0, { resource: resource('cart', { '\ufffd': 'north' }) }),
      at(2, 1, { scope: scope('library', { '\ufffd': 'north' }) }),
      at(3, 2, { attributes: attributes({ other: 'south' }) }),
    ];
    const one = queryFor({
      op: 'eq',
      field: { kind: 'attribute', scope: 'any', key: '\ud800' },
      value: { type: 'string', value: 'north' },
    });
    const expected = [2, 1].map(traceId);
    assert.deepEqual(find(dir, { head: [spans] }, one), expected);
    assert.deepEqual(find(dir, { blocks: [spans] }, one), expected);
  }));

test('spans of 1970 and 2262 in a block do not make it one of every time', () =>
  withDirectory((dir) => {
    const DAY_MS = 86_400_000;
    const blocks = Array.from({ length: 6 }, (_, b) => [
      ...Array.from({ length: 10 }, (_span, i) => at(b * 10 + i + 1, b * 3 * DAY_MS + i)),
      at(b * 10 + 1, 10, { startTimeUnixNano: BigInt(b) }),
      at(b * 10 + 2, 11, { startTimeUnixNano: 2n ** 63n + BigInt(b) }),
    ]);
    const base = blocks[2]![0]!.startTimeUnixNano;
    const window = { startMinUnixNano: base, startMaxUnixNano: base + 3_600_000_000_000n };
    const groups = (one: TraceQuery): number => {
      let read = 0;
      withSources(dir, { blocks }, (sources) => {
        for (const { id } of sources.blocks) {
          const reader = sources.blocks[id]!.reader()!;
          const group = reader.group.bind(reader);
          reader.group = (g) => (read++, group(g));
        }
        return findTraces(sources, one, () => {});
      });
      return read;
    };
    assert.equal(groups(queryFor(NOWHERE, window)), 1);
    assert.equal(groups(queryFor(NOWHERE)), 6);
    // Where the dictionaries tell it, no group is looked at.
    assert.equal(groups(queryFor({ op: 'not', arg: { op: 'and', args: [] } })), 0);
    assert.equal(find(dir, { blocks }, queryFor(undefined, window)).length, 10);
    const odd = { startMinUnixNano: 0n, startMaxUnixNano: 4n };
    assert.equal(find(dir, { blocks }, queryFor(undefined, odd)).length, 4);
  }));
