// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { span, traceId } from '@spoor/core/query/testing/example-span.ts';
import { readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import type { ColumnarStore } from './columnar-store.ts';
import type { ColumnarStoreOptions } from './columnar-store-options.ts';
import { FaultyFiles } from './testing/faulty-files.ts';
import { figure, inFaultyStore } from './testing/store-fixture.ts';
import { until } from './testing/until.ts';

const HOUR_MS = 3_600_000;
/** A store that gets a span so often is never quiet. */
const PAUSE_MS = 50_000;

/** A time that goes on when a test says so, with all that happens by itself meanwhile. */
class TrickleTime {
  readonly #mock: TestContext['mock'];
  #nowMs = 1000 * 24 * HOUR_MS;
  /** When the oldest span was written that was not due to be sealed yet. */
  #waitsSinceMs = Infinity;

  constructor({ mock }: TestContext) {
    mock.timers.enable({ apis: ['setInterval'] });
    this.#mock = mock;
  }

  get options(): Partial<ColumnarStoreOptions> {
    return { nowMs: () => this.#nowMs, slabRows: 1000 };
  }

  /** One span after the other, each sealed when it is due; returns how many there are by then. */
  async write(store: ColumnarStore, fromTrace: number, ms: number): Promise<number> {
    let trace = fromTrace;
    for (let passedMs = 0; passedMs < ms; passedMs += PAUSE_MS) {
      await writeSpans(store, [span({ traceId: traceId(trace++) })]);
      this.#waitsSinceMs = Math.min(this.#waitsSinceMs, this.#nowMs);
      this.#nowMs += PAUSE_MS;
      this.#mock.timers.tick(PAUSE_MS);
      if (this.#nowMs - this.#waitsSinceMs < HOUR_MS) continue;
      await until(() => figure(store, 'store_head_spans') === 0);
      this.#waitsSinceMs = Infinity;
    }
    return trace;
  }
}

test('a store that is never quiet seals after an hour all the same, and not much more often', async (t) => {
  const time = new TrickleTime(t);
  await inFaultyStore(
    new FaultyFiles(),
    async (store) => {
      const next = await time.write(store, 1, HOUR_MS - 2 * PAUSE_MS);
      assert.equal(figure(store, 'store_blocks'), 0);
      await time.write(store, next, 23 * HOUR_MS);
      assert.equal(figure(store, 'store_blocks'), 23);
      assert.ok(figure(store, 'store_head_spans') <= HOUR_MS / PAUSE_MS);
      assert.equal((await readTraces(store, [traceId(1)])).length, 1);
    },
    time.options,
  );
});

test('a store that is never quiet keeps to the age that is kept, but for the hour until a span is sealed', async (t) => {
  const time = new TrickleTime(t);
  await inFaultyStore(
    new FaultyFiles(),
    async (store) => {
      let next = 1;
      for (let hour = 1; hour <= 9; hour++) {
        next = await time.write(store, next, HOUR_MS);
        await until(() => figure(store, 'store_expired_blocks_total') === Math.max(0, hour - 3));
        const isFound = async (hoursAgo: number): Promise<boolean> => {
          const trace = next - Math.round((hoursAgo * HOUR_MS) / PAUSE_MS);
          return (await readTraces(store, [traceId(trace)])).length > 0;
        };
        if (hour >= 3) assert.equal(await isFound(2.9), true, `hour ${hour}`);
        if (hour >= 5) assert.equal(await isFound(4.1), false, `hour ${hour}`);
      }
    },
    { ...time.options, retention: { maxAgeMs: 3 * HOUR_MS } },
  );
});

test('spans that wait for their slab to be full are as old after a restart as before', async (t) => {
  const time = new TrickleTime(t);
  const files = new FaultyFiles();
  let next = 1;
  for (let start = 0; start < 3; start++) {
    await inFaultyStore(
      files,
      async (store) => {
        next = await time.write(store, next, 0.4 * HOUR_MS);
        assert.equal(figure(store, 'store_blocks'), start === 2 ? 1 : 0);
      },
      time.options,
    );
  }
});
