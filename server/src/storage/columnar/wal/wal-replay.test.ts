// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { FaultyFiles } from '../testing/faulty-files.ts';
import {
  DIR,
  SEGMENT_BYTES,
  appendEach,
  assertRecords,
  openWal,
  recordEnds,
  recordOf,
  replayAll,
  upTo,
} from '../testing/wal-fixture.ts';
import type { WalRecord } from './wal-record.ts';
import { replayWal } from './wal-replay.ts';
import { SEGMENT_HEADER_BYTES } from './wal-segment.ts';
import { Wal } from './wal.ts';

/** A log of five records that was closed: its only segment, and where its records end in that. */
async function logOfFive(): Promise<{
  files: FaultyFiles;
  path: string;
  whole: Uint8Array;
  ends: number[];
}> {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await appendEach(wal, 1, 5);
  await wal.close();
  const path = (await replayAll(files)).replay.segments[0]!.path;
  const whole = files.content(path);
  return { files, path, whole, ends: recordEnds(whole) };
}

test('a log cut at any byte gives what lies before the cut and goes on behind it', async () => {
  const { path, whole, ends } = await logOfFive();
  assert.equal(ends.length, 5);
  for (let cut = ends[2]!; cut <= ends[4]!; cut++) {
    for (const grown of [false, true]) {
      // The reading is tried at every byte, going on at some.
      const goesOn = cut % 8 === 1 || cut >= ends[4]! - 8;
      const after = new FaultyFiles();
      const bytes = whole.slice(0, cut);
      const torn = new Uint8Array(grown ? whole.length : cut);
      torn.set(bytes);
      after.put(path, torn);
      const opened = await replayAll(after);
      const complete = ends.filter((end) => end <= cut).length;
      // Zeros cut from the padding change nothing.
      const count = opened.records.length;
      assert.ok(count === complete || (grown && count === complete + 1), `cut ${cut}: ${count}`);
      assertRecords(opened.records, upTo(count));
      // Zeros are what a crash leaves; a file that became shorter was damaged.
      const short = new RegExp(`is cut at byte ${cut} of ${whole.length}`);
      assert.equal(opened.damage.length, grown ? 0 : 1);
      if (!grown) assert.match(opened.damage[0]!.message, short);
      if (!goesOn) continue;
      const next = (await openWal(after)).wal;
      await next.append([recordOf(count + 1)]);
      await next.close();
      const again = await replayAll(after);
      assertRecords(again.records, upTo(count + 1));
      assert.equal(again.damage.length, grown ? 0 : 1);
    }
  }
});

test('a flipped byte anywhere loses at most the record it is in, and is reported when more was written after', async () => {
  const { path, whole, ends } = await logOfFive();
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

test('records of an earlier life of a file are not replayed, whatever its header says', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await appendEach(wal, 1, 30);
  await wal.close();
  const { replay } = await replayAll(files);
  const recycled = files.content(replay.segments.at(-1)!.path);
  recycled.fill(0, 0, 64);
  const other = new FaultyFiles();
  const [{ path } = { path: '' }] = replay.segments;
  other.put(path, recycled);
  const { records, replay: found } = await replayAll(other, DIR, 9);
  assert.deepEqual(records, []);
  assert.deepEqual(
    found.unused.map((segment) => segment.path),
    [path],
  );
});

test('of what is sealed the heads are handed over and no batch is read, nor what is behind a known end', async () => {
  const files = new FaultyFiles();
  const { replay } = await replayAll(files);
  const segmentBytes = 8 << 20;
  const wal = await Wal.open({ files, dir: DIR, replay, sealedUpto: 0, segmentBytes });
  const batchBytes = 256 << 10;
  for (let n = 1; n <= 12; n++) await wal.append([recordOf(n, batchBytes)]);
  await wal.close();
  let bytesRead = 0;
  const open = files.open.bind(files);
  files.open = async (path, mode) => {
    const file = await open(path, mode);
    const read = file.read.bind(file);
    file.read = async (into, position) => {
      const count = await read(into, position);
      bytesRead += count;
      return count;
    };
    return file;
  };
  const { records, damage } = await replayAll(files, DIR, 11, 12);
  assert.deepEqual(damage, []);
  for (const [i, { batch, ...head }] of records.entries()) {
    const { batch: written, ...expected } = recordOf(i + 1, batchBytes);
    assert.deepEqual(head, { sequence: i + 1, ...expected });
    assert.ok(i < 11 ? batch === undefined : Buffer.from(batch!).equals(written));
  }
  assert.equal(records.length, 12);
  // One window for the header of the segment, one where the records begin, one for the batch.
  assert.ok(bytesRead < 3.5 * (1 << 20), String(bytesRead));
});

test('what comes after a known end that cannot be read is replayed', async () => {
  const files = new FaultyFiles();
  const first = await openWal(files);
  await appendEach(first.wal, 1, 5);
  await first.wal.close();
  const path = (await replayAll(files)).replay.segments[0]!.path;
  const bytes = files.content(path).slice();
  bytes.fill(0, recordEnds(bytes)[3]!);
  files.put(path, bytes);
  const second = await openWal(files, DIR, 0, 5);
  assertRecords(second.records, upTo(4));
  await appendEach(second.wal, 6, 9);
  await second.wal.close();
  const { records, damage } = await replayAll(files, DIR, 0, 5);
  assertRecords(records, [1, 2, 3, 4, 6, 7, 8, 9]);
  assert.deepEqual(
    damage.map(({ lost }) => lost),
    [[5, 5]],
  );
});

test('damage to what is sealed hides nothing behind it, whether heads have a checksum or not', async () => {
  const { path, whole, ends } = await logOfFive();
  for (const hasHeadChecksums of [true, false]) {
    const log = hasHeadChecksums ? whole : withoutHeadChecksums(whole);
    for (let at = 64; at < ends[2]!; at++) {
      const bytes = log.slice();
      bytes[at]! ^= 1 << (at % 8);
      const damaged = new FaultyFiles();
      damaged.put(path, bytes);
      const { records, damage } = await replayAll(damaged, DIR, 3);
      assert.deepEqual(damage, []);
      const sealed = records.filter(({ sequence }) => sequence <= 3);
      assert.ok(sealed.length >= 2, `byte ${at}: ${sealed.length}`);
      for (const { sequence, ...head } of sealed) {
        assert.deepEqual(head, { ...recordOf(sequence), batch: undefined });
      }
      assertRecords(
        records.filter(({ sequence }) => sequence > 3),
        [4, 5],
      );
    }
  }
});

/** A segment as it was written before heads of records had a checksum. */
function withoutHeadChecksums(segment: Uint8Array): Uint8Array {
  const bytes = segment.slice();
  const view = new DataView(bytes.buffer);
  const ends = recordEnds(bytes);
  for (const [i, end] of ends.entries()) {
    const start = ends[i - 1] ?? 64;
    view.setUint32(start + 60, 0, true);
    view.setUint32(start + 4, crc32(bytes.subarray(start + 8, end)), true);
  }
  return bytes;
}

/** The header of a segment as a newer version would write it. */
function newerHeader(header: Uint8Array): Uint8Array {
  const bytes = header.slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(8, 2, true);
  view.setUint32(60, crc32(bytes.subarray(0, 60)), true);
  return bytes;
}

test('a log that is only looked at is not written to, one that is built upon has its last group written again', async () => {
  const files = new FaultyFiles();
  const { wal } = await openWal(files);
  await appendEach(wal, 1, 3);
  await wal.close();
  for (const readOnly of [true, false]) {
    const from = files.log.length;
    const options = { files, dir: DIR, sealedUpto: 0, readOnly };
    await replayWal({ ...options, onRecord: () => {}, onDamage: () => {} });
    const writes = files.log.slice(from).filter((call) => /^(writev|fdatasync) /.test(call));
    assert.equal(writes.length, readOnly ? 0 : 2, writes.join());
  }
});

test('without a header a first group that power tore is no damage, and one with another behind it is', async () => {
  for (const [groups, damages, records] of [
    [1, 0, []],
    [2, 2, [4]],
  ] as const) {
    const files = new FaultyFiles();
    const { wal } = await openWal(files);
    await wal.append([1, 2, 3].map((n) => recordOf(n)));
    if (groups > 1) await wal.append([recordOf(4)]);
    await wal.close();
    const path = (await replayAll(files)).replay.segments[0]!.path;
    const bytes = files.content(path);
    // The header and the first two records are not there.
    bytes.fill(0, 0, recordEnds(bytes)[1]!);
    files.put(path, bytes);
    const { damage, records: found, replay, tornEnds } = await replayAll(files);
    assert.equal(tornEnds.length, 2 - groups);
    assert.equal(damage.length, damages, damage.map(({ message }) => message).join('; '));
    assertRecords(
      found.filter(({ sequence }) => sequence > 3),
      records,
    );
    assert.equal(replay.unused.length, 2 - groups);
  }
});

test('a record that is begun and not whole at the end of the log is told, and what an earlier life left is not', async () => {
  for (const isRecycled of [false, true]) {
    const { files, path, whole, ends } = await logOfFive();
    // Records of another life, of the same sizes, behind those of this one.
    const old = whole.slice();
    if (isRecycled) {
      const view = new DataView(old.buffer);
      for (const at of [SEGMENT_HEADER_BYTES, ...ends.slice(0, 4)]) {
        view.setUint32(at + 12, 77, true);
        view.setUint32(at + 24, 1000 + at, true);
      }
    } else {
      old.fill(0);
    }
    const withEnd = (end: number): Uint8Array => {
      const bytes = whole.slice();
      bytes.set(old.subarray(end), end);
      return bytes;
    };
    for (const end of [ends[4]!, ends[3]!]) {
      files.put(path, withEnd(end));
      assert.deepEqual((await replayAll(files)).tornEnds, []);
    }
    for (let at = ends[3]!; at < ends[4]!; at++) {
      const bytes = withEnd(ends[4]!);
      bytes[at]! ^= 1 << (at % 8);
      files.put(path, bytes);
      const { damage, records, tornEnds } = await replayAll(files);
      assertRecords(records, upTo(4));
      assert.deepEqual(damage, []);
      assert.deepEqual(tornEnds, [
        {
          path,
          message: `write-ahead log: what begins at byte ${ends[3]} of 0000000001.wal is no whole record: taken for a write that a crash cut off, of which no sender was told`,
        },
      ]);
      // A log that was closed in good order has no such write.
      const closed = await replayAll(files, DIR, 0, 5);
      assert.deepEqual(closed.tornEnds, []);
      assert.deepEqual(
        closed.damage.map(({ message, lost }) => [message, lost]),
        [
          [
            'write-ahead log: 0000000001.wal is damaged at its end: records 5 to 5 are lost',
            [5, 5],
          ],
        ],
      );
      assert.equal(closed.replay.segments[0]!.damaged, true);
    }
  }
});
