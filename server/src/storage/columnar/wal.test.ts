// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { parseTenant } from '@spoor/core/model/ids.ts';
import { DISK_FILES } from './store-files.ts';
import type { StoreFiles } from './store-files.ts';
import { FaultyFiles } from './testing/faulty-files.ts';
import type { Fault } from './testing/faulty-files.ts';
import type { WalRecord, WalRecordInput } from './wal-record.ts';
import { replayWal } from './wal-replay.ts';
import type { WalDamage, WalReplay } from './wal-replay.ts';
import { Wal } from './wal.ts';

const DIR = '/data/wal';
const SEGMENT_BYTES = 4096;

/** A record whose whole content follows from `n`. */
function recordOf(n: number, batchBytes = 40 + ((n * 37) % 600)): WalRecordInput {
  return {
    tenant: parseTenant(`tenant-${n % 3}`),
    writtenUnixMs: 1_700_000_000_000 + n,
    requests: Array.from({ length: n % 3 }, (_, i) => ({
      digest: new Uint8Array(16).fill(n + i),
      accepted: n,
      rejected: i,
      message: 'é'.repeat(i * (n % 5)),
    })),
    batch: new Uint8Array(batchBytes).map((_, i) => n * 31 + i),
    extensions: n % 4 === 0 ? [{ type: 7, bytes: Uint8Array.of(n, 1, 2) }] : [],
  };
}

interface Opened {
  readonly replay: WalReplay;
  readonly records: WalRecord[];
  readonly damage: WalDamage[];
}

async function replayAll(files: StoreFiles, dir = DIR, sealedUpto = 0): Promise<Opened> {
  const records: WalRecord[] = [];
  const damage: WalDamage[] = [];
  const replay = await replayWal({
    files,
    dir,
    sealedUpto,
    onRecord: (record) => void records.push(record),
    onDamage: (found) => void damage.push(found),
  });
  return { replay, records, damage };
}

async function openWal(
  files: StoreFiles,
  dir = DIR,
  sealedUpto = 0,
): Promise<Opened & { wal: Wal }> {
  const opened = await replayAll(files, dir, sealedUpto);
  const { replay } = opened;
  const wal = await Wal.open({ files, dir, replay, sealedUpto, segmentBytes: SEGMENT_BYTES });
  return { ...opened, wal };
}

/** Asserts that the records are those of `recordOf` from 1 on, or the given ones, in order. */
function assertRecords(records: readonly WalRecord[], expected: readonly number[]): void {
  assert.deepEqual(
    records.map(({ sequence }) => sequence),
    expected,
  );
  for (const { sequence, ...content } of records) assert.deepEqual(content, recordOf(sequence));
}

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}

/** Appends records 1 to n one after the other, so each is a commit group. */
async function appendEach(wal: Wal, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) await wal.append([recordOf(n)]);
}

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

test('a log cut at any byte gives what lies before the cut and goes on behind it', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await appendEach(wal, 1, 5);
  await wal.close();
  const path = (await replayAll(files)).replay.segments[0]!.path;
  const whole = files.content(path);
  const ends = recordEnds(whole);
  assert.equal(ends.length, 5);
  for (let cut = ends[2]!; cut <= ends[4]!; cut++) {
    for (const grown of [false, true]) {
      const after = new FaultyFiles();
      const bytes = whole.slice(0, cut);
      const torn = new Uint8Array(grown ? whole.length : cut);
      torn.set(bytes);
      after.put(path, torn);
      const opened = await openWal(after);
      const complete = ends.filter((end) => end <= cut).length;
      // Zeros cut from the padding change nothing.
      const count = opened.records.length;
      assert.ok(count === complete || (grown && count === complete + 1), `cut ${cut}: ${count}`);
      assertRecords(opened.records, upTo(count));
      assert.deepEqual(opened.damage, []);
      await opened.wal.append([recordOf(count + 1)]);
      await opened.wal.close();
      const again = await replayAll(after);
      assertRecords(again.records, upTo(count + 1));
      assert.deepEqual(again.damage, []);
    }
  }
});

test('a flipped byte anywhere loses at most the record it is in, and is reported when more was written after', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await appendEach(wal, 1, 5);
  await wal.close();
  const path = (await replayAll(files)).replay.segments[0]!.path;
  const whole = files.content(path);
  const ends = recordEnds(whole);
  for (let at = 0; at < ends[4]!; at += at < 64 ? 1 : 3) {
    const bytes = whole.slice();
    bytes[at]! ^= 1 << (at % 8);
    const damaged = new FaultyFiles();
    damaged.put(path, bytes);
    const { records, damage } = await replayAll(damaged);
    if (at < 64) {
      assertRecords(records, upTo(5));
      assert.equal(damage.length, 1);
      continue;
    }
    const lost = ends.findIndex((end) => at < end) + 1;
    assertRecords(
      records,
      upTo(5).filter((n) => n !== lost),
    );
    // The last group cannot be told from one that a crash tore.
    assert.deepEqual(
      damage.map((found) => found.lost),
      lost === 5 ? [] : [[lost, lost]],
      `byte ${at}`,
    );
  }
});

test('damage in an older segment, a missing one and a zero-byte one are reported with what is lost', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await appendEach(wal, 1, 30);
  await wal.close();
  const { replay } = await replayAll(files);
  for (const how of ['missing', 'empty', 'zeros', 'last record', 'first missing'] as const) {
    const victim = replay.segments[how === 'first missing' ? 0 : 1];
    const lost = [victim!.firstSequence, victim!.lastSequence];
    const rest = upTo(30).filter((n) => n < lost[0]! || n > lost[1]!);
    const damaged = new FaultyFiles();
    for (const path of files.paths()) {
      let bytes = files.content(path);
      if (path === victim!.path) {
        if (how === 'missing' || how === 'first missing') continue;
        if (how === 'empty') bytes = new Uint8Array(0);
        if (how === 'zeros') bytes.fill(0);
        if (how === 'last record') bytes.fill(9, recordEnds(bytes).at(-1)! - 8);
      }
      damaged.put(path, bytes);
    }
    const found = await replayAll(damaged);
    const range = how === 'last record' ? [lost[1], lost[1]] : lost;
    assert.deepEqual(
      found.damage.map((d) => d.lost).filter((l) => l !== undefined),
      [range],
      how,
    );
    assertRecords(
      found.records,
      how === 'last record' ? upTo(30).filter((n) => n !== lost[1]) : rest,
    );
    // What is sealed elsewhere is not missed.
    assert.deepEqual(
      (await replayAll(damaged, DIR, 30)).damage.filter((d) => d.lost !== undefined),
      [],
    );
  }
});

test('a damaged segment is kept under another name when it is released', async () => {
  const files = new FaultyFiles();
  const first = await openWal(files);
  await appendEach(first.wal, 1, 30);
  await first.wal.close();
  const { path } = first.replay.segments[1] ?? (await replayAll(files)).replay.segments[1]!;
  const bytes = files.content(path);
  bytes[100]! ^= 1;
  files.put(path, bytes);
  const second = await openWal(files);
  assert.equal(second.damage.length, 1);
  second.wal.release(30);
  await second.wal.close();
  assert.deepEqual(
    files.paths().filter((p) => p.endsWith('.damaged')),
    [`${path}.damaged`],
  );
  assert.deepEqual((await replayAll(files, DIR, 30)).damage, []);
});

test('a segment of a newer format is refused before any record, and nothing is touched', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await appendEach(wal, 1, 30);
  await wal.close();
  const { path } = (await replayAll(files)).replay.segments.at(-1)!;
  const bytes = files.content(path);
  bytes.set(newerHeader(bytes.slice(0, 64)));
  files.put(path, bytes);
  const before = files.log.length;
  const records: WalRecord[] = [];
  await assert.rejects(
    replayWal({
      files,
      dir: DIR,
      sealedUpto: 0,
      onRecord: (record) => void records.push(record),
      onDamage: () => undefined,
    }),
    (error) =>
      error instanceof SpoorError &&
      error.code === 'corrupt' &&
      error.message.includes('format 2 is newer than this version reads (1)'),
  );
  assert.deepEqual(records, []);
  const calls = new Set(files.log.slice(before).map((call) => call.split(' ')[0]));
  assert.deepEqual(calls, new Set(['readdir', 'open', 'size', 'read', 'close']));
});

test('whatever file call fails, what was acknowledged is replayed once, in order, unchanged', async () => {
  /** Runs a fixed history; returns the records acknowledged, as the number that made them. */
  const run = async (
    files: FaultyFiles,
    acknowledged: Map<number, number>,
    sealed: number[],
  ): Promise<number> => {
    let refused = 0;
    let made = 0;
    for (let round = 0; round < 2; round++) {
      let wal: Wal;
      try {
        ({ wal } = await openWal(files, DIR, sealed.at(-1) ?? 0));
      } catch {
        refused++;
        continue;
      }
      for (let step = 0; step < 5; step++) {
        const appends = [0, 1, 2].map(async () => {
          const n = (made += 2);
          const { firstSequence } = await wal.append([recordOf(n), recordOf(n + 1)]);
          acknowledged.set(firstSequence, n).set(firstSequence + 1, n + 1);
        });
        for (const result of await Promise.allSettled(appends)) {
          if (result.status === 'rejected') refused++;
        }
        if (step === 3 && acknowledged.size > 4) {
          sealed.push([...acknowledged.keys()].at(-4)!);
          wal.release(sealed.at(-1)!);
        }
      }
      await wal.close();
    }
    return refused;
  };
  const clean = new FaultyFiles();
  assert.equal(await run(clean, new Map(), []), 0);
  const kinds: Fault[] = ['EIO', 'ENOSPC', 'short'];
  for (const kind of kinds) {
    for (let call = 1; call <= clean.calls; call++) {
      const files = new FaultyFiles();
      files.failAt(call, kind);
      const acknowledged = new Map<number, number>();
      const sealed: number[] = [];
      const refused = await run(files, acknowledged, sealed);
      if (kind === 'short') assert.equal(refused, 0);
      files.heal();
      for (const keep of ['nothing', 'all'] as const) {
        const sealedUpto = sealed.at(-1) ?? 0;
        const opened = await replayAll(files.powerLoss({ keep }), DIR, sealedUpto);
        const sequences = opened.records.map(({ sequence }) => sequence);
        const message = `${kind} at ${call}, ${keep} kept: ${clean.log[call - 1]}`;
        assert.deepEqual(
          sequences,
          [...new Set(sequences)].sort((a, b) => a - b),
          message,
        );
        for (const [sequence, made] of acknowledged) {
          if (sequence <= sealedUpto) continue;
          const record = opened.records.find((r) => r.sequence === sequence);
          assert.deepEqual(record, { sequence, ...recordOf(made) }, message);
        }
        assert.deepEqual(
          opened.damage.filter((d) => d.lost !== undefined),
          [],
          message,
        );
      }
    }
  }
});

test('power lost at any call with any mix of sectors written loses and invents nothing', async () => {
  const random = lcg(7);
  const clean = new FaultyFiles();
  const history = async (files: FaultyFiles, acknowledged: number[]): Promise<void> => {
    const { wal } = await openWal(files);
    let sealed = 0;
    for (let n = 1; n <= 24; n += 2) {
      await Promise.all(
        [n, n + 1].map(async (i) => {
          await wal.append([recordOf(i)]);
          acknowledged.push(i);
        }),
      );
      if (n === 13) wal.release((sealed = 6));
    }
    assert.equal(sealed, 6);
    await wal.close();
  };
  await history(clean, []);
  for (let call = 1; call <= clean.calls; call++) {
    for (let round = 0; round < 3; round++) {
      const files = new FaultyFiles();
      files.failAt(call, 'EIO', true);
      const acknowledged: number[] = [];
      await history(files, acknowledged).catch(() => undefined);
      // What was replayed once must be there for good, so a power loss follows the first one, or the kill.
      const killedOnly = round === 2;
      if (killedOnly) files.heal();
      let after = killedOnly ? files : files.powerLoss({ chance: random });
      const first = await openWal(after, DIR, 6);
      const unsealed = first.records.filter(({ sequence }) => sequence > 6);
      const last = unsealed.at(-1)?.sequence ?? 6;
      assert.ok(last >= (acknowledged.at(-1) ?? 0), `call ${call}`);
      assertRecords(
        unsealed,
        upTo(last).filter((n) => n > 6),
      );
      const next = first.wal.lastSequence + 1;
      await first.wal.append([recordOf(next)]);
      after = after.powerLoss(killedOnly ? { keep: 'nothing' } : { chance: random });
      const second = await replayAll(after, DIR, 6);
      assertRecords(
        second.records.filter(({ sequence }) => sequence > 6),
        upTo(next).filter((n) => n > 6),
      );
      assert.deepEqual(
        [...first.damage, ...second.damage].filter((d) => d.lost),
        [],
      );
    }
  }
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
  let nowMs = 0;
  const files = new FaultyFiles();
  const { replay } = await replayAll(files);
  const options = { files, dir: DIR, replay, sealedUpto: 0, segmentBytes: SEGMENT_BYTES };
  const wal = await Wal.open({ ...options, nowMs: () => nowMs });
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
  nowMs += 1000;
  for (let i = 0; i < 20; i++) await appendNext();
  assert.equal(wal.stalled, undefined);
  await wal.close();
  const { records, damage } = await replayAll(files);
  assertRecords(records, upTo(written));
  assert.deepEqual(damage, []);
});

test('a spare segment whose renaming fails for the moment is not lost', async () => {
  let nowMs = 0;
  const files = new FaultyFiles();
  const { replay } = await replayAll(files);
  const options = { files, dir: DIR, replay, sealedUpto: 0, segmentBytes: SEGMENT_BYTES };
  const wal = await Wal.open({ ...options, nowMs: () => nowMs });
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
    nowMs += 1000;
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

test('a log goes on above what is sealed when its files are gone', async () => {
  const { wal } = await openWal(new FaultyFiles(), DIR, 30);
  assert.deepEqual(await wal.append([recordOf(31)]), { firstSequence: 31, lastSequence: 31 });
  await wal.close();
});

test('no sequence is handed over twice, even when segments of two histories are mixed', async () => {
  const files = new FaultyFiles();
  const first = await openWal(files, DIR, 9);
  await appendEach(first.wal, 10, 14);
  await first.wal.close();
  const { replay } = await replayAll(files, DIR, 9);
  const other = { ...replay, lastSequence: 4 };
  const options = { files, dir: DIR, replay: other, sealedUpto: 0 };
  const wal = await Wal.open({ ...options, segmentBytes: SEGMENT_BYTES });
  await appendEach(wal, 5, 20);
  await wal.close();
  const { records } = await replayAll(files, DIR, 0);
  assertRecords(
    records,
    upTo(20).filter((n) => n >= 10),
  );
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

/** The header of a segment as a newer version would write it. */
function newerHeader(header: Uint8Array): Uint8Array {
  const bytes = header.slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(8, 2, true);
  view.setUint32(60, crc32(bytes.subarray(0, 60)), true);
  return bytes;
}

/** Ends of the records of a segment, by their headers. */
function recordEnds(segment: Uint8Array): number[] {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const ends: number[] = [];
  for (let at = 64; at + 64 <= segment.length && segment[at] === 0x53;) {
    at += view.getUint32(at + 8, true);
    ends.push(at);
  }
  return ends;
}

/** Numbers in [0, 1), the same for the same seed. */
function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
