// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { NameCodes } from '@spoor/core/analysis/name-codes.ts';
import { PeerFinder } from '@spoor/core/analysis/peer-finder.ts';
import { placedValues } from '@spoor/core/analysis/placed-values.ts';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import { attributes, span } from '@spoor/core/query/testing/example-span.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { BlockReader } from '../block/block-reader.ts';
import { blockCache, blockFile, shopSpans, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { GatheredRows } from './gathered-rows.ts';

/** Compares some traces of a block as they are gathered with what slices of its groups say. */
function check(path: string, spans: readonly Span[], isTaken: (trace: number) => boolean): void {
  writeFileSync(path, blockFile([batchOf(spans)]));
  const reader = new BlockReader(path, 1, blockCache());
  try {
    if (!GatheredRows.canGather(reader)) return;
    const gathered = new GatheredRows(reader);
    const traces = Array.from({ length: reader.footer.traces }, (_, t) => t).filter(isTaken);
    const lists = traces.map((trace) => gathered.add(trace));
    const names = new NameCodes();
    const peers = new PeerFinder(gathered, gathered, names);
    traces.forEach((trace, t) => {
      const g = reader.groupOf(trace);
      const group = reader.group(g);
      const inGroup = trace - reader.firstTraces[g]!;
      const [start, end] = [group.traceStarts[inGroup]!, group.traceStarts[inGroup + 1]!];
      const slice = group.slice(start, end);
      const slicePeers = new PeerFinder(slice, placedValues(slice), names);
      assert.equal(lists[t]!.length, slice.rows);
      lists[t]!.forEach((row, i) => {
        const id = (bytes: Uint8Array, at: number): string =>
          bytes.subarray(at * 8, at * 8 + 8).toHex();
        assert.equal(id(gathered.spanId, row), id(slice.spanId, i));
        assert.equal(id(gathered.parentSpanId, row), id(slice.parentSpanId, i));
        for (const what of [
          'startLo',
          'startHi',
          'durationLo',
          'durationHi',
          'kind',
          'status',
          'name',
          'resource',
        ] as const) {
          assert.equal(gathered[what][row], slice[what][i], what);
        }
        assert.equal(gathered.shape[row], group.shape[start + i]);
        if (slice.kind[i] !== 3 && slice.kind[i] !== 4) return;
        peers.find(row);
        slicePeers.find(i);
        assert.deepEqual([peers.name, peers.kind], [slicePeers.name, slicePeers.kind]);
      });
    });
  } finally {
    reader.close();
  }
}

test('gathered rows of some traces are those of the block', () =>
  withDirectory((dir) => {
    const path = join(dir, 'a.block');
    const span = fc.oneof(arbitraryCallSpan, arbitrarySpan);
    fc.assert(
      fc.property(
        fc.array(span, { minLength: 1, maxLength: 20 }),
        fc.infiniteStream(fc.boolean()),
        (spans, taken) => check(path, spans, () => taken.next().value),
      ),
      { numRuns: 20 },
    );
    // Several groups, of which some have no trace that is taken.
    check(path, shopSpans(9000, 900), (trace) => trace % 37 === 3 && (trace < 200 || trace > 500));
  }));

test('of a block with very many columns only those that name peers are listed', () =>
  withDirectory((dir) => {
    const keys = Array.from({ length: 3000 }, (_, i) => [`key ${i}`, 'value'] as const);
    const list = attributes({ 'peer.service': 'other', ...Object.fromEntries(keys) });
    withBlock(dir, [batchOf([span({ attributes: list })])], (reader) => {
      const { columns } = new GatheredRows(reader);
      assert.ok(reader.footer.columns.length > 3000);
      assert.equal(Object.keys(columns).length, 1);
    });
  }));
