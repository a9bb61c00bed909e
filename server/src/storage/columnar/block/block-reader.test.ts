// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { formatTraceId, traceIdBytes } from '@spoor/core/model/ids.ts';
import { attributes, span, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { BlockReader } from './block-reader.ts';
import { FrameScratch } from './frame-scratch.ts';
import { TRAILER_BYTES } from './block-trailer.ts';
import { OpenFiles } from '../files/open-files.ts';
import {
  blockCache,
  blockFile,
  newerBlock,
  rowTexts,
  shopSpans,
  withBlock,
} from '../testing/block-fixture.ts';
import { byBytes, seededWords, valuesOf } from '../testing/symbol-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';

/** Everything that can be asked of a block, read in every way. */
function readAll(path: string): unknown {
  const reader = new BlockReader(path, 1, blockCache());
  try {
    const { footer } = reader;
    const groups = footer.groups.map((_, g) => {
      const group = reader.group(g);
      const rows = rowTexts(group);
      const traces = Array.from({ length: group.traces }, (_id, t) => {
        const id = formatTraceId(group.traceIds, t * 16);
        const found = reader.findTrace(id);
        return found === undefined ? [] : rowTexts(found.group.slice(found.start, found.end));
      });
      return { rows, traces };
    });
    const tables = [footer.names, footer.resources, footer.scopes, footer.eventNames, footer.keys];
    return {
      footer,
      groups,
      tables: tables.map((ref) => valuesOf(reader.table(ref)).map(String)),
      operations: reader.operations(),
      shapes: reader.shapes,
    };
  } finally {
    reader.close();
  }
}

function isCorrupt(path: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SpoorError, String(error));
    assert.equal(error.code, 'corrupt');
    assert.ok(error.message.startsWith(`block ${path}: `), error.message);
    return true;
  };
}

/** Two groups, with events, links, plain columns and dictionaries, in as few bytes as that takes. */
function someSpans() {
  const large = Array.from({ length: 8192 }, () => span({ traceId: traceId(1) }));
  return [
    ...shopSpans(60, 8),
    ...large.map((one, i) => ({ ...one, startTimeUnixNano: BigInt(i % 5) + (i % 2 ? 9000n : 0n) })),
  ];
}

test('a byte that changed anywhere in a block is found, or nothing depends on it', () =>
  withDirectory((dir) => {
    const path = join(dir, 'some.block');
    const whole = blockFile([batchOf(shopSpans(90, 12)), batchOf(someSpans())]);
    writeFileSync(path, whole);
    const expected = readAll(path);
    const next = seededWords(5);
    // Each byte of the trailer, which nothing guards, and others all over the file.
    const places = Array.from({ length: TRAILER_BYTES }, (_, i) => whole.length - 1 - i);
    for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 200)) places.push(at);
    let found = 0;
    for (const at of places) {
      for (const bits of at > whole.length - TRAILER_BYTES - 1
        ? [1, 128, 255]
        : [1 + (next() % 255)]) {
        const damaged = Buffer.from(whole);
        damaged[at]! ^= bits;
        writeFileSync(path, damaged);
        let read: unknown;
        try {
          read = readAll(path);
        } catch (error) {
          isCorrupt(path)(error);
          found++;
          continue;
        }
        assert.deepEqual(read, expected, `byte ${at} of ${whole.length}`);
      }
    }
    assert.ok(found > 200, `${found} found`);
  }));

test('a block that ends early or late is damaged', () =>
  withDirectory((dir) => {
    const path = join(dir, 'some.block');
    const whole = blockFile([batchOf(shopSpans(30, 4))]);
    const cuts = Array.from({ length: 60 }, (_, i) => Math.floor((i * whole.length) / 60));
    for (const size of [...cuts, 1, 7, 8, 27, 28, 29, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, size));
      assert.throws(() => readAll(path), isCorrupt(path), `cut at ${size}`);
    }
    for (const more of [1, 8, 20, 4096]) {
      writeFileSync(path, Buffer.concat([whole, new Uint8Array(more)]));
      assert.throws(() => readAll(path), isCorrupt(path));
    }
    // A piece in the middle is missing.
    for (const at of [8, 100, 1000, whole.length - 100]) {
      writeFileSync(path, Buffer.concat([whole.subarray(0, at), whole.subarray(at + 5)]));
      assert.throws(() => readAll(path), isCorrupt(path));
    }
  }));

test('a block that is missing or no file is damaged', () =>
  withDirectory((dir) => {
    const path = join(dir, 'missing.block');
    assert.throws(() => readAll(path), isCorrupt(path));
    assert.throws(() => readAll(dir), isCorrupt(dir));
  }));

test('a block that shrinks while it is read is damaged', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf(shopSpans(50, 5))], (reader) => {
      writeFileSync(reader.path, '');
      assert.throws(() => rowTexts(reader.group(0)), isCorrupt(reader.path));
      assert.throws(() => reader.table(reader.footer.names), isCorrupt(reader.path));
    }),
  ));

test('a block of a newer format is refused with both numbers', () =>
  withDirectory((dir) => {
    const path = join(dir, 'new.block');
    writeFileSync(path, newerBlock(blockFile([batchOf(shopSpans(5, 1))])));
    assert.throws(() => readAll(path), /block .*new\.block: format 4 is newer than 3/);
  }));

test('a trace is found by its id, and an id that is not there is not', () =>
  withDirectory((dir) => {
    const spans = shopSpans(5000, 1400);
    const batch = batchOf(spans);
    withBlock(dir, [batch], (reader) => {
      assert.ok(reader.footer.groups.length > 1);
      const count = new Map<string, number>();
      for (const one of spans) count.set(one.traceId, (count.get(one.traceId) ?? 0) + 1);
      for (const id of new Set(spans.map((one) => one.traceId))) {
        const { group, start, end } = reader.findTrace(id)!;
        assert.equal(end - start, count.get(id));
        assert.equal(formatTraceId(group.traceId, start * 16), id);
        assert.equal(formatTraceId(group.traceId, (end - 1) * 16), id);
      }
      for (const one of shopSpans(1000, 1000, 2)) {
        assert.equal(reader.findTrace(one.traceId), undefined);
      }
      // Below the first and above the last id, and one beside each that is there.
      assert.equal(reader.findTrace(traceId(1)), undefined);
      assert.equal(reader.findTrace(traceId('f'.repeat(32))), undefined);
      for (const { firstTraceId } of reader.footer.groups) {
        const bytes = traceIdBytes(traceId(firstTraceId));
        bytes[15]! ^= 1;
        assert.equal(reader.findTrace(formatTraceId(bytes, 0)), undefined);
      }
    });
  }));

test('an absent id is not found though the filter lets it through', () =>
  withDirectory((dir) => {
    // Four bytes of 12 bits a trace: many ids pass the filter of one trace.
    withBlock(dir, [batchOf([span({ traceId: traceId('8'.repeat(32)) })])], (reader) => {
      for (const one of shopSpans(2000, 2000, 3)) {
        assert.equal(reader.findTrace(one.traceId), undefined);
      }
      assert.notEqual(reader.findTrace(traceId('8'.repeat(32))), undefined);
    });
  }));

test('an entry of a large dictionary is read from its page alone', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf(shopSpans(8400, 400))], (reader) => {
      const columns = [...reader.footer.columns];
      const column = columns.findIndex(({ pages }) => pages !== undefined && pages.length > 1);
      const whole = valuesOf(reader.dictionary(column).table);
      const pages = columns[column]!.pages!;
      assert.equal(
        pages.reduce((sum, { count }) => sum + count, 0),
        whole.length,
      );
      for (let entry = 0; entry < whole.length; entry += 97) {
        const one = reader.dictionary(column).gather(Uint32Array.of(entry));
        assert.deepEqual(valuesOf(one), [whole[entry]]);
        assert.equal(reader.dictionary(column).find(whole[entry]!), entry);
      }
      assert.deepEqual(whole, whole.toSorted(byBytes));
      const dictionary = reader.dictionary(column);
      assert.equal(dictionary.find(Buffer.from('no such value')), -1);
      const marked = new Uint8Array(whole.length);
      let groups = 0;
      for (let entry = 0; entry < whole.length; entry += 4201) {
        marked[entry] = 1;
        groups |= dictionary.groupsOf(entry);
      }
      assert.equal(dictionary.groupsWithSome(marked), groups >>> 0);
      assert.equal(dictionary.groupsWithSome(new Uint8Array(whole.length)), 0);
      assert.deepEqual(reader.dictionary(column).pages().flatMap(valuesOf).toArray(), whole);
      assert.throws(
        () => reader.dictionary(column).gather(Uint32Array.of(whole.length)),
        isCorrupt(reader.path),
      );
    }),
  ));

test('of a block with very many columns not all dictionaries are held', () =>
  withDirectory((dir) => {
    const keys = Array.from({ length: 5000 }, (_, i) => [`key ${i}`, `value ${i % 3}`] as const);
    withBlock(
      dir,
      [batchOf([span({ attributes: attributes(Object.fromEntries(keys)) })])],
      (reader) => {
        const first = reader.dictionary(0);
        for (let column = 1; column < 1000; column++) reader.dictionary(column);
        assert.equal(reader.dictionary(0), first);
        for (let column = 1; column < reader.footer.columns.length; column++) {
          reader.dictionary(column);
        }
        assert.notEqual(reader.dictionary(0), first);
        assert.deepEqual(valuesOf(reader.dictionary(0).table), valuesOf(first.table));
      },
    );
  }));

test('the durations of some rows are those that the group has there', () =>
  withDirectory((dir) =>
    withBlock(dir, [batchOf(someSpans())], (reader) => {
      for (let g = 0; g < reader.footer.groups.length; g++) {
        const group = reader.group(g);
        for (const [start, end] of [
          [0, group.rows],
          [group.rows >> 1, group.rows],
          [3, 17],
          [5, 5],
        ] as const) {
          const { lo, hi } = group.durations(start, end);
          assert.deepEqual(lo, group.durationLo.slice(start, end));
          assert.deepEqual(hi, group.durationHi.slice(start, end));
        }
      }
    }),
  ));

test('what was read once comes from the cache, and closing a block takes its things out of it', () =>
  withDirectory((dir) => {
    const cache = blockCache();
    withBlock(
      dir,
      [batchOf(shopSpans(500, 50))],
      (reader) => {
        const texts = rowTexts(reader.group(0));
        // Nothing is read from the file any more.
        writeFileSync(reader.path, '');
        assert.deepEqual(rowTexts(reader.group(0)), texts);
        assert.ok(cache.bytes > 0);
      },
      cache,
    );
    assert.equal(cache.bytes, 0);
  }));

test('with next to no cache a block reads the same', () =>
  withDirectory((dir) => {
    const batch = batchOf(shopSpans(150, 12));
    const [large, small] = [1 << 20, 100].map((size) =>
      withBlock(
        dir,
        [batch],
        (reader) => {
          const { start, end, group } = reader.findTrace(formatTraceId(batch.traceId, 0))!;
          return [rowTexts(reader.group(0)), rowTexts(group.slice(start, end))];
        },
        blockCache(size),
      ),
    );
    assert.deepEqual(small, large);
  }));

test('a trace with thousands of keys, in any order, is read frame by frame, with a cache of a few frames', () =>
  withDirectory((dir) => {
    class CountingFiles extends OpenFiles {
      reads = 0;
      override read(path: string, into: Uint8Array, position: number): number {
        this.reads++;
        return super.read(path, into, position);
      }
    }
    const keys = Array.from({ length: 20_000 }, (_, i) => `key ${(i * 4987) % 20_000}`);
    const wide = Object.fromEntries(keys.map((key) => [key, `${key} has a value of its own`]));
    const batch = batchOf([span({ attributes: attributes(wide) })]);
    const path = join(dir, 'wide.block');
    writeFileSync(path, blockFile([batch]));
    const files = new CountingFiles();
    const reader = new BlockReader(path, 1, blockCache(256 << 10), files);
    const { start, end, group } = reader.findTrace(formatTraceId(batch.traceId, 0))!;
    const before = files.reads;
    assert.deepEqual(rowTexts(group.slice(start, end)), rowTexts(batch));
    const frames = reader.footer.frames.length / 4;
    assert.ok(
      frames > 10 && files.reads - before <= frames,
      `${files.reads - before} of ${frames}`,
    );
    reader.close();
  }));

test('the distinct services, names and kinds of a block are listed', () =>
  withDirectory((dir) => {
    const spans = shopSpans(800, 60);
    withBlock(dir, [batchOf(spans), batchOf(spans)], (reader) => {
      const { resource, name, kind } = reader.operations();
      const names = valuesOf(reader.table(reader.footer.names)).map(String);
      const resources = valuesOf(reader.table(reader.footer.resources)).map(String);
      const found = [...name].map((code, i) => {
        const service = /service \d/.exec(resources[resource[i]!]!)![0];
        const host = /host \d/.exec(resources[resource[i]!]!)![0];
        return `${service} ${host} ${names[code]} ${kind[i]}`;
      });
      const expected = new Set(
        spans.map(
          ({
            resource: {
              attributes: [service, host],
            },
            name: text,
            kind: number,
          }) =>
            [service, host]
              .map((attribute) => attribute?.value.type === 'string' && attribute.value.value)
              .concat([text, String(number)])
              .join(' '),
        ),
      );
      assert.deepEqual(found.sort(), [...expected].sort());
    });
  }));

test('a trace is the same in memory that is used again and again', () =>
  withDirectory((dir) => {
    const path = join(dir, '1.block');
    const spans = [...shopSpans(200, 12), ...someSpans()];
    writeFileSync(path, blockFile([batchOf(spans)]));
    const readers = [blockCache(), blockCache(0)].map((cache) => new BlockReader(path, 1, cache));
    const scratch = new FrameScratch();
    for (const id of new Set(spans.map((one) => one.traceId))) {
      scratch.clear();
      const [kept, read] = readers.map((reader) => {
        const { group, start, end } = reader.findTrace(id)!;
        return rowTexts(group.slice(start, end, reader === readers[0] ? undefined : scratch));
      });
      assert.deepEqual(read, kept);
    }
    for (const reader of readers) reader.close();
  }));

test('want of memory is no damage', (t) =>
  withDirectory((dir) => {
    const path = join(dir, '1.block');
    writeFileSync(path, blockFile([batchOf(someSpans())]));
    const reader = new BlockReader(path, 1, blockCache());
    // To read the first bytes, to read a frame, and for what it becomes.
    for (const call of [0, 1, 2]) {
      const failing = t.mock.method(Buffer, 'allocUnsafeSlow');
      failing.mock.mockImplementationOnce(() => {
        throw new RangeError('Array buffer allocation failed');
      }, call);
      try {
        assert.throws(() => reader.verify(), RangeError);
      } finally {
        failing.mock.restore();
      }
    }
    assert.equal(reader.damage, undefined);
    reader.verify();
    reader.close();
  }));

test('a call that fails for want of descriptors, or once, is no damage; a place that cannot be read is', () =>
  withDirectory((dir) => {
    const path = join(dir, 'some.block');
    writeFileSync(path, blockFile([batchOf(shopSpans(90, 12))]));
    let failures: string[] = [];
    class FailingFiles extends OpenFiles {
      override read(of: string, into: Uint8Array, position: number): number {
        const failure = failures.shift();
        if (failure !== undefined) throw Object.assign(new Error(failure), { code: failure });
        return super.read(of, into, position);
      }
    }
    const files = new FailingFiles();
    const reader = new BlockReader(path, 1, blockCache(0), files);
    const read = (): number => rowTexts(reader.group(0)).length;
    failures = ['EMFILE'];
    assert.throws(read, (error) => error instanceof SpoorError && error.retryable);
    failures = ['EIO'];
    assert.equal(read(), 90);
    assert.equal(reader.damage, undefined);
    failures = ['EIO', 'EIO'];
    assert.throws(read, isCorrupt(path));
    assert.notEqual(reader.damage, undefined);
    reader.close();
  }));
