// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { parseTenant } from '@spoor/core/model/ids.ts';
import type { StoreFiles } from '../files/store-files.ts';
import type { WalRecord, WalRecordInput } from '../wal/wal-record.ts';
import { replayWal } from '../wal/wal-replay.ts';
import type { WalDamage, WalReplay } from '../wal/wal-replay.ts';
import { Wal } from '../wal/wal.ts';

/** Where the segments lie. */
export const DIR = '/data/wal';
/** Small, so that a few records fill it. */
export const SEGMENT_BYTES = 4096;

/** A record whose whole content follows from `n`. */
export function recordOf(n: number, batchBytes = 40 + ((n * 37) % 600)): WalRecordInput {
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

/** What a replay gave. */
export interface Opened {
  readonly replay: WalReplay;
  readonly records: WalRecord[];
  readonly damage: WalDamage[];
  readonly tornEnds: unknown[];
}

/** Replays a log. */
export async function replayAll(
  files: StoreFiles,
  dir = DIR,
  sealedUpto = 0,
  logEnd = 0,
): Promise<Opened> {
  const records: WalRecord[] = [];
  const damage: WalDamage[] = [];
  const tornEnds: unknown[] = [];
  const replay = await replayWal({
    files,
    dir,
    sealedUpto,
    logEnd,
    onRecord: ({ batch, ...head }) => void records.push({ ...head, batch: batch?.slice() }),
    onDamage: (found) => void damage.push(found),
    onTornEnd: (found) => void tornEnds.push(found),
  });
  return { replay, records, damage, tornEnds };
}

/** Replays a log and opens it for appending. */
export async function openWal(
  files: StoreFiles,
  dir = DIR,
  sealedUpto = 0,
  logEnd = 0,
): Promise<Opened & { wal: Wal }> {
  const opened = await replayAll(files, dir, sealedUpto, logEnd);
  const { replay } = opened;
  const options = { files, dir, replay, sealedUpto, logEnd, segmentBytes: SEGMENT_BYTES };
  const wal = await Wal.open(options);
  return { ...opened, wal };
}

/** Asserts that the records are those of `recordOf` from 1 on, or the given ones, in order. */
export function assertRecords(records: readonly WalRecord[], expected: readonly number[]): void {
  assert.deepEqual(
    records.map(({ sequence }) => sequence),
    expected,
  );
  for (const { sequence, ...content } of records) assert.deepEqual(content, recordOf(sequence));
}

/** 1 to n. */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}

/** Appends records 1 to n one after the other, so each is a commit group. */
export async function appendEach(wal: Wal, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) await wal.append([recordOf(n)]);
}

/** Ends of the records of a segment, by their headers. */
export function recordEnds(segment: Uint8Array): number[] {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const ends: number[] = [];
  for (let at = 64; at + 64 <= segment.length && segment[at] === 0x53;) {
    at += view.getUint32(at + 8, true);
    ends.push(at);
  }
  return ends;
}
