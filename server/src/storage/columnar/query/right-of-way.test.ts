// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { queryFor, readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import { afterTimeout } from '#later.ts';
import { shopSpans } from '../testing/block-fixture.ts';
import { withStore } from '../testing/store-fixture.ts';
import { withDirectory } from '../testing/temporary-directory.ts';
import type { ColumnarStore } from '../columnar-store.ts';

const MINUTES = { fromMinute: 0, toMinute: 2 ** 31 };

/** Everything that gives way. */
async function askAll(store: ColumnarStore): Promise<unknown[]> {
  const services = await store.getServices(DEFAULT_TENANT);
  const answers = await Promise.all([
    store.findTraces(DEFAULT_TENANT, queryFor(undefined, { limit: 1000 })),
    store.getDependencies(DEFAULT_TENANT, MINUTES),
    store.getSpanMetrics(DEFAULT_TENANT, {
      ...MINUTES,
      services,
      kinds: [1, 2, 3, 4, 5],
      byOperation: true,
    }),
    store.getOperations(DEFAULT_TENANT, services[0]!),
  ]);
  return answers.map((answer) => (Symbol.iterator in answer ? [...answer] : answer));
}

test('a question that is stopped again and again has the answer that it has alone', () =>
  withDirectory(async (dir) => {
    const spans = shopSpans(3000, 100);
    const ids = [...new Set(spans.map(({ traceId }) => traceId))];
    let stops = 0;
    await withStore(
      dir,
      async (store) => {
        for (let at = 0; at < spans.length; at += 300) {
          await writeSpans(store, spans.slice(at, at + 300));
        }
        const alone = await askAll(store);
        for (let round = 0; round < 20; round++) {
          // Nothing is counted yet of what is new.
          await writeSpans(store, spans.slice(round * 10, round * 10 + 100));
          const asked = askAll(store);
          for (let i = 0; i < 10; i++) {
            const traces = await readTraces(store, [ids[(round * 10 + i) % ids.length]!]);
            assert.equal(traces.length, 1);
          }
          assert.deepEqual(await asked, alone);
        }
      },
      {
        slabRows: 700,
        later: (action, delayMs) => {
          const isSlice = Number.isInteger(Math.log2(delayMs / 100));
          if (isSlice && delayMs > 100) stops++;
          return afterTimeout(action, isSlice ? 0 : delayMs);
        },
      },
    );
    assert.ok(stops > 0, 'no question was stopped');
  }));
