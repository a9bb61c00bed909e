// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import { attributes, span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { findIds, queryFor, readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import { testTraceStore } from '#storage/tracestore.contract.ts';
import type { ColumnarStore } from './columnar-store.ts';
import { columnarOnDisk } from './testing/columnar-under-test.ts';
import { figure, storeOn, withStore } from './testing/store-fixture.ts';
import { encodeSegmentHeader, segmentPath, WAL_FORMAT } from './wal/wal-segment.ts';
import { withDirectory } from './testing/temporary-directory.ts';

testTraceStore(
  'columnar store',
  columnarOnDisk,
  // Each reopening starts threads.
  { keepsRequests: true, histories: 8 },
);

function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SpoorError && error.code === code;
}

function spansOf(trace: number, count: number) {
  return Array.from({ length: count }, (_, i) =>
    span({ traceId: traceId(trace), spanId: spanId(i + 1), startTimeUnixNano: BigInt(trace + i) }),
  );
}

test('slabs are sealed as they fill, and a span is in exactly one place, head or block', () =>
  withDirectory((dir) =>
    withStore(dir, async (store) => {
      for (let trace = 1; trace <= 30; trace++) {
        await writeSpans(store, spansOf(trace, 7));
        const [spans] = await readTraces(store, [traceId(trace)]);
        assert.equal(spans?.length, 7);
        const {
          traces: [summary],
        } = await store.findTraces(DEFAULT_TENANT, queryFor(undefined, { limit: 1 }));
        assert.equal(summary?.spanCount, 7);
        assert.equal(
          figure(store, 'store_head_spans') + figure(store, 'store_block_spans'),
          trace * 7,
        );
      }
      await store.settle();
      assert.equal(figure(store, 'store_head_spans'), 0);
      assert.equal(figure(store, 'store_head_bytes'), 0);
      assert.equal(figure(store, 'store_seals_total'), figure(store, 'store_blocks'));
      assert.equal(figure(store, 'store_blocks'), 6);
      assert.equal(figure(store, 'store_spans_written_total'), 210);
      assert.equal((await findIds(store, queryFor())).length, 30);
    }),
  ));

test('writers that come faster than slabs are sealed wait, and all of them are served', () =>
  withDirectory((dir) =>
    withStore(
      dir,
      async (store) => {
        const traces = Array.from({ length: 60 }, (_, i) => i + 1);
        const writes = traces.map((trace) => writeSpans(store, spansOf(trace, 4)));
        assert.ok(figure(store, 'store_waiting_writes') > 40);
        await Promise.all(writes);
        assert.equal(figure(store, 'store_waiting_writes'), 0);
        const found = await findIds(store, queryFor());
        assert.deepEqual(found, traces.toReversed().map(traceId));
        await store.settle();
        assert.deepEqual(await findIds(store, queryFor()), found);
      },
      { slabRows: 5 },
    ),
  ));

test('a shutdown leaves no write without an answer, and what was taken is there afterwards', () =>
  withDirectory(async (dir) => {
    const results = await withStore(
      dir,
      (store) =>
        Array.from({ length: 40 }, (_, i) =>
          writeSpans(store, spansOf(i + 1, 3)).then(
            () => true,
            (error: unknown) => {
              assert.ok(withCode('unavailable')(error), String(error));
              return false;
            },
          ),
        ),
      { slabRows: 6 },
    );
    const taken = await Promise.all(results);
    await withStore(dir, async (store) => {
      const found = new Set(await findIds(store, queryFor()));
      taken.forEach((isTaken, i) => {
        if (isTaken) assert.ok(found.has(traceId(i + 1)), `trace ${i + 1}`);
      });
    });
  }));

test('a read under way is told when the store is shut down', () =>
  withDirectory(async (dir) => {
    const reads = await withStore(dir, async (store) => {
      await writeSpans(store, spansOf(1, 5));
      const outcome = [
        store.getServices(DEFAULT_TENANT),
        readTraces(store, [traceId(1)]),
        findIds(store, queryFor()),
      ].map((read) => assert.rejects(read, withCode('unavailable')));
      return { outcome };
    });
    await Promise.all(reads.outcome);
  }));

test('many traces are read in the order asked for, each as often as it is asked for', () =>
  withDirectory((dir) =>
    withStore(dir, async (store) => {
      for (let trace = 1; trace <= 50; trace += 10) {
        await writeSpans(store, Array.from({ length: 10 }, (_, i) => spansOf(trace + i, 2)).flat());
      }
      const wanted = Array.from({ length: 70 }, (_, i) => ((i * 37) % 60) + 1);
      const found = await readTraces(store, wanted.map(traceId));
      assert.deepEqual(
        found,
        wanted.filter((trace) => trace <= 50).map((trace) => spansOf(trace, 2)),
      );
    }),
  ));

test('a reader that goes away while traces come gets no more of them', () =>
  withDirectory((dir) =>
    withStore(dir, async (store) => {
      const ids = Array.from({ length: 40 }, (_, i) => traceId(i + 1));
      await writeSpans(
        store,
        ids.map((id) => span({ traceId: id })),
      );
      const controller = new AbortController();
      const traces = store.getTraces(DEFAULT_TENANT, ids, controller);
      assert.equal((await traces.next()).done, false);
      controller.abort();
      await assert.rejects(Array.fromAsync(traces), withCode('cancelled'));
      assert.equal((await readTraces(store, ids)).length, 40);
    }),
  ));

test('ten times as many tenants as may have spans in the head may have blocks', () =>
  withDirectory((dir) =>
    withStore(
      dir,
      async (store) => {
        const tenants = Array.from({ length: 11 }, (_, i) => parseTenant(`tenant-${i}`));
        const last = tenants.pop()!;
        for (const tenant of tenants) {
          await writeSpans(store, spansOf(1, 1), tenant);
          await store.settle();
        }
        await assert.rejects(writeSpans(store, spansOf(1, 1), last), withCode('overloaded'));
        await writeSpans(store, spansOf(2, 1), tenants[0]);
        assert.equal(figure(store, 'store_tenants'), 10);
      },
      { maxTenants: 1 },
    ),
  ));

test('a tenant has a directory of its own, and one more than may have spans in the head is refused until these are sealed', () =>
  withDirectory(async (dir) => {
    const [one, two, three, four] = ['one', 'two', 'three', 'four'].map(parseTenant) as [
      Tenant,
      Tenant,
      Tenant,
      Tenant,
    ];
    const refuses = (store: ColumnarStore, tenant: Tenant): Promise<void> =>
      assert.rejects(writeSpans(store, spansOf(1, 1), tenant), (error) => {
        assert.ok(withCode('overloaded')(error));
        assert.match(String(error), new RegExp(`tenant ${tenant} would be one more than`));
        return true;
      });
    await withStore(
      dir,
      async (store) => {
        for (const tenant of [two, one]) await writeSpans(store, spansOf(1, 3), tenant);
        const asking = findIds(store, queryFor(), one);
        await refuses(store, three);
        // That had the head sealed, since others wait.
        await store.settle();
        await writeSpans(store, spansOf(2, 2), three);
        assert.deepEqual(await asking, [traceId(1)]);
        await writeSpans(store, spansOf(3, 2), one);
        await refuses(store, four);
        await refuses(store, two);
        // Each has what is its own, whoever had its number before.
        const found = await Promise.all(
          [one, two, three, four].map((tenant) => findIds(store, queryFor(), tenant)),
        );
        assert.deepEqual(found, [[traceId(3), traceId(1)], [traceId(1)], [traceId(2)], []]);
        assert.equal(figure(store, 'store_tenants'), 3);
        await store.settle();
        await writeSpans(store, spansOf(4, 2), four);
        assert.deepEqual(await findIds(store, queryFor(), four), [traceId(4)]);
        assert.equal(figure(store, 'store_tenants'), 4);
      },
      { maxTenants: 2 },
    );
    assert.deepEqual(readdirSync(join(dir, 'tenants')).sort(), ['one', 'three', 'two']);
    // A lower limit later on is one for new tenants, also where one is in the log only.
    await withStore(
      dir,
      async (store) => {
        await writeSpans(store, spansOf(5, 2), four);
        await refuses(store, one);
        assert.deepEqual(await readTraces(store, [traceId(1)], one), [spansOf(1, 3)]);
      },
      { maxTenants: 1 },
    );
  }));

test('a directory is refused while another store uses it, and taken when that one has ended', () =>
  withDirectory(async (dir) => {
    await withStore(dir, async (first) => {
      await writeSpans(first, spansOf(1, 2));
      const second = storeOn(dir);
      await assert.rejects(second.start(), withCode('unavailable'));
      await second.shutdown();
      await writeSpans(first, spansOf(2, 2));
      assert.equal((await findIds(first, queryFor())).length, 2);
    });
    await withStore(dir, async (store) => {
      assert.equal((await findIds(store, queryFor())).length, 2);
    });
  }));

test('a start that fails gives the directory free, and a store that was shut down does not start', () =>
  withDirectory(async (dir) => {
    await withStore(dir, (store) => writeSpans(store, spansOf(1, 2)));
    const newer = Buffer.from(
      encodeSegmentHeader({ id: 77, salt: 1, firstSequence: 1, sizeBytes: 64 }),
    );
    newer.writeUInt32LE(WAL_FORMAT + 1, 8);
    newer.writeUInt32LE(crc32(newer.subarray(0, 60)), 60);
    const path = segmentPath(join(dir, 'wal'), 77);
    writeFileSync(path, newer);
    const store = storeOn(dir);
    await assert.rejects(store.start(), withCode('corrupt'));
    await assert.rejects(writeSpans(store, spansOf(1, 1)), withCode('unavailable'));
    await assert.rejects(store.start(), withCode('unavailable'));
    await store.shutdown();
    await rm(path);
    await withStore(dir, async (after) => {
      assert.deepEqual(await readTraces(after, [traceId(1)]), [spansOf(1, 2)]);
    });
  }));

test('a batch larger than half a slab is stored like any other', () =>
  withDirectory((dir) =>
    withStore(dir, async (store) => {
      const large = (id: number) =>
        span({
          traceId: traceId(id),
          startTimeUnixNano: BigInt(id),
          attributes: attributes({ data: new Uint8Array(11 << 20) }),
        });
      await Promise.all([
        writeSpans(store, spansOf(1, 3)),
        writeSpans(store, [large(2)]),
        writeSpans(store, [large(3)]),
        writeSpans(store, spansOf(4, 3)),
      ]);
      const check = async (): Promise<void> => {
        assert.deepEqual(await findIds(store, queryFor()), [4, 3, 2, 1].map(traceId));
        const [trace] = await readTraces(store, [traceId(3)]);
        assert.deepEqual(trace, [large(3)]);
      };
      await check();
      await store.settle();
      await check();
    }),
  ));
