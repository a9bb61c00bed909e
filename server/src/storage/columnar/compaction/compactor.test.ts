// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { meets } from '@spoor/core/query/testing/naive-predicate.ts';
import { attributes, span, spanId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { RequestRecord } from '#storage/tracestore.ts';
import { queryFor, readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import { bySpan, TraceOracle } from '#storage/testing/trace-oracle.ts';
import { blockPath } from '../block/block-path.ts';
import type { ColumnarStore } from '../columnar-store.ts';
import { shopSpans } from '../testing/block-fixture.ts';
import { FaultyFiles } from '../testing/faulty-files.ts';
import { inlineWorkers } from '../testing/inline-worker.ts';
import {
  figure,
  inFaultyStore,
  LogLines,
  withStore,
  writeBlock,
} from '../testing/store-fixture.ts';
import {
  createThread,
  type CreateWorker,
  type AskedWorker,
  type WorkerOptions,
} from '#workers/worker-client.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import type { CompactionRequest } from './compaction-worker.ts';

/** Both sides of a worker number what they say. */
type Numbered = { readonly id: number };

const OTHER = parseTenant('other');

/** What a block of 100 columns weighs when it is merged, roughly. */
const WEIGHT_OF_100 = 160_000;

/** A span with so many attributes. */
function wideSpan(id: number, width: number): Span {
  const names = Array.from({ length: width }, (_, i) => [`key ${i}`, 'value'] as const);
  return span({ spanId: spanId(id), attributes: attributes(Object.fromEntries(names)) });
}

/** Workers whose requests are changed, or refused when `change` throws. */
function changedWorkers(
  create: CreateWorker,
  change: <Request extends Numbered>(request: Request) => Request,
): CreateWorker {
  return <Request extends Numbered, Reply extends Numbered>(
    script: URL,
    options: WorkerOptions,
  ): AskedWorker<Request, Reply> => {
    const worker = create<Request, Reply>(script, options);
    return {
      request: (make) => worker.request((id) => change(make(id))),
      notify: (message) => worker.notify(message),
      close: () => worker.close(),
    };
  };
}

function isService(name: string): SpanPredicate {
  return {
    op: 'eq',
    field: { kind: 'intrinsic', name: 'service' },
    value: { type: 'string', value: name },
  };
}

/** Everything that a store says of a tenant. */
async function answers(store: ColumnarStore | TraceOracle, tenant = DEFAULT_TENANT) {
  const found = await store.findTraces(tenant, queryFor(undefined, { limit: 1000 }));
  const ids = found.traces.map(({ traceId }) => traceId);
  const traces =
    store instanceof TraceOracle
      ? ids.map((id) => store.getTrace(tenant, id))
      : (await readTraces(store, ids, tenant)).map((spans) => spans.toSorted(bySpan));
  const services = await store.getServices(tenant);
  const operations = [...(await store.getOperations(tenant, 'service 1'))];
  return { found, traces, services, operations };
}

function oracleOf(spans: readonly Span[], tenant = DEFAULT_TENANT): TraceOracle {
  const oracle = new TraceOracle();
  oracle.write(tenant, spans);
  return oracle;
}

function blockCount(dir: string): number {
  return readdirSync(join(dir, 'tenants'), { recursive: true }).filter((path) =>
    String(path).endsWith('.block'),
  ).length;
}

/** Writes each list as a block of its own. */
async function writeBlocks(store: ColumnarStore, lists: readonly Span[][]): Promise<void> {
  for (const spans of lists) await writeBlock(store, spans);
}

test('blocks are merged as they come, and no answer changes, before and after a restart', () =>
  withDirectory(async (dir) => {
    // Every second one has spans of the one before as well.
    const fresh = Array.from({ length: 9 }, (_, i) => shopSpans(60, 10, i + 1));
    const lists = fresh.map((spans, i) => [...spans, ...fresh[i - (i % 2)]!.slice(0, 9)]);
    const oracle = await answers(oracleOf(lists.flat()));
    await withStore(
      dir,
      async (store) => {
        await writeSpans(store, lists[0]!, OTHER);
        await writeBlocks(store, lists);
        // Merging goes on in the background, one merge in each turn: this waits for its own.
        for (let turn = 0; turn < 4; turn++) await store.applyRetention();
        assert.deepEqual(await answers(store), oracle);
        assert.ok(figure(store, 'store_merges_total') >= 3);
        assert.ok(figure(store, 'store_merged_bytes_total') > 0);
        await store.compact();
        assert.deepEqual(await answers(store), oracle);
        assert.equal(figure(store, 'store_head_spans'), 0);
      },
      { mergeFanIn: 3 },
    );
    await withStore(dir, async (store) => {
      assert.deepEqual(await answers(store), oracle);
      const other = await answers(oracleOf(lists[0]!, OTHER), OTHER);
      assert.deepEqual(await answers(store, OTHER), other);
      assert.equal(blockCount(dir), figure(store, 'store_blocks'));
      assert.ok(figure(store, 'store_blocks') < 9);
    });
  }));

test('a request whose spans were deleted is a new one when it is sent again after a start', () =>
  withDirectory(async (dir) => {
    const requestOf = (number: number): RequestRecord => ({
      digest: new Uint8Array(16).fill(number),
      accepted: 1,
      rejected: 0,
      message: '',
    });
    const known = (store: ColumnarStore): number[] =>
      store.recentRequests().map(({ digest }) => digest[0]!);
    const [first, second] = shopSpans(2, 2);
    const where: SpanPredicate = { op: 'and', args: [] };
    await withStore(dir, (store) => store.write(DEFAULT_TENANT, batchOf([first!]), [requestOf(1)]));
    await withStore(dir, async (store) => {
      assert.deepEqual(known(store), [1]);
      assert.equal(await store.deleteSpans(DEFAULT_TENANT, { where }), 1);
      await store.write(DEFAULT_TENANT, batchOf([second!]), [requestOf(2)]);
    });
    // Twice: that is not forgotten either.
    for (let start = 0; start < 2; start++) {
      await withStore(dir, (store) => assert.deepEqual(known(store), [2]));
    }
  }));

test('spans are deleted by what they are, in blocks of all kinds and in the head, for good', () =>
  withDirectory(async (dir) => {
    const lists = Array.from({ length: 4 }, (_, i) => shopSpans(60, 10, i + 1));
    const spans = lists.flat();
    const where = isService('service 1');
    const traceIds = spans.slice(0, 3).map(({ traceId }) => traceId);
    const gone = spans.filter((one) => meets(one, where));
    const goneTraces = spans.filter((one) => traceIds.includes(one.traceId) && !meets(one, where));
    const rest = spans.filter((one) => !gone.includes(one) && !goneTraces.includes(one));
    await withStore(dir, async (store) => {
      await writeBlocks(store, lists.slice(0, 2));
      await store.compact();
      await writeBlocks(store, lists.slice(2, 3));
      await writeSpans(store, lists[3]!);
      await writeSpans(store, lists[3]!, OTHER);
      assert.equal(await store.deleteSpans(DEFAULT_TENANT, { where }), gone.length);
      const all: SpanPredicate = { op: 'and', args: [] };
      const selection = { where: all, traceIds };
      assert.equal(await store.deleteSpans(DEFAULT_TENANT, selection), goneTraces.length);
      assert.equal(await store.deleteSpans(DEFAULT_TENANT, selection), 0);
      assert.equal(figure(store, 'store_deleted_spans_total'), gone.length + goneTraces.length);
      assert.deepEqual(await answers(store), await answers(oracleOf(rest)));
      const other = oracleOf(lists[3]!, OTHER);
      assert.deepEqual(await answers(store, OTHER), await answers(other, OTHER));
    });
    await withStore(dir, async (store) => {
      assert.deepEqual(await answers(store), await answers(oracleOf(rest)));
      // What was deleted may come again.
      await writeSpans(store, gone);
      await store.compact();
      const back = await answers(oracleOf([...rest, ...gone]));
      assert.deepEqual(await answers(store), back);
      const { startTimeUnixNano } = spans[7]!;
      const starts = {
        startMinUnixNano: startTimeUnixNano,
        startMaxUnixNano: startTimeUnixNano + 1n,
      };
      const all: SpanPredicate = { op: 'and', args: [] };
      assert.equal(await store.deleteSpans(DEFAULT_TENANT, { where: all, ...starts }), 1);
      assert.ok((await store.deleteSpans(DEFAULT_TENANT, { where: all })) > 0);
      assert.deepEqual(await answers(store), await answers(new TraceOracle()));
    });
    assert.equal(blockCount(dir), 1, 'only the other tenant has a block');
  }));

test('a damaged block is named, and the others are merged and rewritten without it', () =>
  withDirectory(async (dir) => {
    const lists = Array.from({ length: 4 }, (_, i) => shopSpans(60, 10, i + 1));
    await withStore(dir, (store) => writeBlocks(store, lists));
    const path = blockPath(dir, DEFAULT_TENANT, 2);
    const bytes = readFileSync(path);
    bytes.fill(0, 100, 1000);
    writeFileSync(path, bytes);
    const log = new LogLines();
    await withStore(
      dir,
      async (store) => {
        await assert.rejects(store.compact(), /0000000002\.block/);
        assert.equal(figure(store, 'store_damaged_blocks'), 1);
        await store.compact();
        const left = lists.filter((_, i) => i !== 1).flat();
        const where = isService('service 2');
        // Of what cannot be read nobody knows whether it is to be deleted.
        await assert.rejects(
          store.deleteSpans(DEFAULT_TENANT, { where }),
          /nothing was deleted: blocks of tenant default cannot be read and may hold such spans: 2;/,
        );
        assert.deepEqual(await answers(store), await answers(oracleOf(left)));
        assert.equal(figure(store, 'store_blocks'), 2);
        const rest = left.filter((one) => !meets(one, where));
        assert.equal(
          await store.deleteSpans(DEFAULT_TENANT, { where }, { dropUnreadable: true }),
          left.length - rest.length + lists[1]!.length,
        );
        assert.deepEqual(await answers(store), await answers(oracleOf(rest)));
        assert.equal(figure(store, 'store_blocks'), 1);
        assert.equal(figure(store, 'store_damaged_blocks'), 0);
        assert.deepEqual(store.damage, []);
        assert.equal(log.lines.filter((line) => line.includes('damaged')).length, 1);
      },
      { logger: log.logger },
    );
  }));

test('blocks of very many columns are merged in smaller numbers, or stay as they are', () =>
  withDirectory(async (dir) => {
    let maxWeight = 2.5 * WEIGHT_OF_100;
    const createWorker = changedWorkers(createThread, (request) => ({ ...request, maxWeight }));
    const lists = [10, 20, 30, 40].map((id) => [wideSpan(id, 100)]);
    await withStore(
      dir,
      async (store) => {
        await writeBlocks(store, lists.slice(0, 3));
        await store.compact();
        assert.equal(figure(store, 'store_blocks'), 2);
        maxWeight = 1.9 * WEIGHT_OF_100;
        await writeBlocks(store, lists.slice(3));
        await store.compact();
        assert.equal(figure(store, 'store_blocks'), 3);
        assert.deepEqual(await answers(store), await answers(oracleOf(lists.flat())));
      },
      { createWorker },
    );
  }));

test('blocks that cannot be merged are tried less and less often, said once, and others are merged meanwhile', async () => {
  const files = new FaultyFiles();
  const log = new LogLines();
  let nowMs = 20_000 * 86_400_000;
  let triesOfFirst = 0;
  const createWorker = changedWorkers(inlineWorkers(files.workers), (request) => {
    const { sources } = request as { sources?: readonly { id: number }[] };
    if (sources?.some(({ id }) => id === 1) !== true) return request;
    triesOfFirst++;
    throw new SpoorError('internal', 'compaction-worker.ts: out of memory');
  });
  const lists = Array.from({ length: 75 }, (_, i) => shopSpans(2, 1, i + 1));
  await inFaultyStore(
    files,
    async (store) => {
      for (const spans of lists) {
        nowMs += 4 * 60_000;
        await writeBlock(store, spans);
        await store.applyRetention();
      }
      // In five hours: at once, then after 1, 2, 4, 8, 16 and 32 minutes, of which a try is seen each four; then each hour.
      assert.equal(triesOfFirst, 7 + 3);
      assert.equal(figure(store, 'store_compaction_failures_total'), triesOfFirst);
      assert.ok(figure(store, 'store_merges_total') > 20);
      assert.ok(figure(store, 'store_blocks') < 50);
      const said = log.lines.filter((line) => line.includes('out of memory'));
      assert.equal(said.length, 1);
      assert.match(said[0]!, /^blocks of tenant default cannot be merged: 1, 2\. .*out of memory$/);
      assert.deepEqual(await answers(store), await answers(oracleOf(lists.flat())));
    },
    { createWorker, mergeFanIn: 2, nowMs: () => nowMs, logger: log.logger },
  );
});

test('want of room while blocks are merged is not held against them', async () => {
  const files = new FaultyFiles();
  const log = new LogLines();
  let nowMs = 20_000 * 86_400_000;
  let tries = 0;
  const createWorker = changedWorkers(inlineWorkers(files.workers), (request) => {
    const { sources, dir, blockId } = request as Partial<CompactionRequest>;
    if (sources === undefined) return request;
    files.heal();
    if (++tries > 5) return request;
    files.failEach('writev', 'ENOSPC', blockPath(dir!, DEFAULT_TENANT, blockId!));
    return request;
  });
  const lists = Array.from({ length: 7 }, (_, i) => shopSpans(20, 4, i + 1));
  await inFaultyStore(
    files,
    async (store) => {
      for (const spans of lists) {
        nowMs += 61_000;
        await writeBlock(store, spans);
        await store.applyRetention();
      }
      // In each minute from the second block on.
      assert.ok(tries >= 6);
      assert.ok(figure(store, 'store_merges_total') > 0);
      assert.deepEqual(
        log.lines.filter((line) => line.includes('cannot be merged')),
        [],
      );
      assert.deepEqual(await answers(store), await answers(oracleOf(lists.flat())));
    },
    { createWorker, mergeFanIn: 2, nowMs: () => nowMs, logger: log.logger },
  );
});

test('when all blocks are to be merged, those that cannot be do not keep others from it', async () => {
  const files = new FaultyFiles();
  const createWorker = changedWorkers(inlineWorkers(files.workers), (request) => {
    const { sources } = request as { sources?: readonly { id: number }[] };
    if (sources?.some(({ id }) => id === 1) === true) throw new SpoorError('internal', 'no memory');
    return request;
  });
  await inFaultyStore(
    files,
    async (store) => {
      const lists = Array.from({ length: 4 }, (_, i) => shopSpans(2, 1, i + 1));
      await writeBlocks(store, lists.slice(0, 2));
      for (const spans of lists.slice(2)) {
        await writeBlock(store, spans, OTHER);
      }
      await assert.rejects(store.compact(), /no memory/);
      assert.equal(figure(store, 'store_merges_total'), 1);
      assert.equal(figure(store, 'store_blocks'), 3);
    },
    { createWorker },
  );
});

test('a block that cannot be written anew without what has expired does not keep that of others', async () => {
  const files = new FaultyFiles();
  const DAY_MS = 86_400_000;
  let nowMs = 20_000 * DAY_MS;
  const createWorker = changedWorkers(inlineWorkers(files.workers), (request) => {
    const { sources } = request as { sources?: readonly { id: number }[] };
    if (sources?.[0]?.id === 1) throw new SpoorError('internal', 'no memory');
    return request;
  });
  const lists = [shopSpans(30, 3, 1), shopSpans(30, 3, 2)];
  const names = ['service 1', 'service 2'];
  await inFaultyStore(
    files,
    async (store) => {
      await writeBlocks(store, lists);
      nowMs += DAY_MS;
      await assert.rejects(store.applyRetention(), /no memory/);
      await store.applyRetention();
      const expired = lists[1]!.filter((one) => names.some((name) => meets(one, isService(name))));
      assert.equal(figure(store, 'store_expired_spans_total'), expired.length);
      nowMs += DAY_MS;
      await assert.rejects(store.applyRetention(), /no memory/);
      assert.equal(figure(store, 'store_compaction_failures_total'), 2);
    },
    {
      createWorker,
      nowMs: () => nowMs,
      retention: { services: new Map(names.map((name) => [name, DAY_MS])) },
    },
  );
});

test('of two blocks that are too wide together the wider one stays as it is, whichever comes first', async () => {
  for (const widths of [
    [50, 400, 50],
    [400, 50, 50],
  ]) {
    const files = new FaultyFiles();
    const maxWeight = 3 * WEIGHT_OF_100;
    const createWorker = changedWorkers(inlineWorkers(files.workers), (request) => ({
      ...request,
      maxWeight,
    }));
    const lists = widths.map((width, block) => [wideSpan(block + 1, width)]);
    const log = new LogLines();
    await inFaultyStore(
      files,
      async (store) => {
        await writeBlocks(store, lists);
        await store.compact();
        assert.equal(figure(store, 'store_merges_total'), 1, widths.join());
        assert.equal(figure(store, 'store_blocks'), 2);
        assert.equal(figure(store, 'store_unmergeable_blocks'), 1);
        const wide = widths.indexOf(400) + 1;
        assert.equal(log.lines.length, 1);
        assert.match(log.lines[0]!, new RegExp(`^block ${wide} of tenant default has so many`));
        assert.deepEqual(await answers(store), await answers(oracleOf(lists.flat())));
      },
      { createWorker, logger: log.logger },
    );
  }
});

test('a shutdown while blocks are merged loses nothing', () =>
  withDirectory(async (dir) => {
    const lists = Array.from({ length: 5 }, (_, i) => shopSpans(60, 10, i + 1));
    const oracle = await answers(oracleOf(lists.flat()));
    for (let i = 0; i < 3; i++) {
      await withStore(dir, async (store) => {
        if (i === 0) await writeBlocks(store, lists);
        const merging = store.compact().catch(() => undefined);
        for (let turn = 0; turn < i * 40; turn++) await new Promise(setImmediate);
        return { merging };
      });
    }
    await withStore(dir, async (store) => {
      assert.deepEqual(await answers(store), oracle);
      assert.equal(blockCount(dir), figure(store, 'store_blocks'));
    });
  }));
