// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { attributes, span, traceId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { queryFor, readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import { bySpan, TraceOracle } from '#storage/testing/trace-oracle.ts';
import { collectGarbage } from '#workers/collector.ts';
import { blockPath } from '../block/block-path.ts';
import { BlockReader } from '../block/block-reader.ts';
import type { ColumnarStore } from '../columnar-store.ts';
import { Slab } from '../head/slab.ts';
import { shopSpans } from '../testing/block-fixture.ts';
import { FaultyFiles } from '../testing/faulty-files.ts';
import { figure, inFaultyStore, LogLines, withStore } from '../testing/store-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import type { Question } from './query-messages.ts';
import { createAnswerer } from './query-worker.ts';

const BLOCKS = 24;

/** Spans of each block; the traces of every second one have more spans in the block after it. */
function spansByBlock(): Span[][] {
  const lists = Array.from({ length: BLOCKS }, (_, i) => shopSpans(30, 4, i + 1));
  return lists.map((spans, i) => (i % 2 === 0 ? spans : [...spans, ...lists[i - 1]!.slice(0, 3)]));
}

/** Changes a byte of a file. */
function damage(path: string, at: (size: number) => number): void {
  const bytes = readFileSync(path);
  bytes[at(bytes.length)]! ^= 0x40;
  writeFileSync(path, bytes);
}

/** Numbers of the blocks that the store said to be damaged. */
function damagedBlocks(log: LogLines): Set<number> {
  const found = log.lines.map((line) =>
    /left out of all answers: block .*?(\d+)\.block/.exec(line),
  );
  assert.ok(
    found.every((match) => match !== null),
    log.lines.join('\n'),
  );
  assert.equal(new Set(found.map((match) => match?.[1])).size, found.length, 'named twice');
  return new Set(found.map((match) => Number(match![1])));
}

type Ids = readonly Span['traceId'][];

/** Searches, of which some look at every column and some at few. */
const SEARCHES: readonly SpanPredicate[] = [
  { op: 'and', args: [] },
  {
    op: 'eq',
    field: { kind: 'attribute', scope: 'span', key: 'user' },
    value: { type: 'string', value: 'user 3' },
  },
  { op: 'exists', field: { kind: 'attribute', scope: 'event', key: 'n' } },
];

async function search(store: ColumnarStore | TraceOracle, where: SpanPredicate): Promise<unknown> {
  return await store.findTraces(DEFAULT_TENANT, queryFor(where, { limit: 500 }));
}

/** Whole traces. */
async function read(store: ColumnarStore | TraceOracle, ids: Ids): Promise<unknown> {
  const traces =
    store instanceof TraceOracle
      ? ids.map((id) => store.getTrace(DEFAULT_TENANT, id)).filter((spans) => spans.length > 0)
      : await readTraces(store, ids);
  return traces.map((spans) => spans.toSorted(bySpan));
}

async function answers(store: ColumnarStore | TraceOracle, ids: Ids): Promise<unknown> {
  const found = [];
  for (const where of SEARCHES) found.push(await search(store, where));
  const services = await store.getServices(DEFAULT_TENANT);
  const operations = [...(await store.getOperations(DEFAULT_TENANT, 'service 1'))];
  return { found, services, operations, traces: await read(store, ids) };
}

test('damage anywhere in a block takes the block out of all answers, says so once, and spoils no other', () =>
  withDirectory(async (dir) => {
    const lists = spansByBlock();
    await withStore(dir, async (store) => {
      for (const spans of lists) {
        await writeSpans(store, spans);
        await store.settle();
      }
      assert.equal(figure(store, 'store_blocks'), BLOCKS);
    });
    const path = (block: number) => blockPath(dir, DEFAULT_TENANT, block);
    // From the first frame to the trailer; the first two and the last two stay whole.
    for (let block = 3; block <= BLOCKS - 3; block++) {
      damage(path(block), (size) => 8 + Math.floor(((size - 9) * (block - 3)) / (BLOCKS - 6)));
    }
    rmSync(path(BLOCKS - 2));
    const ids = [...new Set(lists.flat().map((span) => span.traceId))];
    const log = new LogLines();
    await withStore(
      dir,
      async (store) => {
        // Each question may come upon more damage; then what was answered before is not comparable.
        let last = await answers(store, ids);
        for (let before = -1; before !== log.lines.length;) {
          before = log.lines.length;
          last = await answers(store, ids);
        }
        const damaged = damagedBlocks(log);
        assert.ok(damaged.size > BLOCKS / 2, String(damaged.size));
        assert.ok(![1, 2, BLOCKS - 1, BLOCKS].some((block) => damaged.has(block)));
        assert.equal(figure(store, 'store_damaged_blocks'), damaged.size);
        const oracle = new TraceOracle();
        lists.forEach((spans, i) => {
          if (!damaged.has(i + 1)) oracle.write(DEFAULT_TENANT, spans);
        });
        assert.deepEqual(last, await answers(oracle, ids));
        // What comes new is found as ever.
        await writeSpans(store, lists[3]!);
        oracle.write(DEFAULT_TENANT, lists[3]!);
        assert.deepEqual(await answers(store, ids), await answers(oracle, ids));
        await store.settle();
        assert.deepEqual(await answers(store, ids), await answers(oracle, ids));
        assert.equal(store.unhealthy, undefined);
      },
      { logger: log.logger },
    );
  }));

test('what blocks change in shared traces is remembered of sixteen tenants that were asked about, and of sixteen others', () => {
  const files = new FaultyFiles();
  const answer = createAnswerer(files.workers);
  /** @returns how many files were opened */
  const ask = (question: Question, from: number, to: number): number => {
    const before = files.log.length;
    for (let id = from; id < to; id++) {
      const reply = answer({
        id,
        tenant: parseTenant(`tenant${id}`),
        tenantNumber: -1,
        slabs: [],
        cancel: new SharedArrayBuffer(4),
        question,
      });
      assert.equal(reply?.error, undefined);
    }
    return files.log.slice(before).filter((call) => call === 'open overlaps').length;
  };
  const prepare: Question = { ask: 'prepare', hasRoom: true };
  const calls: Question = { ask: 'dependencies', query: { fromMinute: 0, toMinute: 1 } };
  assert.equal(ask(prepare, 0, 20), 20);
  assert.equal(ask(prepare, 4, 20), 0);
  assert.equal(ask(prepare, 0, 4), 4);
  // What was prepared is there for a question,
  assert.equal(ask(calls, 0, 4), 0);
  assert.equal(ask(calls, 4, 16), 4);
  // and what was asked is not pushed out by what nobody asks about.
  assert.equal(ask(prepare, 0, 60), 40);
  assert.equal(ask(calls, 0, 16), 0);
  assert.equal(ask(calls, 16, 36), 20);
  assert.equal(ask(calls, 20, 36), 0);
});

test('the memory of a slab that is gone is let go with the next question, whoever asked of it and whoever asks', async () => {
  const tenants = ['one', 'two'].map(parseTenant) as [Tenant, Tenant];
  const questions: readonly Question[] = [
    { ask: 'find', query: queryFor() },
    { ask: 'find', query: queryFor(SEARCHES[1]) },
    { ask: 'get', ids: shopSpans(30, 3).map((one) => one.traceId) },
    { ask: 'services' },
    { ask: 'dependencies', query: { fromMinute: 0, toMinute: 2 ** 32 } },
    {
      ask: 'attribute names',
      query: { startMinUnixNano: 0n, startMaxUnixNano: 2n ** 64n, prefix: '', limit: 10 },
    },
  ];
  // What was on the stack a moment ago may be held once more: the collector has several turns.
  const collected = async (one: WeakRef<object>): Promise<void> => {
    for (let turns = 0; turns < 50; turns++) {
      await setImmediate();
      collectGarbage('major');
      await setImmediate();
      if (one.deref() === undefined) return;
    }
    assert.fail('it is still held');
  };
  let sequence = 0;
  const slabOf = (id: number, seeds: readonly number[]): Slab => {
    const slab = new Slab(id, 1 << 18);
    for (const seed of seeds) {
      for (const tenantNumber of tenants.keys()) {
        slab.commit(slab.reserve(batchOf(shopSpans(30, 3, seed)), tenantNumber)!, ++sequence, 0);
      }
    }
    return slab;
  };
  for (const next of questions) {
    const answer = createAnswerer(new FaultyFiles().workers);
    const ask = (tenantNumber: 0 | 1, slabs: readonly Slab[], question: Question): void => {
      const reply = answer({
        id: 1,
        tenant: tenants[tenantNumber],
        tenantNumber,
        slabs: slabs.map((slab) => slab.view()),
        cancel: new SharedArrayBuffer(4),
        question,
      });
      assert.equal(reply?.error, undefined);
    };
    const gone = (() => {
      const slabs = [slabOf(1, [1, 2]), slabOf(2, [2, 3])] as const;
      for (const question of questions) {
        ask(0, slabs, question);
        ask(1, slabs, question);
      }
      ask(0, [slabs[1]], next);
      ask(0, [slabs[1]], { ask: 'prepare', hasRoom: true });
      return slabs.map(({ buffer }) => new WeakRef(buffer));
    })();
    await collected(gone[0]!);
    assert.notEqual(gone[1]!.deref(), undefined);
    ask(0, [], next);
    await collected(gone[1]!);
  }
});

test('large traces are read a few at a time', () =>
  inFaultyStore(new FaultyFiles(), async (store) => {
    const spans = [1, 2, 3, 4, 5].map((id) =>
      span({ traceId: traceId(id), attributes: attributes({ text: `${id}`.repeat(3 << 20) }) }),
    );
    for (const one of spans) await writeSpans(store, [one]);
    const ids = [1, 2, 77, 3, 4, 5].map(traceId);
    const before = figure(store, 'store_questions_total');
    const traces = await readTraces(store, ids);
    assert.deepEqual(traces.flat(), spans);
    assert.equal(figure(store, 'store_questions_total') - before, 3);
  }));

test('a failure that says nothing about a block fails the question, and takes no block out of the answers', (t) => {
  const files = new FaultyFiles();
  return inFaultyStore(files, async (store) => {
    await writeSpans(store, shopSpans(20, 2));
    await store.settle();
    const operations = async () => [...(await store.getOperations(DEFAULT_TENANT, 'service 1'))];
    const found = await operations();
    assert.notEqual(found.length, 0);
    const failing = t.mock.method(BlockReader.prototype, 'operations', () => {
      throw new RangeError('Array buffer allocation failed');
    });
    await assert.rejects(
      operations(),
      (error) => error instanceof SpoorError && error.code === 'internal',
    );
    failing.mock.restore();
    assert.equal(figure(store, 'store_damaged_blocks'), 0);
    assert.deepEqual(await operations(), found);
  });
});

test('the first question that comes upon damage is answered as if the block were not there', () =>
  withDirectory(async (dir) => {
    const lists = [shopSpans(30, 5, 1), shopSpans(38, 5, 2)];
    await withStore(dir, async (store) => {
      for (const spans of lists) {
        await writeSpans(store, spans);
        await store.settle();
      }
    });
    const path = blockPath(dir, DEFAULT_TENANT, 2);
    const whole = readFileSync(path);
    const [partial, complete] = [lists.slice(0, 1), lists].map((kept) => {
      const oracle = new TraceOracle();
      for (const spans of kept) oracle.write(DEFAULT_TENANT, spans);
      return oracle;
    });
    const ids = [...new Set(lists.flat().map((span) => span.traceId))];
    // Whatever it is that is read first or last, the whole answer is without the block.
    for (let i = 0; i < 10; i++) {
      writeFileSync(path, whole);
      damage(path, (size) => 8 + Math.floor((size * i) / 14));
      const log = new LogLines();
      await withStore(
        dir,
        async (store) => {
          // A question that reads nothing of the damage is answered from the whole block.
          const expected = () => (log.lines.length === 0 ? complete! : partial!);
          const reads = async (): Promise<void> => {
            const found = await read(store, ids);
            assert.deepEqual(found, await read(expected(), ids));
          };
          if (i % 2 === 1) await reads();
          for (const where of SEARCHES) {
            const found = await search(store, where);
            assert.deepEqual(found, await search(expected(), where));
          }
          if (i % 2 === 0) await reads();
        },
        { logger: log.logger },
      );
    }
  }));

test('writes are acknowledged while searches never pause, and a search ends when its signal fires', () =>
  withDirectory((dir) =>
    withStore(dir, async (store) => {
      await writeSpans(store, shopSpans(2000, 100));
      await store.settle();
      // Two hundred patterns for each value make a search that takes a while.
      const field = { kind: 'attribute', scope: 'any', key: 'user' } as const;
      const slow: SpanPredicate = {
        op: 'or',
        args: Array.from({ length: 200 }, (_, i) => ({
          op: 'matches',
          field,
          pattern: `(.*)x(.*)${i}`,
        })),
      };
      let writing = true;
      const searches = Promise.all(
        [0, 1, 2].map(async () => {
          while (writing) await store.findTraces(DEFAULT_TENANT, queryFor(slow));
        }),
      );
      for (let i = 0; i < 5; i++) await writeSpans(store, shopSpans(20, 2, i + 2));
      writing = false;
      await searches;

      const controller = new AbortController();
      const stopped = [0, 1, 2].map(() =>
        assert.rejects(
          store.findTraces(DEFAULT_TENANT, queryFor(slow), controller),
          (error) => error instanceof SpoorError && error.code === 'cancelled',
        ),
      );
      controller.abort();
      await Promise.all(stopped);
      assert.ok((await store.findTraces(DEFAULT_TENANT, queryFor())).traces.length > 0);
    }),
  ));
