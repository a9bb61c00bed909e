// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_TENANT, formatTraceId, parseTenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { arbitrarySpan } from '@spoor/core/query/testing/arbitrary-span.ts';
import { attributes, span, spanId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { spanText } from '#storage/testing/trace-oracle.ts';
import { blockPath } from '../block/block-path.ts';
import { BlockReader } from '../block/block-reader.ts';
import { encodeBlock } from '../sealing/block-writer.ts';
import { KnownBlocks } from './known-blocks.ts';
import { blockCache, rowTexts, shopSpans } from '../testing/block-fixture.ts';
import { DISK_WORKER_FILES } from '../files/worker-files.ts';
import { withDirectory } from '../testing/temporary-directory.ts';

/** Blocks of one tenant in a directory, each written with what the ones before hold left out. */
class BlockDirectory {
  readonly known = new KnownBlocks(DISK_WORKER_FILES);
  readonly #dir: string;
  #nextId = 1;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Writes a block; undefined when nothing of it is new. */
  write(lists: readonly (readonly Span[])[]): number | undefined {
    const block = encodeBlock(lists.map(batchOf), this.known.of(DEFAULT_TENANT));
    if (block === undefined) return undefined;
    const id = this.#nextId++;
    const path = this.path(id);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.concat(block.parts));
    const { minStartUnixNano, maxStartUnixNano } = block;
    const info = { tenant: DEFAULT_TENANT, id, minStartUnixNano, maxStartUnixNano };
    this.known.change({ dir: this.#dir, added: [info], removed: [], unreadable: [] });
    return id;
  }

  path(id: number): string {
    return blockPath(this.#dir, DEFAULT_TENANT, id);
  }

  read(id: number): { texts: string[]; marks: Map<string, number> } {
    const reader = new BlockReader(this.path(id), id, blockCache());
    try {
      const groups = reader.footer.groups.map((_, g) => reader.group(g));
      const seen = reader.seenBefore();
      const ids = groups.flatMap(({ traces, traceIds }) =>
        Array.from({ length: traces }, (_, t) => formatTraceId(traceIds, t * 16)),
      );
      assert.equal(seen.length, ids.length);
      return {
        texts: groups.flatMap((group) => rowTexts(group)),
        marks: new Map(ids.map((trace, i) => [trace, seen[i]!])),
      };
    } finally {
      reader.close();
    }
  }
}

test('whatever comes again, each span is in one block, and a trace in two blocks is marked in the later one', async () => {
  const list = fc.array(arbitrarySpan, { minLength: 1, maxLength: 30 });
  const block = fc.record({
    fresh: fc.array(list, { maxLength: 3 }),
    again: fc.array(fc.nat(), { maxLength: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(block, { minLength: 2, maxLength: 5 }), (blocks) =>
      withDirectory((dir) => {
        const directory = new BlockDirectory(dir);
        const written: Span[] = [];
        const before = new Set<string>();
        const traces = new Set<string>();
        for (const { fresh, again } of blocks) {
          const copies = written.length === 0 ? [] : again.map((n) => written[n % written.length]!);
          const lists = [...fresh, copies].filter(({ length }) => length > 0);
          const texts = new Map(lists.flat().map((one) => [spanText(one), one]));
          const expected = [...texts].filter(([text]) => !before.has(text)).map(([, one]) => one);
          const id = directory.write(lists);
          assert.equal(id === undefined, expected.length === 0);
          if (id !== undefined) {
            const found = directory.read(id);
            assert.deepEqual(
              found.texts.toSorted(),
              expected.map((one) => rowTexts(batchOf([one]))[0]!).sort(),
            );
            for (const [trace, mark] of found.marks) {
              assert.equal(mark === 1, traces.has(trace), trace);
            }
          }
          for (const text of texts.keys()) before.add(text);
          for (const one of expected) traces.add(one.traceId);
          written.push(...lists.flat());
        }
      }),
    ),
    { numRuns: 20 },
  );
});

test('spans that come again in other batches and in another order are all left out', () =>
  withDirectory((dir) => {
    const spans = shopSpans(3000, 200);
    const directory = new BlockDirectory(dir);
    directory.write([spans.slice(0, 1250)]);
    directory.write([spans.slice(750, 2250)]);
    const id = directory.write([spans.toReversed().slice(0, 1000), spans.slice(0, 2125)]);
    assert.equal(directory.read(id!).texts.length, 750);
    assert.equal(directory.write([spans.slice(1500), spans.slice(0, 1500)]), undefined);
  }));

test('one trace of thousands of spans in two blocks is compared in a moment', () =>
  withDirectory((dir) => {
    const spans = Array.from({ length: 8000 }, (_, i) =>
      span({ spanId: spanId((i % 4000) + 1), attributes: attributes({ n: BigInt(i) }) }),
    );
    const directory = new BlockDirectory(dir);
    directory.write([spans.slice(0, 6000)]);
    const id = directory.write([spans.slice(3000), spans.slice(1000)]);
    assert.equal(directory.read(id!).texts.length, 2000);
  }));

test('while a block cannot be read every trace counts as seen before, since it may be back after a start', () =>
  withDirectory((dir) => {
    const directory = new BlockDirectory(dir);
    const marks = (spans: readonly Span[]): number[] => [
      ...directory.read(directory.write([spans])!).marks.values(),
    ];
    assert.ok(marks(shopSpans(30, 5, 1)).every((mark) => mark === 0));
    const whole = readFileSync(directory.path(1));
    writeFileSync(directory.path(1), whole.subarray(0, 100));
    // Found by the worker itself, then told by another one, until the block is gone.
    assert.ok(marks(shopSpans(30, 5, 2)).every((mark) => mark === 1));
    assert.ok(marks(shopSpans(30, 5, 3)).every((mark) => mark === 1));
    const block = [{ tenant: DEFAULT_TENANT, id: 1 }];
    directory.known.change({ dir, added: [], removed: [], unreadable: block });
    assert.ok(marks(shopSpans(30, 5, 4)).every((mark) => mark === 1));
    directory.known.change({ dir, added: [], removed: block, unreadable: [] });
    assert.ok(marks(shopSpans(30, 5, 5)).every((mark) => mark === 0));
  }));

test('a block that went or is damaged holds nothing back, and damage is told once', () =>
  withDirectory((dir) => {
    const spans = shopSpans(300, 20);
    const directory = new BlockDirectory(dir);
    directory.write([spans]);
    directory.known.change({
      dir,
      added: [],
      removed: [{ tenant: DEFAULT_TENANT, id: 1 }],
      unreadable: [],
    });
    assert.equal(directory.read(directory.write([spans])!).texts.length, 300);
    const bytes = readFileSync(directory.path(2));
    bytes[30]! ^= 1;
    writeFileSync(directory.path(2), bytes.subarray(0, bytes.length - 5));
    directory.known.change({
      dir,
      added: [],
      removed: [
        { tenant: DEFAULT_TENANT, id: 2 },
        { tenant: parseTenant('nobody'), id: 9 },
      ],
      unreadable: [],
    });
    const info = { tenant: DEFAULT_TENANT, id: 2, minStartUnixNano: 0n, maxStartUnixNano: 1n };
    directory.known.change({
      dir,
      added: [info, { ...info, id: 77 }],
      removed: [],
      unreadable: [],
    });
    assert.equal(directory.read(directory.write([spans])!).texts.length, 300);
    const damage = directory.known.takeDamage();
    assert.deepEqual(
      damage.map(({ id }) => id),
      [77, 2],
    );
    assert.match(damage[1]!.reason, /not a whole block/);
    assert.equal(directory.write([spans]), undefined);
    assert.deepEqual(directory.known.takeDamage(), []);
  }));
