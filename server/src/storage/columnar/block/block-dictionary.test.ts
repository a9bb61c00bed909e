// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';
import { attributes, span, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { mergeBlocks } from '../compaction/block-merger.ts';
import { blockCache, blockFile, withBlock } from '../testing/block-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import type { BlockDictionary } from './block-dictionary.ts';
import { BlockReader } from './block-reader.ts';
import { frameRuns } from './frame-runs.ts';

/** Spans with large dictionaries of texts, of texts of 8 bytes each, and of ints; each value stands in two of them. */
function someSpans(count: number) {
  return Array.from({ length: count }, (_, i) => {
    const n = i >> 1;
    const values = {
      query: `${'select é from '.repeat(n % 13)}table ${(n * 7919) % 10_007} ${n % 3 === 0 ? '😀' : ''}`,
      code: String(10_000_000 + n * 31),
      number: BigInt(n) * 1_000_003n,
    };
    return span({ traceId: traceId(1 + (i % 9)), attributes: attributes(values) });
  });
}

function dictionariesOf(reader: BlockReader): BlockDictionary[] {
  return [...reader.footer.columns].flatMap(({ pages }, id) =>
    (pages?.length ?? 0) > 1 ? [reader.dictionary(id)] : [],
  );
}

test('the entries with some bytes in them are found, and no others', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf(someSpans(12_000))], (reader) => {
      const dictionaries = dictionariesOf(reader);
      assert.ok(dictionaries.length >= 3);
      for (const dictionary of dictionaries) {
        const { table, count } = dictionary;
        const values = Array.from({ length: count }, (_, i) => Buffer.from(symbolBytes(table, i)));
        const all = Buffer.from(table.bytes);
        const part = fc.oneof(
          // Of the bytes one after the other, so that many a part begins in one entry and ends in the next.
          fc
            .tuple(fc.nat(all.length - 12), fc.integer({ min: 1, max: 12 }))
            .map(([at, length]) => all.subarray(at, at + length)),
          fc.uint8Array({ minLength: 1, maxLength: 3 }),
          fc.constantFrom('table 7', '😀', 'no such text').map((text) => Buffer.from(text)),
        );
        fc.assert(
          fc.property(part, (bytes) => {
            const found = dictionary
              .pagesWith(bytes)
              .flatMap(({ first, table: page, entries }) =>
                entries.map((entry) => {
                  assert.deepEqual(Buffer.from(symbolBytes(page, entry)), values[first + entry]);
                  return first + entry;
                }),
              )
              .toArray();
            assert.deepEqual(
              found,
              [...values.keys()].filter((entry) => values[entry]!.includes(bytes)),
            );
          }),
          { numRuns: 40 },
        );
      }
    }),
  ));

test('a large dictionary of texts tells what none of them has inside, whatever the case, also once blocks are merged', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf(someSpans(14_000))], (reader) => {
      const parts: Uint8Array[] = [];
      mergeBlocks([{ reader }], (written) => parts.push(...written.map((part) => part.slice())));
      const path = join(dir, 'merged.block');
      writeFileSync(path, Buffer.concat(parts));
      const merged = new BlockReader(path, 9, blockCache());
      const mayHave = (dictionary: BlockDictionary, ...texts: string[]): boolean =>
        dictionary.mayHaveInside(texts.map((text) => Buffer.from(text)));
      for (const one of [reader, merged]) {
        assert.equal(one.footer.grams!.length, 1);
        const texts = one.dictionary(one.footer.grams![0]!.column);
        assert.ok(texts.table.bytes.length > 4 * 32_768);
        assert.ok(mayHave(texts, 'SELECT É'.toLowerCase(), 'Table 7'));
        assert.ok(mayHave(texts, 'no'));
        assert.equal(mayHave(texts, 'select', 'tables'), false);
        assert.equal(mayHave(texts, 'DELETE'), false);
        // The others are small, or hold numbers.
        for (const dictionary of dictionariesOf(one)) {
          if (dictionary !== texts) assert.ok(mayHave(dictionary, 'DELETE'));
        }
      }
      assert.deepEqual(
        reader.gramsOf(reader.footer.grams![0]!.column),
        merged.gramsOf(merged.footer.grams![0]!.column),
      );
      // As a block of an earlier build.
      const { column } = merged.footer.grams![0]!;
      Object.assign(merged.footer, { grams: undefined });
      assert.ok(mayHave(merged.dictionary(column), 'DELETE'));
      merged.close();
    }),
  ));

test('pages are read many at a time, and damage in one of them is found', () =>
  withDirectory((dir) => {
    const path = join(dir, 'a.block');
    const file = blockFile([batchOf(someSpans(12_000))]);
    writeFileSync(path, file);
    const reader = new BlockReader(path, 1, blockCache());
    const { footer } = reader;
    const pages = [...footer.columns].flatMap((column) => column.pages ?? []);
    const runs = [
      ...frameRuns(
        footer,
        pages.map(({ chunk }) => chunk),
      ),
    ];
    assert.equal(
      runs.reduce((next, { first, end }) => (assert.equal(first, next), end), 0),
      pages.length,
    );
    const { first, end } = runs.find((run) => run.end - run.first > 2)!;
    reader.close();
    for (const page of [first, first + 1, end - 1]) {
      const frame = pages[page]!.chunk[0];
      const damaged = Buffer.from(file);
      damaged[footer.frames[frame * 4]! + 5]! ^= 1;
      writeFileSync(path, damaged);
      const again = new BlockReader(path, 2, blockCache());
      assert.throws(
        () => dictionariesOf(again).forEach((dictionary) => dictionary.pages().toArray()),
        (error) =>
          error instanceof SpoorError &&
          error.code === 'corrupt' &&
          error.message.includes(`checksum of frame ${frame} is wrong`),
      );
      again.close();
    }
  }));
