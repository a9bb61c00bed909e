// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { writeSpans } from '#storage/testing/store-harness.ts';
import { TraceOracle } from '#storage/testing/trace-oracle.ts';
import { blockPath } from './block/block-path.ts';
import type { ColumnarStore } from './columnar-store.ts';
import { MANIFEST_FILE } from './manifest/manifest.ts';
import { shopSpans } from './testing/block-fixture.ts';
import { FaultyFiles } from './testing/faulty-files.ts';
import { figure, inFaultyStore, LogLines, SLAB_ROWS, withStore } from './testing/store-fixture.ts';
import { assertAnswers, TRIAL_TENANTS } from './testing/store-trial.ts';
import { withDirectory } from './testing/temporary-directory.ts';
import { until } from './testing/until.ts';

/** Writes spans to a store and an oracle alike. */
async function writeBoth(
  store: ColumnarStore,
  oracle: TraceOracle,
  spans: readonly Span[],
  tenant: Tenant = DEFAULT_TENANT,
): Promise<void> {
  await writeSpans(store, spans, tenant);
  oracle.write(tenant, spans);
}

/** Names of the files in a directory, sorted; none when it is not there. */
function filesIn(...path: string[]): string[] {
  return existsSync(join(...path)) ? readdirSync(join(...path)).sort() : [];
}

test('a process that ends at any moment loses nothing that was taken', () =>
  withDirectory(async (root) => {
    const [dir, copy] = [join(root, 'data'), join(root, 'copy')];
    const oracle = new TraceOracle();
    const spans = shopSpans(160, 20);
    await withStore(dir, async (store) => {
      // The copy is what the directory would be after a kill: nothing is written while it is made.
      const assertSurvives = async (): Promise<void> => {
        await cp(dir, copy, { recursive: true });
        // Twice, since a start writes too.
        await withStore(copy, () => {});
        await withStore(copy, (after) => assertAnswers(after, oracle));
        rmSync(copy, { recursive: true });
      };
      await writeBoth(store, oracle, spans.slice(0, 15));
      await writeBoth(store, oracle, spans.slice(10, 30), TRIAL_TENANTS[1]);
      // All of it is in the log only.
      await assertSurvives();
      await store.settle();
      // All of it is in blocks only.
      await assertSurvives();
      for (let at = 30; at < 150; at += 5) await writeBoth(store, oracle, spans.slice(at, at + 5));
      await store.settle();
      // Copies of what is in blocks, and what is new.
      await writeBoth(store, oracle, spans.slice(135), TRIAL_TENANTS[1]);
      await writeBoth(store, oracle, spans.slice(140, 155));
      await assertSurvives();
      await assertAnswers(store, oracle);
    });
  }));

test('a store that was shut down in the middle of sealing answers the same afterwards', () =>
  withDirectory(async (dir) => {
    const oracle = new TraceOracle();
    const spans = shopSpans(300, 30, 2);
    for (let at = 0; at < spans.length; at += 100) {
      await withStore(dir, async (store) => {
        await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            writeBoth(store, oracle, spans.slice(at + i * 5, at + i * 5 + 5), TRIAL_TENANTS[i % 2]),
          ),
        );
      });
    }
    await withStore(dir, async (store) => {
      await assertAnswers(store, oracle);
      await store.settle();
      await assertAnswers(store, oracle);
    });
  }));

test('more in the log than the head has room for is sealed while it is read back', () =>
  withDirectory(async (dir) => {
    const oracle = new TraceOracle();
    const spans = shopSpans(300, 30, 3);
    await withStore(
      dir,
      async (store) => {
        for (let at = 0; at < 300; at += 10)
          await writeBoth(store, oracle, spans.slice(at, at + 10));
        assert.equal(figure(store, 'store_blocks'), 0);
      },
      { slabRows: 10_000 },
    );
    await withStore(dir, async (store) => {
      assert.ok(figure(store, 'store_head_spans') <= 3 * SLAB_ROWS);
      await assertAnswers(store, oracle);
      await writeBoth(store, oracle, spans.slice(0, 3), TRIAL_TENANTS[1]);
      await assertAnswers(store, oracle);
      await store.settle();
    });
    await withStore(dir, async (store) => {
      assert.equal(figure(store, 'store_head_spans'), 0);
      await assertAnswers(store, oracle);
    });
  }));

test('blocks that a crash left before their commit are removed, and other files are not', () =>
  withDirectory(async (dir) => {
    const oracle = new TraceOracle();
    await withStore(dir, async (store) => {
      await writeBoth(store, oracle, shopSpans(30, 5));
      await store.settle();
    });
    const [block] = filesIn(dir, 'tenants/default');
    const whole = readFileSync(join(dir, 'tenants/default', block!));
    const leftovers = [
      blockPath(dir, DEFAULT_TENANT, 2),
      blockPath(dir, DEFAULT_TENANT, 4711),
      blockPath(dir, parseTenant('nobody'), 1),
    ];
    mkdirSync(join(dir, 'tenants/nobody'));
    // Whole or cut in the middle of writing.
    leftovers.forEach((path, i) => writeFileSync(path, whole.subarray(0, i * 500)));
    const others = [join(dir, 'tenants/a-file'), join(dir, 'tenants/default/note.txt')];
    for (const path of others) writeFileSync(path, 'not ours');
    await withStore(dir, async (store) => {
      for (const path of leftovers) assert.ok(!existsSync(path), path);
      for (const path of others) assert.ok(existsSync(path), path);
      await assertAnswers(store, oracle);
      await writeBoth(store, oracle, shopSpans(20, 3, 9));
      await store.settle();
      await assertAnswers(store, oracle);
    });
    assert.deepEqual(filesIn(dir, 'tenants/nobody'), []);
  }));

test('blocks that a missing manifest does not name any more are taken back', () =>
  withDirectory(async (dir) => {
    const oracle = new TraceOracle();
    await withStore(dir, async (store) => {
      for (const seed of [1, 2, 3]) {
        await writeBoth(store, oracle, shopSpans(40, 6, seed));
        await writeBoth(store, oracle, shopSpans(20, 6, seed), TRIAL_TENANTS[1]);
        await store.settle();
      }
      // Twice in blocks: what was merged, and what it was merged of.
      const sources = filesIn(dir, 'tenants/default').map((file) =>
        join(dir, 'tenants/default', file),
      );
      const kept = sources.map((path) => [path, readFileSync(path)] as const);
      await store.compact();
      for (const [path, content] of kept) writeFileSync(path, content);
    });
    rmSync(join(dir, MANIFEST_FILE));
    rmSync(join(dir, 'wal'), { recursive: true });
    const log = new LogLines();
    await withStore(
      dir,
      async (store) => {
        assert.match(log.lines.join(), /MANIFEST: it is missing/);
        await assertAnswers(store, oracle);
        assert.equal(figure(store, 'store_damaged_blocks'), 0);
        assert.equal(figure(store, 'store_block_spans'), 180);
        await writeBoth(store, oracle, [span()]);
        await store.settle();
        await assertAnswers(store, oracle);
      },
      { logger: log.logger },
    );
    assert.ok(filesIn(dir, 'tenants/default').every((file) => file.endsWith('.block')));
    await withStore(dir, (store) => assertAnswers(store, oracle));
  }));

test('a block that is not whole and that a missing manifest does not name is kept under another name', () =>
  withDirectory(async (dir) => {
    const oracle = new TraceOracle();
    await withStore(dir, async (store) => {
      await writeBoth(store, oracle, shopSpans(40, 6));
      await store.settle();
    });
    const [block] = filesIn(dir, 'tenants/default');
    const path = join(dir, 'tenants/default', block!);
    writeFileSync(path, readFileSync(path).subarray(0, 1000));
    rmSync(join(dir, MANIFEST_FILE));
    const log = new LogLines();
    await withStore(
      dir,
      async (store) => {
        assert.deepEqual(filesIn(dir, 'tenants/default'), [`${block!}.unnamed`]);
        assert.match(log.lines.join(), /it is not whole, .*and is set aside/);
        // The log still has what the manifest forgot.
        await assertAnswers(store, oracle);
      },
      { logger: log.logger },
    );
  }));

test('a seal that fails is tried again until it succeeds, and nothing is lost or left over', () =>
  withDirectory(async (dir) => {
    const oracle = new TraceOracle();
    const log = new LogLines();
    await withStore(
      dir,
      async (store) => {
        // A file stands where the directory of the second tenant should be.
        mkdirSync(join(dir, 'tenants'));
        writeFileSync(join(dir, 'tenants/acme'), '');
        await writeBoth(store, oracle, shopSpans(15, 4));
        await writeBoth(store, oracle, shopSpans(15, 4, 2), TRIAL_TENANTS[1]);
        await writeBoth(store, oracle, shopSpans(20, 4, 3));
        await until(() => store.unhealthy !== undefined);
        assert.match(store.unhealthy!, /sealing failed/);
        assert.match(log.lines.join(), /sealing failed.*it is tried again/);
        // Meanwhile everything goes on: what cannot be sealed stays in the head.
        await assertAnswers(store, oracle);
        await writeBoth(store, oracle, shopSpans(10, 4, 4));
        assert.deepEqual(filesIn(dir, 'tenants/default'), []);
        rmSync(join(dir, 'tenants/acme'));
        await store.settle();
        assert.equal(store.unhealthy, undefined);
        assert.equal(figure(store, 'store_head_spans'), 0);
        await assertAnswers(store, oracle);
      },
      { logger: log.logger },
    );
    assert.equal(filesIn(dir, 'tenants/default').length, 2);
    assert.equal(filesIn(dir, 'tenants/acme').length, 1);
    await withStore(dir, (store) => assertAnswers(store, oracle));
  }));

test('requests are known after a restart for fifteen minutes, while they stand in the log', () =>
  withDirectory(async (dir) => {
    let nowMs = 1_763_800_000_000;
    const options = { nowMs: () => nowMs };
    const request = (n: number) => ({
      digest: new Uint8Array(16).fill(n),
      accepted: n,
      rejected: 1,
      message: `é ${n}`,
    });
    await withStore(
      dir,
      async (store) => {
        assert.deepEqual(store.recentRequests(), []);
        for (const n of [1, 2, 3]) {
          await store.write(TRIAL_TENANTS[n % 2]!, batchOf([span()]), [
            request(n),
            request(n + 10),
          ]);
          nowMs += 5 * 60_000;
        }
      },
      options,
    );
    const known = async (): Promise<[string, number, number][]> =>
      withStore(
        dir,
        (store) => {
          const requests = store.recentRequests();
          assert.deepEqual(store.recentRequests(), [], 'they are handed over');
          return requests.map((one) => {
            assert.deepEqual(Uint8Array.from(one.digest), request(one.accepted).digest);
            assert.equal(one.message, `é ${one.accepted}`);
            return [one.tenant, one.accepted, (nowMs - one.writtenUnixMs) / 60_000];
          });
        },
        options,
      );
    assert.deepEqual(await known(), [
      ['acme', 1, 15],
      ['acme', 11, 15],
      ['default', 2, 10],
      ['default', 12, 10],
      ['acme', 3, 5],
      ['acme', 13, 5],
    ]);
    nowMs++;
    assert.equal((await known()).length, 4);
    nowMs += 60 * 60_000;
    assert.deepEqual(await known(), []);
  }));

test('a quiet store has its log emptied by sealing, so that a start reads little', () =>
  withDirectory(async (dir) => {
    const oracle = new TraceOracle();
    await withStore(
      dir,
      async (store) => {
        const spans = shopSpans(400, 20, 4);
        for (let at = 0; at < 400; at += 20)
          await writeBoth(store, oracle, spans.slice(at, at + 20));
        await store.settle();
        assert.ok(figure(store, 'store_wal_segments') <= 2);
        assert.ok(figure(store, 'store_wal_records_total') === 20);
      },
      { segmentBytes: 16 << 10 },
    );
    await withStore(dir, async (store) => {
      assert.equal(figure(store, 'store_head_spans'), 0);
      await assertAnswers(store, oracle);
    });
  }));

test('a segment of the log that only a killed start knew of is not missed after the power went', async () => {
  const dry = new FaultyFiles();
  await inFaultyStore(dry, async () => {});
  const made = dry.log.indexOf('rename 0000000001.wal') + 1;
  for (let call = 1; call < 40; call++) {
    const files = new FaultyFiles();
    files.failAt(made + 1, 'EIO', true);
    await inFaultyStore(files, async () => {}).catch(() => undefined);
    files.failAt(files.calls + call, 'EIO', true);
    await inFaultyStore(files, async () => {}).catch(() => undefined);
    await inFaultyStore(files.powerLoss({ keep: 'nothing' }), (store) => {
      assert.deepEqual(store.damage, [], `call ${call}`);
      return Promise.resolve();
    });
  }
});
