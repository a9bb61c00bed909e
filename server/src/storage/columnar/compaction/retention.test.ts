// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_TENANT, parseTenant, type TraceId } from '@spoor/core/model/ids.ts';
import { resource, span, traceId } from '@spoor/core/query/testing/example-span.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { findIds, queryFor, readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import type { ColumnarStoreOptions } from '../columnar-store-options.ts';
import { FaultyFiles } from '../testing/faulty-files.ts';
import { inlineWorkers } from '../testing/inline-worker.ts';
import {
  figure,
  inFaultyStore,
  LogLines,
  withStore,
  writeBlock,
} from '../testing/store-fixture.ts';
import { seededWords } from '../testing/symbol-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import type { AskedWorker, CreateWorker } from '#workers/worker-client.ts';
import { until } from '../testing/until.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function blockFiles(dir: string): string[] {
  return readdirSync(join(dir, 'tenants'), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.block'))
    .sort();
}

test('what came in too long ago is gone, its files too, and stays so after a restart', () =>
  withDirectory(async (dir) => {
    let nowMs = 100 * DAY_MS;
    const options = {
      nowMs: () => nowMs,
      retention: {
        maxAgeMs: 7 * DAY_MS,
        tenants: new Map([[parseTenant('long'), { maxAgeMs: 30 * DAY_MS }]]),
      },
    };
    const expectOn = async (days: number, found: number[], foundLong: number[]): Promise<void> => {
      nowMs = days * DAY_MS;
      await withStore(
        dir,
        async (store) => {
          // A start so long after the newest block may have a wrong clock: nothing expires for an hour.
          await store.applyRetention();
          nowMs += HOUR_MS;
          for (let again = 0; again < 2; again++) {
            await store.applyRetention();
            const ids = await findIds(store, queryFor());
            assert.deepEqual(ids, found.map(traceId), `day ${days}`);
            const long = await findIds(store, queryFor(), parseTenant('long'));
            assert.deepEqual(long, foundLong.map(traceId), `day ${days}`);
            assert.equal(figure(store, 'store_blocks'), found.length + foundLong.length);
          }
        },
        options,
      );
      assert.equal(blockFiles(dir).length, found.length + foundLong.length);
    };
    await withStore(
      dir,
      async (store) => {
        for (const [day, trace] of [
          [100, 1],
          [103, 2],
          [106, 3],
        ] as const) {
          nowMs = day * DAY_MS;
          const spans = [span({ traceId: traceId(trace) })];
          await writeSpans(store, spans);
          await writeSpans(store, spans, parseTenant('long'));
          await store.settle();
        }
      },
      options,
    );
    await expectOn(106.9, [1, 2, 3], [1, 2, 3]);
    await expectOn(106.96, [2, 3], [1, 2, 3]);
    await expectOn(120, [], [1, 2, 3]);
    await expectOn(133, [], [3]);
    await expectOn(136, [], []);
  }));

test('a start with a clock that is years ahead removes nothing when the clock is set within an hour', () =>
  withDirectory(async (dir) => {
    let nowMs = 100 * DAY_MS;
    const options = { nowMs: () => nowMs, retention: { maxAgeMs: 7 * DAY_MS } };
    await withStore(
      dir,
      async (store) => {
        await writeBlock(store, [span({ traceId: traceId(1) })]);
      },
      options,
    );
    nowMs += 3650 * DAY_MS;
    let setMs = 0;
    await withStore(
      dir,
      async (store) => {
        await store.applyRetention();
        assert.deepEqual(await findIds(store, queryFor()), [traceId(1)]);
        setMs = -3650 * DAY_MS;
        nowMs += HOUR_MS;
        await store.applyRetention();
        assert.deepEqual(await findIds(store, queryFor()), [traceId(1)]);
      },
      { ...options, nowMs: () => nowMs + setMs },
    );
  }));

test('restarts with a clock that is years ahead prove nothing: what is older than the blocks of these stays', () =>
  withDirectory(async (dir) => {
    const log = new LogLines();
    let realMs = 100 * DAY_MS;
    let offMs = 0;
    const options = {
      nowMs: () => realMs + offMs,
      retention: { maxAgeMs: 7 * DAY_MS },
      logger: log.logger,
    };
    // One block, after which the server runs for some minutes.
    const run = (trace: number, minutes: number, check?: (ids: TraceId[]) => void) =>
      withStore(
        dir,
        async (store) => {
          await writeBlock(store, [span({ traceId: traceId(trace) })]);
          realMs += minutes * 60_000;
          await store.applyRetention();
          check?.(await findIds(store, queryFor()));
        },
        options,
      );
    const all = (count: number) => (ids: TraceId[]) =>
      assert.deepEqual(
        ids.toSorted(),
        Array.from({ length: count }, (_, i) => traceId(i + 1)),
      );
    await run(1, 70);
    for (let start = 2; start <= 4; start++) {
      offMs = 3650 * DAY_MS;
      await run(start, 15, all(start));
      assert.equal(log.lines.length, start - 1, 'each start tells it');
      assert.match(log.lines.at(-1)!, /the newest block is 3650 days old/);
    }
    // The clock is set; blocks of the wrong time have the right dates.
    offMs = 0;
    await run(5, 1, all(5));
    realMs += 6.7 * DAY_MS;
    await run(6, 70, all(6));
    realMs += 0.9 * DAY_MS;
    await run(7, 1, (ids) => assert.deepEqual(ids.toSorted(), [6, 7].map(traceId)));
  }));

test('beyond the size that is kept the oldest blocks go as new ones come', () =>
  withDirectory((dir) =>
    withStore(
      dir,
      async (store) => {
        for (let trace = 1; trace <= 12; trace++) {
          await writeBlock(store, [span({ traceId: traceId(trace), name: `n${trace}` })]);
        }
        await store.applyRetention();
        const left = (await findIds(store, queryFor())).length;
        assert.ok(left >= 2 && left < 12, `${left} traces are left`);
        assert.ok(figure(store, 'store_block_bytes') <= 6000);
        const [spans] = await readTraces(store, [traceId(12)]);
        assert.equal(spans?.length, 1);
        assert.deepEqual(await readTraces(store, [traceId(1)]), []);
        assert.equal(figure(store, 'store_expired_blocks_total'), 12 - left);
        assert.equal(figure(store, 'store_expired_spans_total'), 12 - left);
        assert.equal(figure(store, 'store_blocks'), left);
        assert.equal(blockFiles(dir).length, left);
      },
      { retention: { maxBytes: 6000 } },
    ),
  ));

const MAX_BYTES = 32_000;

test('where blocks are merged the size that is kept is used, and the newest spans stay', () =>
  inFaultyStore(
    new FaultyFiles(),
    async (store) => {
      const words = seededWords(5);
      let largest = 0;
      for (let trace = 1; trace <= 50; trace++) {
        const name = Array.from({ length: 100 }, () => words().toString(16)).join('');
        await writeBlock(store, [span({ traceId: traceId(trace), name })]);
        await store.applyRetention();
        const bytes = figure(store, 'store_block_bytes');
        assert.ok(bytes <= MAX_BYTES);
        largest = Math.max(largest, bytes);
        if (largest > MAX_BYTES * 0.85) assert.ok(bytes > MAX_BYTES * 0.75, `${bytes} are left`);
        assert.equal((await readTraces(store, [traceId(trace)])).length, 1);
      }
      assert.ok(figure(store, 'store_merges_total') > 10);
      assert.ok(figure(store, 'store_expired_blocks_total') > 0);
    },
    { retention: { maxBytes: MAX_BYTES }, mergeFanIn: 3 },
  ));

test('questions that are under way or wait while blocks go answer from all of them or from what is left', () =>
  withDirectory(async (dir) => {
    let nowMs = DAY_MS;
    await withStore(
      dir,
      async (store) => {
        for (let trace = 1; trace <= 10; trace++) {
          await writeSpans(store, [span({ traceId: traceId(trace) })]);
          if (trace === 5) {
            await store.settle();
            nowMs += 5000;
          }
        }
        await store.settle();
        nowMs += 5001;
        const all = await findIds(store, queryFor());
        assert.equal(all.length, 10);
        const ask = (count: number) =>
          Array.from({ length: count }, () => findIds(store, queryFor()));
        // More than are with the query worker at once: the others wait for their turn.
        const before = ask(6);
        const removal = store.applyRetention();
        const during = ask(6);
        await removal;
        const left = await findIds(store, queryFor());
        assert.deepEqual(left, [6, 7, 8, 9, 10].map(traceId));
        const answers = await Promise.all([...before, ...during]);
        const firstLeft = answers.findIndex(({ length }) => length !== 10);
        assert.ok(firstLeft !== 0, 'what was with the worker before the removal saw it');
        answers.forEach((ids, i) => {
          const isBefore = firstLeft < 0 || i < firstLeft;
          assert.deepEqual(ids, isBefore ? all : left, `question ${i}`);
        });
        assert.equal(figure(store, 'store_damaged_blocks'), 0);
        assert.deepEqual(await store.getServices(DEFAULT_TENANT), ['shop']);
      },
      { nowMs: () => nowMs, retention: { maxAgeMs: 10_000 } },
    );
  }));

test('a block of which all is past its age is gone and counted as one, also where a service is kept for longer', () =>
  withDirectory(async (dir) => {
    let nowMs = DAY_MS;
    await withStore(
      dir,
      async (store) => {
        for (const service of ['shop', 'payments']) {
          await writeBlock(store, [span({ resource: resource(service) })]);
        }
        nowMs += DAY_MS;
        await store.applyRetention();
        assert.deepEqual(await store.getServices(DEFAULT_TENANT), ['payments']);
        assert.equal(figure(store, 'store_expired_blocks_total'), 1);
        assert.equal(figure(store, 'store_expired_spans_total'), 1);
      },
      {
        nowMs: () => nowMs,
        retention: { maxAgeMs: DAY_MS, services: new Map([['payments', 7 * DAY_MS]]) },
      },
    );
  }));

test('a service goes before the others when much of a block is of it, and otherwise with a merge', () =>
  withDirectory(async (dir) => {
    let nowMs = DAY_MS;
    const spans = (service: string, first: number, count: number) =>
      Array.from({ length: count }, (_, i) =>
        span({ traceId: traceId(first + i), resource: resource(service), name: service }),
      );
    const lists = [
      [...spans('noisy', 1, 5), ...spans('shop', 11, 5)],
      [...spans('noisy', 21, 1), ...spans('shop', 31, 9)],
    ];
    await withStore(
      dir,
      async (store) => {
        for (const list of lists) {
          await writeBlock(store, list);
        }
        const left = async (): Promise<number> => (await findIds(store, queryFor())).length;
        nowMs += DAY_MS;
        await store.applyRetention();
        assert.equal(await left(), 15);
        assert.deepEqual(await store.getServices(DEFAULT_TENANT), ['noisy', 'shop']);
        assert.ok(figure(store, 'store_rewritten_bytes_total') > 0);
        await store.compact();
        assert.equal(await left(), 14);
        assert.deepEqual(await store.getServices(DEFAULT_TENANT), ['shop']);
        assert.equal(figure(store, 'store_expired_spans_total'), 6);
        nowMs += 6 * DAY_MS;
        await store.applyRetention();
        assert.equal(await left(), 0);
        assert.equal(figure(store, 'store_blocks'), 0);
      },
      {
        nowMs: () => nowMs,
        retention: { maxAgeMs: 7 * DAY_MS, services: new Map([['noisy', DAY_MS]]) },
      },
    );
  }));

const OF_SHOP: SpanPredicate = {
  op: 'eq',
  field: { kind: 'intrinsic', name: 'service' },
  value: { type: 'string', value: 'shop' },
};

/** Spans of two services in turns, which no compression makes much smaller. */
function loadAndShop(seed: number): Span[] {
  const words = seededWords(seed);
  return Array.from({ length: 10 }, (_, i) =>
    span({
      traceId: traceId(seed * 10 + i),
      resource: resource(i % 2 === 0 ? 'load' : 'shop'),
      name: Array.from({ length: 100 }, () => words().toString(16)).join(''),
    }),
  );
}

/** A store with five blocks of {@link loadAndShop}, and a limit of their size that they keep to without one of the services. */
async function withTooMuchLoad(
  use: (files: FaultyFiles, options: Partial<ColumnarStoreOptions>) => Promise<void>,
): Promise<void> {
  const files = new FaultyFiles();
  let nowMs = DAY_MS;
  let bytes = 0;
  await inFaultyStore(
    files,
    async (store) => {
      for (let seed = 1; seed <= 5; seed++) {
        await writeBlock(store, loadAndShop(seed));
      }
      bytes = figure(store, 'store_block_bytes');
      // The clock of a new store is believed then.
      nowMs += HOUR_MS;
      await store.applyRetention();
    },
    { nowMs: () => nowMs },
  );
  nowMs += HOUR_MS;
  await use(files, {
    nowMs: () => nowMs,
    retention: { services: new Map([['load', 2 * HOUR_MS]]), maxBytes: Math.round(bytes * 0.7) },
  });
}

test('a size that is kept once a service is past its age takes nothing else', () =>
  withTooMuchLoad((files, options) =>
    inFaultyStore(
      files,
      async (store) => {
        await store.applyRetention();
        assert.ok(figure(store, 'store_block_bytes') <= options.retention!.maxBytes!);
        assert.equal(figure(store, 'store_expired_spans_total'), 25);
        assert.equal(figure(store, 'store_block_spans'), 25);
        assert.equal((await findIds(store, queryFor(OF_SHOP))).length, 25);
      },
      options,
    ),
  ));

test('a shutdown before a service is left out of all blocks does not make the size that is kept take others', () =>
  withTooMuchLoad(async (files, options) => {
    await inFaultyStore(
      files,
      async (store) => {
        await until(() => figure(store, 'store_rewritten_bytes_total') > 0);
      },
      options,
    );
    await inFaultyStore(files, async (store) => {
      assert.ok(figure(store, 'store_block_bytes') > options.retention!.maxBytes!);
      assert.equal((await findIds(store, queryFor(OF_SHOP))).length, 25);
    });
  }));

/** A worker whose answers wait for something else. */
function withWorkBehind<
  Request extends { readonly id: number },
  Reply extends { readonly id: number },
>(worker: AskedWorker<Request, Reply>, work: () => Promise<void>): AskedWorker<Request, Reply> {
  return { ...worker, request: (make) => worker.request(make).finally(work) };
}

test('a block that is left out while it is written anew keeps none from its turn', async () => {
  const files = new FaultyFiles();
  const createInline = inlineWorkers(files.workers);
  /** Done once a block is written, and before it counts. */
  let meanwhile = async (): Promise<void> => {};
  const createWorker: CreateWorker = (script, options) =>
    script.href.includes('compaction')
      ? withWorkBehind(createInline(script, options), () => meanwhile())
      : createInline(script, options);
  let nowMs = DAY_MS;
  await inFaultyStore(
    files,
    async (store) => {
      for (let seed = 1; seed <= 2; seed++) {
        await writeBlock(store, loadAndShop(seed));
        nowMs += 30_000;
      }
      const path = files.paths().find((name) => name.endsWith('.block'))!;
      meanwhile = async () => {
        meanwhile = async () => {};
        files.put(path, files.content(path).slice(0, -20));
        await findIds(store, queryFor());
        assert.equal(figure(store, 'store_damaged_blocks'), 1);
      };
      nowMs += DAY_MS - 60_000;
      await assert.rejects(store.applyRetention(), /block 1 was left out meanwhile/);
      nowMs += 30_000;
      await store.applyRetention();
      assert.equal((await readTraces(store, [traceId(20)])).length, 0);
      assert.equal(figure(store, 'store_expired_spans_total'), 5);
    },
    { nowMs: () => nowMs, retention: { services: new Map([['load', DAY_MS]]) }, createWorker },
  );
});
