// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { readTraces, writeSpans } from '#storage/testing/store-harness.ts';
import { shopSpans } from './testing/block-fixture.ts';
import { FaultyFiles } from './testing/faulty-files.ts';
import { figure, inFaultyStore, storeOnFaulty } from './testing/store-fixture.ts';

const SPANS = shopSpans(90, 9, 3);

function isUnavailable(error: unknown): boolean {
  return error instanceof SpoorError && error.code === 'unavailable';
}

/** A store with blocks, and with more than a slab in its log, copies among it. */
async function stoppedStore(): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  await inFaultyStore(files, async (store) => {
    for (let at = 0; at < 40; at += 10) await writeSpans(store, SPANS.slice(at, at + 10));
    await store.settle();
  });
  const options = { slabRows: 1000 };
  await inFaultyStore(
    files,
    async (store) => {
      for (let at = 0; at < 90; at += 10) await writeSpans(store, SPANS.slice(at, at + 10));
    },
    options,
  );
  return files;
}

/** Counts the files of the main thread that are open. */
function countOpen(t: TestContext, files: FaultyFiles): { readonly paths: Set<string> } {
  const paths = new Set<string>();
  const open = files.open.bind(files);
  t.mock.method(files, 'open', async (...args: Parameters<typeof open>) => {
    const file = await open(...args);
    paths.add(args[0]);
    const close = file.close.bind(file);
    return {
      ...file,
      close: () => {
        paths.delete(args[0]);
        return close();
      },
    };
  });
  return { paths };
}

/** All that was written is there, for a store that opens the directory now. */
async function assertWhole(files: FaultyFiles, what: string): Promise<void> {
  await inFaultyStore(files, async (store) => {
    assert.deepEqual(store.damage, [], what);
    const ids = [...new Set(SPANS.map((span) => span.traceId))];
    const found = await readTraces(store, ids);
    assert.equal(found.flat().length, SPANS.length, what);
  });
}

test('a shutdown while the store starts waits for the start, and leaves nothing open', async (t) => {
  const before = await stoppedStore();
  let isLast = false;
  for (let turns = 0; !isLast; turns++) {
    const what = `shutdown after ${turns} turns`;
    const files = before.copy();
    const opened = countOpen(t, files);
    const store = storeOnFaulty(files);
    let hasEnded = false;
    const started = store
      .start()
      .then(
        () => true,
        (error: unknown) => {
          assert.ok(isUnavailable(error), `${what}: ${String(error)}`);
          return false;
        },
      )
      .finally(() => (hasEnded = true));
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    isLast = hasEnded;
    await store.shutdown();
    assert.ok(hasEnded, what);
    assert.equal(await started, isLast, what);
    assert.deepEqual([...opened.paths], [], what);
    await assert.rejects(writeSpans(store, SPANS.slice(0, 1)), isUnavailable, what);
    assert.notEqual(store.unhealthy, undefined, what);
    await assert.rejects(store.start(), isUnavailable, what);
    await assertWhole(files, what);
    assert.ok(turns < 1000, 'the start never ends');
  }
});

test('a start that fails closes what it opened, whichever call fails', async (t) => {
  const before = await stoppedStore();
  // All that is read back has room while nothing can be sealed.
  const options = { slabRows: 40 };
  const dry = before.copy();
  const dryStore = storeOnFaulty(dry, options);
  await dryStore.start();
  const { calls } = dry;
  await dryStore.shutdown();
  let failures = 0;
  for (let call = 1; call <= calls; call++) {
    const files = before.copy();
    const opened = countOpen(t, files);
    files.failAt(call, 'EIO');
    const store = storeOnFaulty(files, options);
    try {
      await store.start();
    } catch (error) {
      assert.ok(error instanceof SpoorError, String(error));
      failures++;
      assert.deepEqual([...opened.paths], [], `call ${call}`);
    }
    await store.shutdown();
    assert.deepEqual([...opened.paths], [], `call ${call}, after the shutdown`);
  }
  assert.ok(failures > 20, `${failures} starts failed`);
});

test('what waits for spans to be sealed is told when the store is shut down before', async () => {
  const files = new FaultyFiles();
  const store = storeOnFaulty(files, { slabRows: 1000 });
  await store.start();
  await writeSpans(store, SPANS);
  const where = { op: 'and', args: [] } as const;
  const waiting = [
    store.settle(),
    store.compact(),
    store.deleteSpans(DEFAULT_TENANT, { where }),
  ].map((one) => assert.rejects(one, isUnavailable));
  await store.shutdown();
  await Promise.all(waiting);
  assert.equal(figure(store, 'store_head_spans'), SPANS.length);
  assert.deepEqual(
    files.paths().filter((path) => path.endsWith('.block')),
    [],
  );
  await assertWhole(files, 'after a restart');
});

test('each shutdown waits until the store is shut down', async () => {
  const files = new FaultyFiles();
  const store = storeOnFaulty(files);
  await store.start();
  await writeSpans(store, SPANS.slice(0, 3));
  const ended: string[] = [];
  const first = store.shutdown().then(() => ended.push('first'));
  await store.shutdown();
  ended.push('second');
  await inFaultyStore(files, async (next) => {
    assert.equal((await readTraces(next, [SPANS[0]!.traceId])).length > 0, true);
  });
  await first;
  assert.deepEqual(ended, ['first', 'second']);
  await store.shutdown();
});
