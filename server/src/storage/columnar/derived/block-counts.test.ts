// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import { DependencySum } from '#storage/dependency-sum.ts';
import { SpanMetricsSum } from '#storage/span-metrics-sum.ts';
import { BlockReader } from '../block/block-reader.ts';
import { blockCache, blockFile, changeFooter, shopSpans } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { blockEdges, blockSpans } from './block-counts.ts';

const RANGE = { fromMinute: 0, toMinute: 2 ** 32 };

function summed(edges: CountedEdges, spans: CountedSpans): unknown {
  const dependencies = new DependencySum(RANGE);
  dependencies.add(edges);
  const services = [
    'shop',
    'cart',
    'bank',
    '商店',
    '',
    ...Array.from({ length: 7 }, (_, i) => `service ${i}`),
  ];
  const metrics = new SpanMetricsSum({
    ...RANGE,
    services,
    kinds: [0, 1, 2, 3, 4, 5],
    byOperation: true,
  });
  metrics.add(spans);
  return [dependencies.dependencies(), [...metrics.metrics()]];
}

test('what a block stores is what its rows count, as is read of blocks that store nothing', () =>
  withDirectory((dir) => {
    const path = join(dir, 'a.block');
    const countsIn = (file: Buffer): unknown => {
      writeFileSync(path, file);
      const reader = new BlockReader(path, 1, blockCache());
      try {
        return summed(blockEdges(reader), blockSpans(reader));
      } finally {
        reader.close();
      }
    };
    const check = (spans: Parameters<typeof batchOf>[0]): void => {
      const file = blockFile([batchOf(spans)]);
      const bare = changeFooter(file, ({ edges: _edges, red: _red, ...footer }) => footer);
      assert.deepEqual(countsIn(file), countsIn(bare));
    };
    const span = fc.oneof(arbitraryCallSpan, arbitrarySpan);
    fc.assert(fc.property(fc.array(span, { minLength: 1, maxLength: 20 }), check), { numRuns: 30 });
    check(shopSpans(9000, 900));
  }));
