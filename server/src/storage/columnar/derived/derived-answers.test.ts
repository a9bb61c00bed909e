// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { DependencySum, SpanMetricsSum } from '#storage/counted.ts';
import { TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { Dependency, SpanMetrics } from '#storage/tracestore.ts';
import { BlockReader } from '../block/block-reader.ts';
import { encodeBlock } from '../sealing/block-writer.ts';
import { LooseTraces } from '../search/loose-traces.ts';
import { blockCache } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { HeadBatch } from '../head/head-batch.ts';
import { type OpenBlock, TraceSources } from '../search/trace-sources.ts';
import { DerivedAnswers } from './derived-answers.ts';

const RANGE = { fromMinute: 0, toMinute: 2 ** 32 };
const METRICS = {
  ...RANGE,
  services: ['shop', 'cart', 'bank', ''],
  kinds: [0, 1, 2, 3, 4, 5],
  byOperation: true,
};

/** What happens to a store; numbers pick among what there is. */
type Step =
  | { readonly do: 'write'; readonly spans: readonly Span[] }
  | { readonly do: 'resend' | 'drop'; readonly pick: number }
  | { readonly do: 'seal' | 'merge' | 'restart' };

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
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'seal' }) },
  fc.constantFrom<Step>({ do: 'merge' }, { do: 'restart' }),
);

/** A block with the spans that are in it. */
interface Piece {
  readonly block: OpenBlock;
  readonly reader: BlockReader;
  readonly spans: readonly Span[];
}

/** What is kept from question to question. */
interface Kept {
  readonly derived: DerivedAnswers;
  readonly loose: LooseTraces;
}

function nothingKept(): Kept {
  return { derived: new DerivedAnswers(), loose: new LooseTraces() };
}

function answersOf(
  { derived, loose }: Kept,
  head: readonly HeadBatch[],
  pieces: readonly Piece[],
): { dependencies: Dependency[]; metrics: SpanMetrics[] } {
  const blocks = pieces.map(({ block }) => block);
  const fail = (_block: OpenBlock, error: unknown): void => {
    throw error;
  };
  const sources = new TraceSources(head, blocks, fail, loose);
  const dependencies = new DependencySum(RANGE);
  for (const edges of derived.edges(sources, () => undefined)) dependencies.add(edges);
  const metrics = new SpanMetricsSum(METRICS);
  for (const spans of derived.spans(sources, () => undefined)) metrics.add(spans);
  return { dependencies: dependencies.dependencies(), metrics: metrics.metrics() };
}

test('calls and rates are those of the spans that are there, whatever was cut, sent again, merged or dropped', () =>
  withDirectory(async (dir) => {
    let blocks = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        let kept = nothingKept();
        let pieces: Piece[] = [];
        let head: HeadBatch[] = [];
        let headSpans: Span[] = [];
        const written: (readonly Span[])[] = [];
        const write = (spans: readonly Span[]): void => {
          head.push(new HeadBatch(batchOf(spans)));
          headSpans.push(...spans);
          written.push(spans);
        };
        const addBlock = (spans: readonly Span[], id = ++blocks): void => {
          const path = join(dir, `${id}.block`);
          // Whether an older block has rows of a trace is not known, so copies stay, and all traces may be split.
          const { parts } = encodeBlock([batchOf(spans)], { blocks: [], isComplete: false })!;
          writeFileSync(path, Buffer.concat(parts));
          const reader = new BlockReader(path, id, blockCache());
          const block = { id, minStart: 0, maxStart: 0, reader: () => reader };
          pieces.push({ block, reader, spans });
        };
        try {
          for (const one of steps) {
            if (one.do === 'write') write(one.spans);
            else if (one.do === 'resend') {
              if (written.length > 0) write(written[one.pick % written.length]!);
            } else if (one.do === 'drop') {
              if (pieces.length > 0) pieces.splice(one.pick % pieces.length, 1)[0]!.reader.close();
            } else if (one.do === 'restart') {
              kept = nothingKept();
            } else if (one.do === 'seal') {
              if (headSpans.length > 0) addBlock(headSpans);
              [head, headSpans] = [[], []];
            } else if (pieces.length > 1) {
              const [first, second, ...rest] = pieces.sort((a, b) => a.block.id - b.block.id);
              pieces = rest;
              // Its id was taken when the merge began: later blocks may have been there before it.
              const id = (first!.block.id + second!.block.id) / 2;
              addBlock([...first!.spans, ...second!.spans], id);
              first!.reader.close();
              second!.reader.close();
            }
            const oracle = new TraceOracle();
            oracle.write(DEFAULT_TENANT, [...pieces.flatMap(({ spans }) => spans), ...headSpans]);
            assert.deepEqual(answersOf(kept, head, pieces), {
              dependencies: oracle.getDependencies(DEFAULT_TENANT, RANGE),
              metrics: oracle.getSpanMetrics(DEFAULT_TENANT, METRICS),
            });
          }
        } finally {
          for (const { reader } of pieces) reader.close();
        }
      }),
      { numRuns: 60 },
    );
  }));
