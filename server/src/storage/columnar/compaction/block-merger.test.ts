// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import { placedValues } from '@spoor/core/analysis/placed-values.ts';
import { arbitraryCallSpan } from '@spoor/core/analysis/testing/arbitrary-call-span.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitraryPredicate } from '@spoor/core/query/testing/arbitrary-predicate.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { meets } from '@spoor/core/query/testing/naive-predicate.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import { oddSpans } from '#storage/testing/odd-spans.ts';
import { BlockReader } from '../block/block-reader.ts';
import { DerivedSection } from '../block/derived-section.ts';
import { blockEdges, blockSpans } from '../derived/block-counts.ts';
import { assertHolds } from '../testing/block-content.ts';
import { blockCache, blockFile, shopSpans } from '../testing/block-fixture.ts';
import { valuesOf } from '../testing/symbol-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import { mergeBlocks, type MergeResult } from './block-merger.ts';
import { remainderOf, type SpanSelection } from './span-selection.ts';

let nextFile = 0;

/** Makes a block of each list, merges them, and lets `use` read the result. */
function withMerged(
  dir: string,
  lists: readonly (readonly Span[])[],
  without: SpanSelection | undefined,
  use: (reader: BlockReader, result: MergeResult) => void,
): void {
  const open: BlockReader[] = [];
  const openFile = (file: Uint8Array): BlockReader => {
    const id = nextFile++;
    const path = join(dir, `${id}.block`);
    writeFileSync(path, file);
    const reader = new BlockReader(path, id, blockCache());
    open.push(reader);
    return reader;
  };
  try {
    const inputs = lists.map((spans) => {
      const reader = openFile(blockFile([batchOf(spans)]));
      if (without === undefined) return { reader };
      const { kept } = remainderOf(reader, without);
      return { reader, kept: (group: number) => kept[group] };
    });
    const pieces: Uint8Array[] = [];
    const result = mergeBlocks(inputs, (parts) => {
      for (const part of parts) pieces.push(part);
    });
    const file = Buffer.concat(pieces);
    assert.equal(file.length, result.bytes);
    use(openFile(file), result);
  } finally {
    for (const reader of open) reader.close();
  }
}

function checkMerge(dir: string, lists: readonly (readonly Span[])[]): void {
  withMerged(dir, lists, undefined, (reader, result) => {
    assertHolds(reader, lists.map(batchOf));
    assert.equal(result.rows, reader.footer.rows);
    assert.equal(result.traces, reader.footer.traces);
    assert.equal(result.minStartUnixNano, reader.minStartUnixNano);
    assert.equal(result.maxStartUnixNano, reader.maxStartUnixNano);
    assertCounts(reader);
  });
}

/** Checks that a block counts calls and spans as its rows do. */
function assertCounts(reader: BlockReader): void {
  const counted = new DerivedSection();
  for (let g = 0; g < reader.footer.groups.length; g++) {
    const columns = reader.group(g);
    const rows = Uint32Array.from({ length: columns.rows }, (_, row) => row);
    const { traceStarts } = columns;
    counted.add({ columns, values: placedValues(columns), rows, traceStarts });
  }
  assert.deepEqual(edgeCells(blockEdges(reader)), edgeCells(counted.edges()));
  assert.deepEqual(spanCells(blockSpans(reader)), spanCells(counted.spans()));
}

function edgeCells({ texts, keys, table }: CountedEdges): string[] {
  return cellsOf(table, (key) => {
    const { caller, callee, ...rest } = keys[key]!;
    return { caller: texts[caller], callee: texts[callee], ...rest };
  });
}

function spanCells({ textOf, keys, table }: CountedSpans): string[] {
  return cellsOf(table, (key) => {
    const { service, operation, ...rest } = keys[key]!;
    return { service: textOf(service), operation: textOf(operation), ...rest };
  });
}

/** One text for each count. */
function cellsOf(table: MinuteTable, nameOf: (key: number) => object): string[] {
  const cells: string[] = [];
  for (let s = 0; s < table.key.length; s++) {
    for (let i = table.start[s]!; i < table.start[s + 1]!; i++) {
      const minute = table.minutes[table.minute[s]!];
      const [bucket, count] = [table.bucket[i], table.count[i]];
      cells.push(JSON.stringify({ ...nameOf(table.key[s]!), minute, bucket, count }));
    }
  }
  return cells.sort();
}

const spanLists = fc
  .array(fc.array(arbitrarySpan, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 })
  .chain((lists) =>
    // Some are in several blocks.
    fc
      .array(fc.nat(), { maxLength: 5 })
      .map((picks) => [
        ...lists,
        [...picks.map((n) => lists.flat()[n % lists.flat().length]!), lists[0]![0]!],
      ]),
  );

test('merged blocks hold every span of theirs once, in order, every bit of it', () =>
  withDirectory((dir) => {
    fc.assert(
      fc.property(spanLists, (lists) => checkMerge(dir, lists)),
      { numRuns: 40 },
    );
  }));

test('a merged block counts calls as all spans of its traces make them, copies once', () =>
  withDirectory((dir) => {
    const lists = fc.array(fc.array(arbitraryCallSpan, { minLength: 1, maxLength: 8 }), {
      minLength: 2,
      maxLength: 4,
    });
    fc.assert(
      fc.property(lists, (spans) => {
        withMerged(dir, [...spans, spans.flat()], undefined, assertCounts);
        withMerged(dir, spans, undefined, assertCounts);
      }),
      { numRuns: 30 },
    );
  }));

test('what is most easily lost is there after a merge', () =>
  withDirectory((dir) =>
    checkMerge(dir, [oddSpans().slice(2), oddSpans(), oddSpans().slice(0, 3)]),
  ));

test('traces that lie in many blocks, in large groups, come together', () =>
  withDirectory((dir) => {
    const spans = shopSpans(9000, 300);
    const lists = [spans.slice(0, 3000), spans.slice(3000, 6000), spans.slice(6000)];
    withMerged(dir, lists, undefined, (reader, { copies }) => {
      assert.equal(copies, 0);
      assertHolds(reader, lists.map(batchOf));
      assert.ok(reader.footer.groups.length > 1);
      const pages = [...reader.footer.columns].map((column) => column.pages?.length);
      assert.ok(pages.some((count) => count !== undefined && count > 1));
      assert.ok(pages.includes(undefined), 'no plain column');
    });
  }));

test('a column that is plain in one block and has a dictionary in another is found in both', () =>
  withDirectory((dir) => {
    const list = (first: number, distinct: number): Span[] =>
      Array.from({ length: 1500 }, (_, i) =>
        span({
          traceId: traceId(first + (i >> 3)),
          spanId: spanId(i + 1),
          attributes: attributes({ user: `user ${first + (i % distinct)}` }),
        }),
      );
    const lists = [list(1000, 1500), list(2000, 20)];
    withMerged(dir, lists, undefined, (reader) => {
      assertHolds(reader, lists.map(batchOf));
      const isPlain = new Set([...reader.footer.columns].map(({ pages }) => pages === undefined));
      assert.equal(reader.footer.columns.length, 2);
      assert.equal(isPlain.size, 2);
    });
  }));

test('what is left out is gone, and with it every value, name and key that only it had', () =>
  withDirectory((dir) => {
    fc.assert(
      fc.property(spanLists, arbitraryPredicate, (lists, where) => {
        const rest = lists.map((spans) => spans.filter((one) => !meets(one, where)));
        fc.pre(rest.some((spans) => spans.length > 0));
        withMerged(dir, lists, { where }, (reader) => {
          assertHolds(reader, rest.filter((spans) => spans.length > 0).map(batchOf));
          // As if the spans that are gone had never been there.
          withMerged(dir, [rest.flat()], undefined, (clean) => {
            for (const what of ['names', 'resources', 'scopes', 'eventNames', 'keys'] as const) {
              assert.deepEqual(symbols(reader, what), symbols(clean, what));
            }
            assert.equal(reader.footer.shapes.count, clean.footer.shapes.count);
            assert.deepEqual(dictionaries(reader), dictionaries(clean));
          });
        });
      }),
      { numRuns: 40 },
    );
  }));

function symbols(
  reader: BlockReader,
  what: 'names' | 'resources' | 'scopes' | 'eventNames' | 'keys',
) {
  return valuesOf(reader.table(reader.footer[what]))
    .map((value) => Buffer.from(value).toString('latin1'))
    .sort();
}

function dictionaries(reader: BlockReader): string[] {
  const keys = valuesOf(reader.table(reader.footer.keys)).map((key) => Buffer.from(key).toString());
  return [...reader.footer.columns]
    .map(({ level, type, key }, c) => {
      const values = valuesOf(reader.dictionary(c).table).map((value) =>
        Buffer.from(value).toHex(),
      );
      return `${keys[key]} ${level} ${type}: ${values.join()}`;
    })
    .sort();
}
