// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DISK_FILES } from '../directory/disk-files.ts';
import { FaultyFiles } from '../testing/faulty-files.ts';
import {
  DIR,
  SEGMENT_BYTES,
  assertRecords,
  openWal,
  recordOf,
  replayAll,
  upTo,
} from '../testing/wal-fixture.ts';
import { Wal } from './wal.ts';

test('records come back as they were, in order, over many segments on a real disk', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'spoor-wal-'));
  const dir = join(parent, 'wal');
  try {
    const first = await openWal(DISK_FILES, dir);
    const positions = await Promise.all(upTo(60).map((n) => first.wal.append([recordOf(n)])));
    await first.wal.close();
    assert.deepEqual(
      positions.map(({ firstSequence }) => firstSequence),
      upTo(60),
    );
    const second = await openWal(DISK_FILES, dir);
    assertRecords(second.records, upTo(60));
    assert.deepEqual(second.damage, []);
    assert.ok(second.replay.segments.length > 3);
    assert.deepEqual(await second.wal.append([recordOf(61), recordOf(62)]), {
      firstSequence: 61,
      lastSequence: 62,
    });
    await second.wal.close();
    assertRecords((await replayAll(DISK_FILES, dir)).records, upTo(62));
  } finally {
    await rm(parent, { recursive: true });
  }
});

test('a batch in shared memory is written, and is handed back aligned to 8 in memory of its own', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  const batch = new Uint8Array(new SharedArrayBuffer(1001), 1).map((_, i) => i);
  await wal.append([{ ...recordOf(1), batch }]);
  await wal.close();
  const [record] = (await replayAll(files)).records;
  assert.deepEqual(record!.batch, new Uint8Array(batch));
  assert.equal(record!.batch.byteOffset % 8, 0);
  assert.equal(record!.batch.buffer.byteLength, 1000);
});

test('appends that arrive during a commit share one write and one sync', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await wal.append([recordOf(1)]);
  const before = files.log.length;
  const first = wal.append([recordOf(2)]);
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  const others = [3, 4, 5].map((n) => wal.append([recordOf(n)]));
  await Promise.all([first, ...others]);
  const calls = files.log.slice(before).map((call) => call.split(' ')[0]);
  assert.deepEqual(calls, ['writev', 'fdatasync', 'writev', 'fdatasync']);
  assert.equal(wal.figures().groups, 3);
  await wal.close();
});

test('a record larger than a segment gets a segment of its own', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  const large = recordOf(2, 3 * SEGMENT_BYTES);
  await Promise.all([recordOf(1), large, recordOf(3)].map((record) => wal.append([record])));
  await wal.close();
  const { records, replay } = await replayAll(files);
  assert.deepEqual(
    records.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  assert.deepEqual(records[1]!.batch, large.batch);
  assert.equal(replay.segments.length, 3);
});

test('a large record may come while the next segment is made ready', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await wal.append([recordOf(1, 3000)]);
  const large = recordOf(2, 3 * SEGMENT_BYTES);
  const small = recordOf(3);
  await Promise.all([wal.append([large]), wal.append([small])]);
  await wal.close();
  const { records, damage } = await replayAll(files);
  assert.deepEqual(
    records.map(({ batch }) => batch),
    [recordOf(1, 3000).batch, large.batch, small.batch],
  );
  assert.deepEqual(
    records.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  assert.deepEqual(damage, []);
  assert.ok(files.paths().every((path) => path.endsWith('.wal')));
});

test('what a crash left of a segment being made is removed', async () => {
  const files = new FaultyFiles();
  const left = `${DIR}/0000000001.wal.tmp`;
  files.put(left, new Uint8Array(100));
  const { wal } = await openWal(files);
  await wal.close();
  assert.ok(!files.paths().includes(left));
});

test('released segments are used again, and what stands in them from before is never replayed', async () => {
  const files = new FaultyFiles();
  let { wal } = await openWal(files);
  let sealed = 0;
  for (let n = 1; n <= 200; n++) {
    await wal.append([recordOf(n)]);
    if (n % 20 === 0) {
      sealed = n - 5;
      wal.release(sealed);
    }
    if (n % 33 === 0) {
      await wal.close();
      const reopened = await openWal(files, DIR, sealed);
      assert.deepEqual(reopened.damage, []);
      const unsealed = reopened.records.filter(({ sequence }) => sequence > sealed);
      assertRecords(
        unsealed,
        upTo(n).filter((s) => s > sealed),
      );
      wal = reopened.wal;
    }
  }
  await wal.close();
  assert.ok(files.paths().length < 8, files.paths().join());
  assert.ok(files.log.filter((call) => call.startsWith('rename 0')).length > 5);
});

test('a failed sync refuses everything for ever and is not tried again', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await wal.append([recordOf(1)]);
  const calls = files.calls + 2;
  files.failAt(calls, 'EIO');
  const appends = [wal.append([recordOf(2)]), wal.append([recordOf(3)])];
  const settled = Promise.allSettled(appends);
  while (files.calls < calls) await new Promise((resolve) => setImmediate(resolve));
  // Waits for its turn when the sync fails.
  await assert.rejects(wal.append([recordOf(4)]), /a write failed/);
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.match(wal.failed!, /a write failed.*EIO: fdatasync/);
  await assert.rejects(
    wal.append([recordOf(2)]),
    (error) => error instanceof SpoorError && error.code === 'unavailable' && error.retryable,
  );
  assert.equal(files.calls, calls);
  await wal.close();
});

test('a full disk refuses appends only until there is space again', async () => {
  const files = new FaultyFiles();
  const { wal, passTime } = await openWithClock(files);
  files.capacityBytes = 3 * SEGMENT_BYTES;
  let written = 0;
  const appendNext = async (): Promise<void> => {
    await wal.append([recordOf(written + 1)]);
    written++;
  };
  await assert.rejects(
    async () => {
      while (written < 100) await appendNext();
    },
    (error) => error instanceof SpoorError && error.code === 'unavailable',
  );
  assert.match(wal.stalled!, /no new segment can be made: ENOSPC/);
  assert.equal(wal.failed, undefined);
  files.capacityBytes = Infinity;
  const calls = files.calls;
  await assert.rejects(appendNext(), /ENOSPC/);
  assert.equal(files.calls, calls, 'not tried again before its time');
  passTime();
  while (wal.stalled !== undefined) await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 20; i++) await appendNext();
  await wal.close();
  const { records, damage } = await replayAll(files);
  assertRecords(records, upTo(written));
  assert.deepEqual(damage, []);
});

test('a spare segment whose renaming fails for the moment is not lost', async () => {
  const files = new FaultyFiles();
  const { wal, passTime } = await openWithClock(files);
  let appended = 0;
  const appendNext = async (): Promise<void> => {
    const { lastSequence } = await wal.append([recordOf(appended + 1)]);
    appended++;
    wal.release(lastSequence);
  };
  for (let i = 0; i < 100; i++) await appendNext();
  const count = files.paths().length;
  for (const call of ['rename', 'fsyncDir', 'rename', 'fsyncDir'] as const) {
    files.failEach(call, 'ENOSPC');
    await assert.rejects(
      async () => {
        for (let i = 0; i < 100; i++) await appendNext();
      },
      new RegExp(`no new segment can be made: ENOSPC: ${call}`),
    );
    files.heal();
    passTime();
    await appendNext();
  }
  await wal.close();
  assert.ok(files.paths().length <= count, files.paths().join());
  const { records, damage } = await replayAll(files);
  const present = records.map(({ sequence }) => sequence);
  assert.equal(present.at(-1), appended);
  assertRecords(records, present);
  assert.deepEqual(
    damage.filter((d) => d.lost?.[1] === appended),
    [],
  );
});

test('used-up segments are kept while others are asked for, and a log at rest is what it writes to and what comes next', async () => {
  const files = new FaultyFiles();
  const { wal, passTime } = await openWithClock(files);
  const appendSome = async (): Promise<number> => {
    let last = 0;
    for (let i = 0; i < 30; i++) last = (await wal.append([recordOf(last + 1)])).lastSequence;
    return last;
  };
  const untilTwo = async (): Promise<void> => {
    while (files.paths().length > 2) await new Promise((resolve) => setImmediate(resolve));
  };
  wal.release(await appendSome());
  wal.release(await appendSome());
  const used = files.log.filter((call) => call.startsWith('rename') && call.endsWith('.wal'));
  assert.ok(used.length >= 2, files.log.join('\n'));
  passTime();
  await untilTwo();
  // What is given back at rest goes as well.
  const last = await appendSome();
  assert.ok(files.paths().length > 2);
  passTime();
  wal.release(last);
  await untilTwo();
  const { lastSequence } = await wal.append([recordOf(last + 1)]);
  await wal.close();
  assert.equal((await replayAll(files)).records.at(-1)!.sequence, lastSequence);
});

test('a log goes on above what is sealed when its files are gone', async () => {
  const { wal } = await openWal(new FaultyFiles(), DIR, 30);
  assert.deepEqual(await wal.append([recordOf(31)]), { firstSequence: 31, lastSequence: 31 });
  await wal.close();
});

test('a closed log refuses, and closing twice is harmless', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  const last = wal.append([recordOf(1)]);
  await Promise.all([wal.close(), wal.close()]);
  await last;
  await assert.rejects(wal.append([recordOf(2)]), /it is closed/);
  assertRecords((await replayAll(files)).records, [1]);
});

/** Opens a log whose retries happen when `passTime` is called. */
async function openWithClock(files: FaultyFiles): Promise<{ wal: Wal; passTime: () => void }> {
  const due: (() => void)[] = [];
  const { replay } = await replayAll(files);
  const wal = await Wal.open({
    files,
    dir: DIR,
    replay,
    sealedUpto: 0,
    segmentBytes: SEGMENT_BYTES,
    later: (action) => {
      due.push(action);
      return () => due.splice(due.indexOf(action), 1);
    },
  });
  return { wal, passTime: () => due.splice(0).forEach((action) => action()) };
}
