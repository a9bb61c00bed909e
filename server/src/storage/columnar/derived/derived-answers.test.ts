// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { SpanMetricsSum } from '#storage/span-metrics-sum.ts';
import { TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { Dependency, SpanMetrics } from '#storage/tracestore.ts';
import { BlockReader } from '../block/block-reader.ts';
import { encodeBlock } from '../sealing/block-writer.ts';
import { LooseTraces } from '../search/loose-traces.ts';
import { blockCache, shopSpans } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { DISK_WORKER_FILES } from '../files/worker-files.ts';
import { HeadBatch } from '../head/head-batch.ts';
import { HeadPart } from '../head/head-part.ts';
import { type OpenBlock, TraceSources } from '../search/trace-sources.ts';
import { DerivedAnswers } from './derived-answers.ts';
import { OverlapsFile } from './overlaps-file.ts';

const RANGE = { fromMinute: 0, toMinute: 2 ** 32 };
const METRICS = {
  ...RANGE,
  services: ['shop', 'cart', 'bank', ''],
  kinds: [0, 1, 2, 3, 4, 5],
  byOperation: true,
};

/** More calls than while some 200 traces, 4,096 rows, are gathered, fewer than for all 300. */
const STOPPED_AFTER = 260;

const STOP = new SpoorError('cancelled', 'stopped');

/** What happens to a store; numbers pick among what there is. */
type Step =
  | { readonly do: 'write'; readonly spans: readonly Span[] }
  | { readonly do: 'resend' | 'drop'; readonly pick: number }
  /** Stopped at that call. */
  | { readonly do: 'stop'; readonly at: number }
  | { readonly do: 'open' | 'seal' | 'merge' | 'prepare' | 'forget' | 'restart' };

const pick = fc.nat();
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(arbitraryCallSpan, { minLength: 1, maxLength: 6 })
      .map((spans): Step => ({ do: 'write', spans })),
  },
  pick.map((number): Step => ({ do: 'resend', pick: number })),
  pick.map((number): Step => ({ do: 'drop', pick: number })),
  { weight: 2, arbitrary: fc.constantFrom<Step>({ do: 'open' }, { do: 'seal' }) },
  fc.nat(8).map((at): Step => ({ do: 'stop', at })),
  { weight: 2, arbitrary: fc.constantFrom<Step>({ do: 'merge' }, { do: 'restart' }) },
  fc.constantFrom<Step>({ do: 'prepare' }, { do: 'forget' }),
);

/** A part of the head with the spans that are in it. */
interface Part {
  readonly part: HeadPart;
  readonly spans: Span[];
}

/** A block with the spans that are in it. */
interface Piece {
  readonly block: OpenBlock;
  readonly reader: BlockReader;
  readonly spans: readonly Span[];
}

/** Writes a block. Whether an older one has rows of a trace is not known, so copies stay, and all traces may be split. */
function pieceOf(dir: string, id: number, spans: readonly Span[]): Piece {
  const path = join(dir, `${id}.block`);
  const { parts } = encodeBlock([batchOf(spans)], { blocks: [], isComplete: false })!;
  writeFileSync(path, Buffer.concat(parts));
  const reader = new BlockReader(path, id, blockCache());
  return { block: { id, minStart: 0, maxStart: 0, reader: () => reader }, reader, spans };
}

/** What is kept from question to question. */
interface Kept {
  readonly derived: DerivedAnswers;
  readonly loose: LooseTraces;
}

/** What a process has that starts with this file. */
function nothingKept(path: string): Kept {
  const file = new OverlapsFile(DISK_WORKER_FILES, path);
  return { derived: new DerivedAnswers(file), loose: new LooseTraces() };
}

function sourcesOf(
  { loose }: Kept,
  parts: readonly HeadPart[],
  pieces: readonly Piece[],
): TraceSources {
  const fail = (_block: OpenBlock, error: unknown): void => {
    throw error;
  };
  return new TraceSources(
    parts,
    pieces.map(({ block }) => block),
    fail,
    loose,
  );
}

function answersOf(
  kept: Kept,
  parts: readonly HeadPart[],
  pieces: readonly Piece[],
  checkCancelled = (): void => undefined,
): { dependencies: Dependency[]; metrics: SpanMetrics[] } {
  const { derived } = kept;
  const sources = sourcesOf(kept, parts, pieces);
  const dependencies = derived.edges(sources, RANGE, checkCancelled);
  const metrics = new SpanMetricsSum(METRICS);
  for (const spans of derived.spans(sources, checkCancelled)) metrics.add(spans);
  return { dependencies: dependencies.dependencies(), metrics: [...metrics.metrics()] };
}

/** Plain counting. */
function plainAnswers(spans: readonly Span[]): ReturnType<typeof answersOf> {
  const oracle = new TraceOracle();
  oracle.write(DEFAULT_TENANT, spans);
  return {
    dependencies: oracle.getDependencies(DEFAULT_TENANT, RANGE),
    metrics: oracle.getSpanMetrics(DEFAULT_TENANT, METRICS),
  };
}

/** Spans without their copies. */
function distinct(spans: readonly Span[]): number {
  return new Set(spans.map((one) => fc.stringify(one))).size;
}

/** Lists of spans that share their traces. */
function spanLists(lists: number, seed = 1): Span[][] {
  const spans = fc.sample(arbitraryCallSpan, { numRuns: lists * 20, seed });
  return Array.from({ length: lists }, (_, i) => spans.slice(i * 20, i * 20 + 20));
}

/** Fails where somebody looks for traces that are in several blocks. */
class UnaskedLooseTraces extends LooseTraces {
  override prepare(): void {
    assert.fail('traces of several blocks were looked for');
  }
}

test('calls and rates are those of the spans that are there, whatever was cut, sent again, merged or dropped', () =>
  withDirectory(async (dir) => {
    let blocks = 0;
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const file = join(dir, `${++runs}.overlaps`);
        let kept = nothingKept(file);
        let pieces: Piece[] = [];
        const head: Part[] = [];
        const sealed = new Set<HeadPart>();
        const written: (readonly Span[])[] = [];
        const write = (spans: readonly Span[]): void => {
          if (head.length === 0) head.push({ part: new HeadPart(), spans: [] });
          const last = head.at(-1)!;
          last.part.add(new HeadBatch(batchOf(spans)));
          last.spans.push(...spans);
          written.push(spans);
        };
        const check = (): void => {
          const inBlocks = pieces.flatMap((piece) => piece.spans);
          const spans = [...inBlocks, ...head.flatMap((part) => part.spans)];
          const parts = head.map(({ part }) => part);
          assert.deepEqual(answersOf(kept, parts, pieces), plainAnswers(spans));
          const sources = sourcesOf(kept, parts, pieces);
          const rows = kept.derived
            .headRows(sources, () => undefined)
            .map((one) => one.rows.length);
          assert.equal(
            rows.reduce((sum, count) => sum + count, 0),
            distinct(spans) - distinct(inBlocks),
          );
        };
        const addBlock = (spans: readonly Span[], id = ++blocks): void => {
          pieces.push(pieceOf(dir, id, spans));
        };
        try {
          for (const one of steps) {
            if (one.do === 'write') write(one.spans);
            else if (one.do === 'resend') {
              if (written.length > 0) write(written[one.pick % written.length]!);
            } else if (one.do === 'drop') {
              if (pieces.length > 0) pieces.splice(one.pick % pieces.length, 1)[0]!.reader.close();
            } else if (one.do === 'restart') {
              kept = nothingKept(file);
            } else if (one.do === 'prepare') {
              kept.derived.prepare(sourcesOf(kept, [], pieces), () => undefined);
            } else if (one.do === 'forget') {
              kept.derived.forget(sealed);
            } else if (one.do === 'seal') {
              if ((head[0]?.spans.length ?? 0) > 0) addBlock(head[0]!.spans);
              // A question may see both.
              if (blocks % 2 === 0) check();
              const part = head.shift()?.part;
              if (part !== undefined) sealed.add(part);
              // Then the next question is the first without it.
              if (blocks % 3 === 0) kept.derived.forget(sealed);
            } else if (one.do === 'open') {
              if (head.at(-1)?.spans.length !== 0) head.push({ part: new HeadPart(), spans: [] });
            } else if (one.do === 'stop') {
              let calls = 0;
              const parts = head.map(({ part }) => part);
              try {
                answersOf(kept, parts, pieces, () => {
                  if (calls++ === one.at) throw STOP;
                });
              } catch (error) {
                assert.equal(error, STOP);
              }
              continue;
            } else if (pieces.length > 1) {
              const [first, second, ...rest] = pieces.sort((a, b) => a.block.id - b.block.id);
              pieces = rest;
              // Its id was taken when the merge began: later blocks may have been there before it.
              const id = (first!.block.id + second!.block.id) / 2;
              addBlock([...first!.spans, ...second!.spans], id);
              first!.reader.close();
              second!.reader.close();
            }
            check();
          }
        } finally {
          for (const { reader } of pieces) reader.close();
        }
      }),
      { numRuns: 60 },
    );
  }));

test('what was counted before a start is not counted again after it, also when blocks went that shared nothing', () =>
  withDirectory((dir) => {
    const file = join(dir, 'overlaps');
    const lists = spanLists(3);
    const apart = lists[0]!.map((span) => ({ ...span, traceId: traceId(99) }));
    const pieces = [apart, ...lists].map((spans, i) => pieceOf(dir, i + 1, spans));
    try {
      const before = nothingKept(file);
      before.derived.prepare(sourcesOf(before, [], pieces), () => undefined);
      for (const present of [pieces, pieces.slice(1)]) {
        const kept = { ...nothingKept(file), loose: new UnaskedLooseTraces() };
        assert.deepEqual(
          answersOf(kept, [], present),
          plainAnswers(present.flatMap(({ spans }) => spans)),
        );
      }
    } finally {
      for (const { reader } of pieces) reader.close();
    }
  }));

test('what was counted of a block is not taken for that of another one with its id', () =>
  withDirectory((dir) => {
    const file = join(dir, 'overlaps');
    const [first, second, third, other] = spanLists(4) as [Span[], Span[], Span[], Span[]];
    const ids = [1, 2, 3];
    for (const replaced of ids) {
      const lists = [first, second, third];
      const pieces = lists.map((spans, i) => pieceOf(dir, ids[i]!, spans));
      const before = nothingKept(file);
      before.derived.prepare(sourcesOf(before, [], pieces), () => undefined);
      pieces[replaced - 1]!.reader.close();
      pieces[replaced - 1] = pieceOf(dir, replaced, other);
      assert.deepEqual(
        answersOf(nothingKept(file), [], pieces),
        plainAnswers(pieces.flatMap(({ spans }) => spans)),
      );
      for (const { reader } of pieces) reader.close();
    }
  }));

test('what a block changed in traces of one that is gone is counted anew', () =>
  withDirectory((dir) => {
    const file = join(dir, 'overlaps');
    const pieces = spanLists(3).map((spans, i) => pieceOf(dir, i + 1, spans));
    try {
      for (const gone of pieces) {
        const running = nothingKept(file);
        running.derived.prepare(sourcesOf(running, [], pieces), () => undefined);
        const present = pieces.filter((piece) => piece !== gone);
        const expected = plainAnswers(present.flatMap(({ spans }) => spans));
        for (const kept of [running, nothingKept(file)]) {
          assert.deepEqual(answersOf(kept, [], present), expected);
        }
      }
    } finally {
      for (const { reader } of pieces) reader.close();
    }
  }));

test('to prepare leaves what questions know of the head and of shared traces as it is', () =>
  withDirectory((dir) => {
    const spans = spanLists(3);
    const pieces = spans.slice(0, 2).map((list, i) => pieceOf(dir, i + 1, list));
    try {
      const kept = nothingKept(join(dir, 'overlaps'));
      const head = [new HeadBatch(batchOf(spans[2]!))];
      kept.loose.update(
        head,
        pieces.map(({ reader }) => reader),
        () => undefined,
      );
      const state = (): unknown =>
        [...kept.loose.values()].map(({ id, blocks, head, maxSpans }) => [
          id,
          blocks.map(({ trace }) => trace),
          head.map(({ trace }) => trace),
          maxSpans,
        ]);
      const known = state();
      assert.notDeepEqual(known, []);
      kept.derived.prepare(sourcesOf(kept, [], pieces), () => undefined);
      assert.deepEqual(state(), known);
    } finally {
      for (const { reader } of pieces) reader.close();
    }
  }));

test('a part of the head that is gone is forgotten, and so is what was counted after it; what came before it stays', () => {
  const kept: Kept = { derived: new DerivedAnswers(), loose: new LooseTraces() };
  const parts = [1, 2, 3].map((id) => {
    const [spans] = spanLists(1, id) as [Span[]];
    const own = spans.map((span) => ({ ...span, traceId: traceId(id) }));
    return HeadPart.of([new HeadBatch(batchOf(own))]);
  }) as [HeadPart, HeadPart, HeadPart];
  /** Of each part it is asked once whether to go on when it is counted. */
  const counted = (): number => {
    let calls = 0;
    kept.derived.headRows(sourcesOf(kept, parts, []), () => void calls++);
    return calls;
  };
  assert.equal(counted(), 3);
  assert.equal(counted(), 0);
  for (const [gone, expected] of [
    [parts[0], 3],
    [parts[1], 2],
    [parts[2], 1],
    [new HeadPart(), 0],
  ] as const) {
    kept.derived.forget(new Set([gone]));
    assert.equal(counted(), expected);
  }
});

test('without room nothing is written, and with it what was counted before', () =>
  withDirectory((dir) => {
    const file = join(dir, 'overlaps');
    const pieces = spanLists(2).map((spans, i) => pieceOf(dir, i + 1, spans));
    try {
      const kept = nothingKept(file);
      for (const hasRoom of [false, true]) {
        kept.derived.prepare(sourcesOf(kept, [], pieces), () => undefined, hasRoom);
        assert.equal(existsSync(file), hasRoom);
      }
    } finally {
      for (const { reader } of pieces) reader.close();
    }
  }));

test('what is stopped in the middle of a block goes on there, so that it ends also when it is stopped again and again', () =>
  withDirectory((dir) => {
    const spans = shopSpans(6000, 300);
    const pieces = [0, 1].map((part) =>
      pieceOf(
        dir,
        part + 1,
        spans.filter((_, i) => i % 2 === part),
      ),
    );
    try {
      const kept = nothingKept(join(dir, 'overlaps'));
      let stops = 0;
      for (let isDone = false; !isDone;) {
        let calls = 0;
        try {
          kept.derived.prepare(sourcesOf(kept, [], pieces), () => {
            if (calls++ === STOPPED_AFTER) throw STOP;
          });
          isDone = true;
        } catch (error) {
          assert.equal(error, STOP);
          stops++;
        }
        assert.ok(stops < 10);
      }
      assert.ok(stops > 0);
      assert.deepEqual(answersOf(kept, [], pieces), plainAnswers(spans));
    } finally {
      for (const { reader } of pieces) reader.close();
    }
  }));
