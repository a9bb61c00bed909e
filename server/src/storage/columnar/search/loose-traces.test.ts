// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { type Span, StatusCode } from '@spoor/core/model/span.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { TRACE_ORDERS } from '@spoor/core/query/trace-query.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { BlockReader } from '../block/block-reader.ts';
import { encodeBlock } from '../sealing/block-writer.ts';
import { mergeBlocks } from '../compaction/block-merger.ts';
import { HeadBatch } from '../head/head-batch.ts';
import type { LooseTrace } from './loose-trace.ts';
import { LooseTraces } from './loose-traces.ts';
import { TraceRank } from './trace-rank.ts';
import { OpenFiles } from '../files/open-files.ts';
import { blockCache, shopSpans } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';

const spans = fc.array(arbitrarySpan, { minLength: 1, maxLength: 6 });

/** What happens to the head and the blocks of a tenant; places are by number. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), spans }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('seal' as const), batches: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'prepare' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'forget' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('merge' as const), first: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), place: fc.nat() }) },
  // Before the next question some are stopped, the first of them after so many steps.
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const), after: fc.nat(4) }) },
);

const STOPPED = new SpoorError('cancelled', 'stopped');

/** Stops what calls it at the given call. */
function stopper(at: number): () => void {
  let calls = 0;
  return () => {
    if (++calls === at) throw STOPPED;
  };
}

/** Blocks and batches that come and go as in a store. */
class Pieces {
  head: HeadBatch[] = [];
  /** What has left the head. */
  readonly sealed: HeadBatch[] = [];
  blocks: BlockReader[] = [];
  readonly #dir: string;
  readonly #files = new OpenFiles();
  #nextId = 1;

  constructor(dir: string) {
    this.#dir = dir;
  }

  write(some: readonly Span[]): void {
    this.head.push(new HeadBatch(batchOf(some)));
  }

  /** @param most batches; the others stay in the head */
  seal(most = Infinity): void {
    const earlier = this.blocks.map((reader) => ({
      minStart: -Infinity,
      maxStart: Infinity,
      filter: reader.filter,
      reader: () => reader,
      setAside: () => assert.fail('a block is damaged'),
    }));
    const batches = this.head.slice(0, most).map(({ batch }) => batch);
    this.sealed.push(...this.head.slice(0, most));
    this.head = this.head.slice(most);
    if (batches.length === 0) return;
    const block = encodeBlock(batches, { blocks: earlier, isComplete: true });
    if (block !== undefined) this.blocks.push(this.#open(block.parts));
  }

  merge(first: number): void {
    if (this.blocks.length < 2) return;
    const sources = this.blocks.splice(first % (this.blocks.length - 1), 2);
    const pieces: Uint8Array[] = [];
    mergeBlocks(
      sources.map((reader) => ({ reader })),
      (parts) => void pieces.push(...parts),
    );
    this.blocks.push(this.#open(pieces));
  }

  close(): void {
    for (let id = 1; id < this.#nextId; id++) this.#files.close(join(this.#dir, `${id}.block`));
  }

  drop(place: number): void {
    if (this.blocks.length > 0) this.blocks.splice(place % this.blocks.length, 1);
  }

  #open(parts: readonly Uint8Array[]): BlockReader {
    const id = this.#nextId++;
    const path = join(this.#dir, `${id}.block`);
    writeFileSync(path, Buffer.concat(parts));
    return new BlockReader(path, id, blockCache(), this.#files);
  }
}

/** What the spans of a trace say of it, each as often as it is there. */
function numbersOf({ id, blocks, head }: LooseTrace): object {
  const parts = [
    ...blocks.map(({ reader, trace }) => reader.part(trace)),
    ...head.map(({ head: { batch, traces }, trace }) => ({
      columns: batch,
      rows: traces.rowsOf(trace),
    })),
  ];
  const spans = parts.flatMap(({ columns, rows }) => {
    const reader = new SpanReader(columns);
    return Array.from(rows, (row) => reader.read(row));
  });
  for (const { traceId } of spans) assert.equal(traceId, id);
  const starts = spans.map(({ startTimeUnixNano }) => startTimeUnixNano);
  const ends = spans.map(({ endTimeUnixNano }) => endTimeUnixNano);
  const start = starts.reduce((least, one) => (one < least ? one : least));
  const end = ends.reduce((most, one) => (one > most ? one : most));
  const errors = spans.filter(({ status }) => status?.code === StatusCode.error).length;
  return {
    start,
    end,
    roughStart: Number(start),
    duration: Number(end - start),
    spans: spans.length,
    errors,
  };
}

/** All that is known of the traces that are not in a single block. */
function stateOf(loose: LooseTraces, { head, blocks }: Pieces): unknown {
  const traces = [...loose.values()].map((trace) => ({
    id: trace.id,
    blocks: trace.blocks.map((part) => `${blocks.indexOf(part.reader)}:${part.trace}`).sort(),
    head: trace.head.map((part) => `${head.indexOf(part.head)}:${part.trace}`).sort(),
    start: trace.startTimeUnixNano,
    end: trace.endTimeUnixNano,
    longest: trace.longest,
    spans: [trace.minSpans, trace.maxSpans],
    errors: [trace.minErrors, trace.maxErrors],
    facts: trace.facts === undefined ? undefined : { ...trace.facts },
  }));
  for (const trace of loose.values()) {
    assert.deepEqual(
      {
        start: trace.startTimeUnixNano,
        end: trace.endTimeUnixNano,
        roughStart: trace.roughStart,
        duration: trace.maxDuration,
        spans: trace.maxSpans,
        errors: trace.maxErrors,
      },
      numbersOf(trace),
    );
  }
  const numbers = [...loose.pages.values()].flatMap((page) => [...page.numbers]);
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    [...loose.values()].map(({ number }) => number),
  );
  for (const page of loose.pages.values()) {
    const traces = [...page.traces()];
    const isInHead = traces.some((trace) => trace.head.length > 0);
    assert.equal(page.isInHead, isInHead);
    const readers = traces.flatMap((trace) => trace.blocks.map(({ reader }) => reader));
    assert.deepEqual(page.readers, new Set(readers));
    for (const order of TRACE_ORDERS) {
      const rank = new TraceRank(order);
      const bound = page.bound(rank);
      for (const trace of traces) assert.ok(rank.ofKey(rank.keyOf(trace)) <= bound);
    }
  }
  return {
    traces: traces.sort((a, b) => (a.id < b.id ? -1 : 1)),
    masks: blocks.map((reader) => [...loose.looseOf(reader)]),
  };
}

test('what is kept from question to question is what a first question would find, whatever came and went', () =>
  withDirectory((dir) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 14 }), fc.nat(4), (steps, pause) => {
        const pieces = new Pieces(dir);
        const kept = new LooseTraces();
        let stopAfter = 0;
        steps.forEach((one, i) => {
          if (one.do === 'stop') {
            stopAfter = one.after;
            return;
          }
          if (one.do === 'prepare') {
            kept.prepare(pieces.blocks, () => {});
            return;
          }
          if (one.do === 'forget') {
            kept.forget(new Set(pieces.sealed));
            for (const { blocks, head } of kept.values()) {
              assert.ok(blocks.length + head.length > 0);
              for (const part of head) assert.ok(!pieces.sealed.includes(part.head));
            }
            return;
          }
          if (one.do === 'write') pieces.write(one.spans);
          else if (one.do === 'seal') pieces.seal(1 + one.batches);
          else if (one.do === 'merge') pieces.merge(one.first);
          else pieces.drop(one.place);
          // Questions do not come after each step.
          if (i % (pause + 1) !== 0) return;
          for (; stopAfter > 0; stopAfter--) {
            const stop = stopper(stopAfter);
            try {
              if (stopAfter % 2 === 0) kept.update(pieces.head, pieces.blocks, stop);
              else kept.prepare(pieces.blocks, stop);
            } catch (error) {
              assert.equal(error, STOPPED);
            }
          }
          kept.update(pieces.head, pieces.blocks, () => {});
          const fresh = new LooseTraces();
          fresh.update(pieces.head, pieces.blocks, () => {});
          assert.deepEqual(stateOf(kept, pieces), stateOf(fresh, pieces));
        });
        pieces.close();
      }),
      { numRuns: 100 },
    );
  }));

test('a merge after batches of the head were let go of is taken over before the next question that looks at the head', () =>
  withDirectory((dir) => {
    const pieces = new Pieces(dir);
    const list = shopSpans(60, 3);
    const write = (part: number): void => pieces.write(list.filter((_, i) => i % 3 === part));
    write(0);
    pieces.seal();
    write(1);
    pieces.seal();
    write(2);
    const kept = new LooseTraces();
    kept.update(pieces.head, pieces.blocks, () => {});
    pieces.seal();
    kept.forget(new Set(pieces.sealed));
    pieces.merge(0);
    kept.prepare(pieces.blocks, () => {});
    kept.update(pieces.head, pieces.blocks, () => {});
    const fresh = new LooseTraces();
    fresh.update(pieces.head, pieces.blocks, () => {});
    assert.deepEqual(stateOf(kept, pieces), stateOf(fresh, pieces));
    pieces.close();
  }));

test('what is stopped goes on there, so that it ends also when it is stopped again and again', () =>
  withDirectory((dir) => {
    const pieces = new Pieces(dir);
    const list = shopSpans(6000, 300);
    for (const part of [0, 1, 2]) {
      pieces.write(list.filter((_, i) => i % 3 === part));
      pieces.seal();
    }
    const kept = new LooseTraces();
    let stops = 0;
    for (let isDone = false; !isDone;) {
      try {
        // The first step of each is new.
        kept.prepare(pieces.blocks, stopper(2));
        isDone = true;
      } catch (error) {
        assert.equal(error, STOPPED);
        stops++;
      }
    }
    assert.ok(stops > 0);
    const fresh = new LooseTraces();
    fresh.update([], pieces.blocks, () => {});
    assert.ok(fresh.values().next().done === false);
    assert.deepEqual(stateOf(kept, pieces), stateOf(fresh, pieces));
    pieces.close();
  }));
