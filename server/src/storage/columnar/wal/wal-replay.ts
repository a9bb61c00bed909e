// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { StoreFiles } from '../files/store-files.ts';
import {
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  RECORD_MAGIC,
  checkRecord,
  checkRecordHead,
  claimedHeadLength,
  claimedLength,
  claimedSequence,
  claimsSegment,
  decodeRecord,
  decodeRecordHead,
  resemblesRecord,
} from './wal-record.ts';
import type { RecordHeader, WalRecord } from './wal-record.ts';
import {
  SEGMENT_HEADER_BYTES,
  SegmentReader,
  decodeSegmentHeader,
  listSegments,
  refuseNewer,
} from './wal-segment.ts';

/** A segment with records. */
interface ReplayedSegment {
  readonly id: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly firstSequence: number;
  /** `firstSequence - 1` when no record could be read. */
  readonly lastSequence: number;
  readonly damaged: boolean;
}

interface UnusedSegment {
  readonly id: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly damaged: boolean;
}

/** A place where the log cannot be read although it once could. */
export interface WalDamage {
  readonly path: string;
  /** What is wrong, with the numbers; a whole sentence for the log. */
  readonly message: string;
  /** Records lost, from the sequence to the sequence, both included; undefined when none or unknown. */
  readonly lost: readonly [from: number, to: number] | undefined;
}

/**
 * The end of a log where something was written that is no whole record. Power that goes leaves any of the sectors of the last write, so
 * the last write before a crash that was damaged later looks the same.
 */
interface WalTornEnd {
  readonly path: string;
  /** A whole sentence for the log. */
  readonly message: string;
}

/** What {@link replayWal} found. */
export interface WalReplay {
  /** Highest sequence in the log, 0 for none. */
  readonly lastSequence: number;
  /** Segments that hold records, ascending. */
  readonly segments: readonly ReplayedSegment[];
  /** Segments that hold nothing: prepared and never used, or damaged so that nothing can be read. */
  readonly unused: readonly UnusedSegment[];
  readonly records: number;
}

/** Arguments of {@link replayWal}. */
export interface WalReplayOptions {
  readonly files: StoreFiles;
  /** Directory of the segments; may be missing. */
  readonly dir: string;
  /** Everything up to this sequence is stored elsewhere: holes there are no damage, and of records only the head is needed. */
  readonly sealedUpto: number;
  /**
   * The last record of a log that was closed in good order, if it is known: it must be there, and behind it in its segment nothing is
   * looked for, since what came later began another one.
   */
  readonly logEnd?: number;
  /**
   * Takes each record, by ascending sequence, each once; also those up to `sealedUpto` that still stand in
   * the log. A promise is waited for; the batch is gone then.
   */
  readonly onRecord: (record: WalRecord) => void | Promise<void>;
  readonly onDamage: (damage: WalDamage) => void;
  /** Takes what is behind the last record and no whole one: a write that a crash cut off, as far as can be told. */
  readonly onTornEnd?: (end: WalTornEnd) => void;
  /** Nothing is written, as only one who builds upon the log must: see {@link SegmentReader.harden}. */
  readonly readOnly?: boolean;
}

interface FoundSegment {
  readonly id: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly salt: number;
  readonly firstSequence: number;
  readonly headerDamaged: boolean;
  /** Size that the file was made with; 0 when the header is damaged. */
  readonly madeBytes: number;
}

interface FoundRecord {
  readonly at: number;
  readonly header: RecordHeader;
}

/** Which records are looked for: of this segment, without a salt of any life with its id. */
interface WantedRecords {
  readonly id: number;
  readonly salt?: number;
  /** Up to this sequence the checksum of a record's head will do. */
  readonly sealedUpto: number;
}

/**
 * Reads the log from its first segment on. It changes the content of no file, so it can be repeated at will.
 *
 * The end of the last segment may be torn: what was never acknowledged is left out. A record that cannot be
 * read but was once durable is reported, and reading goes on behind it.
 * @throws {SpoorError} corrupt when a segment is of a newer format, before the first record is handed over;
 * errors of `files` and `onRecord` as they are
 */
export async function replayWal(options: WalReplayOptions): Promise<WalReplay> {
  const { files, dir, sealedUpto } = options;
  const found: FoundSegment[] = [];
  const unused: UnusedSegment[] = [];
  const unreadable: WalDamage[] = [];
  const torn: { id: number; path: string }[] = [];
  for (const { id, path } of await listSegments(files, dir)) {
    const reader = await SegmentReader.open(files, path);
    try {
      const segment = await inspectSegment(reader, id, path);
      if (typeof segment === 'object') {
        found.push(segment);
      } else {
        const damaged = segment === 'unreadable';
        unused.push({ id, path, sizeBytes: reader.sizeBytes, damaged });
        if (segment === 'torn') torn.push({ id, path });
        if (damaged) {
          unreadable.push({
            path,
            message: `write-ahead log: ${basename(path)} (${reader.sizeBytes} bytes) has no header and no record`,
            lost: undefined,
          });
        }
      }
    } finally {
      await reader.close();
    }
  }
  unreadable.forEach(options.onDamage);

  const segments: ReplayedSegment[] = [];
  let last = 0;
  let records = 0;
  let tornEnd: WalTornEnd | undefined;
  const tornAt = (path: string, at: number): void => {
    tornEnd = {
      path,
      message: `write-ahead log: what begins at byte ${at} of ${basename(path)} is no whole record: taken for a write that a crash cut off, of which no sender was told`,
    };
  };
  for (const { id, path } of torn) if (id > (found.at(-1)?.id ?? 0)) tornAt(path, 0);
  for (const [i, segment] of found.entries()) {
    const damages = segment.headerDamaged
      ? [
          `write-ahead log: the header of ${basename(segment.path)} is damaged; its records are read`,
        ]
      : [];
    if (segment.sizeBytes < segment.madeBytes) {
      damages.push(
        `write-ahead log: ${basename(segment.path)} is cut at byte ${segment.sizeBytes} of ${segment.madeBytes}; records behind that are lost`,
      );
    }
    damages.forEach((message) => {
      options.onDamage({ path: segment.path, message, lost: undefined });
    });
    const damageAt = (at: number, from: number, to: number): void => {
      const unsealed = Math.max(from, sealedUpto + 1);
      if (unsealed > to) return;
      const message = `write-ahead log: ${basename(segment.path)} is damaged at byte ${at}; records ${unsealed} to ${to} are lost`;
      damages.push(message);
      options.onDamage({ path: segment.path, message, lost: [unsealed, to] });
    };
    if (i === 0) damageAt(0, sealedUpto + 1, segment.firstSequence - 1);
    last = Math.max(i === 0 ? 0 : last, segment.firstSequence - 1);
    const end = found[i + 1]?.firstSequence;
    const isHardened = end === undefined && options.readOnly !== true;
    const reader = await SegmentReader.open(files, segment.path, isHardened ? 'update' : 'read');
    // The last commit group; the first one was written with the header.
    let [groupStart, groupEnd] = [0, 0];
    try {
      const wanted = { ...segment, sealedUpto };
      const onTorn = (at: number): void => tornAt(segment.path, at);
      for await (const found of segmentRecords(reader, wanted, last, end, { damageAt, onTorn })) {
        const { record, header, at } = found;
        if (header.groupFirst === header.sequence && groupEnd > 0) groupStart = at;
        groupEnd = at + header.lengthBytes;
        last = record.sequence;
        records++;
        await options.onRecord(record);
        if (record.sequence === options.logEnd) break;
      }
      // What is replayed must be there for good. Of all groups only the last may not be.
      if (isHardened) await reader.harden(groupStart, groupEnd);
    } finally {
      await reader.close();
    }
    segments.push({
      id: segment.id,
      path: segment.path,
      sizeBytes: segment.sizeBytes,
      firstSequence: segment.firstSequence,
      lastSequence: last,
      damaged: damages.length > 0,
    });
  }
  const { logEnd = 0 } = options;
  const readUpto = Math.max(last, sealedUpto);
  if (readUpto < logEnd) {
    const end = segments.at(-1);
    // They were at the end of the last segment that can be read, or in the next, which looks as if it had never been used.
    const next = unused.find(({ id }) => end === undefined || id > end.id);
    const paths = [end, next].flatMap((segment) => segment?.path ?? []);
    options.onDamage({
      path: paths[0] ?? dir,
      message: `write-ahead log: ${paths.map((path) => basename(path)).join(' or ')} is damaged at its end: records ${readUpto + 1} to ${logEnd} are lost`,
      lost: [readUpto + 1, logEnd],
    });
    if (end !== undefined) segments[segments.length - 1] = { ...end, damaged: true };
  } else if (tornEnd !== undefined) {
    options.onTornEnd?.(tornEnd);
  }
  return { lastSequence: last, segments, unused, records };
}

/**
 * What a file of the log is: a segment with records, prepared but `unused`, begun and `torn`, or `unreadable`.
 * @throws {SpoorError} corrupt for a newer format
 */
async function inspectSegment(
  reader: SegmentReader,
  id: number,
  path: string,
): Promise<FoundSegment | 'unused' | 'torn' | 'unreadable'> {
  const { sizeBytes } = reader;
  // Copied: the view is gone with the next one.
  const bytes = new Uint8Array(await reader.view(0, SEGMENT_HEADER_BYTES));
  const header = decodeSegmentHeader(bytes);
  refuseNewer(header, path);
  if (header?.id === id) {
    const { salt, firstSequence, sizeBytes: madeBytes } = header;
    return { id, path, sizeBytes, salt, firstSequence, headerDamaged: false, madeBytes };
  }
  if (header !== undefined) return 'unused';
  const first = await findRecord(reader, SEGMENT_HEADER_BYTES, { id, sealedUpto: 0 }, 0);
  const isBlank = bytes.length === SEGMENT_HEADER_BYTES && bytes.every((byte) => byte === 0);
  if (first === undefined) return isBlank ? 'unused' : 'unreadable';
  const { salt, groupFirst } = first.header;
  // The header comes with the first group: without it the power may have gone before that group was durable.
  if (isBlank && !(await provesDurable(reader, first, { id, salt, sealedUpto: 0 }, groupFirst)))
    return 'torn';
  return {
    id,
    path,
    sizeBytes,
    salt,
    firstSequence: groupFirst,
    headerDamaged: true,
    madeBytes: 0,
  };
}

/** Where what is no record of a segment is told. */
interface FlawTakers {
  readonly damageAt: (at: number, from: number, to: number) => void;
  readonly onTorn: (at: number) => void;
}

/** The records after sequence `last` and before `end`, which is undefined in the last segment. */
async function* segmentRecords(
  reader: SegmentReader,
  segment: WantedRecords & { readonly salt: number },
  last: number,
  end: number | undefined,
  { damageAt, onTorn }: FlawTakers,
): AsyncGenerator<FoundRecord & { readonly record: WalRecord }, void, undefined> {
  let at = SEGMENT_HEADER_BYTES;
  // Records from `end` on were never acknowledged: the log was opened anew, and gave their numbers to others.
  while (end === undefined || last + 1 < end) {
    let next = await recordAt(reader, at, segment);
    if (next === undefined || next.header.sequence <= last) {
      next = await findRecord(reader, at + RECORD_ALIGNMENT, segment, last);
    }
    const { sequence } = next?.header ?? { sequence: Infinity };
    if (next === undefined || (end !== undefined && sequence >= end)) {
      if (end !== undefined) damageAt(at, last + 1, end - 1);
      else if (await isBegun(reader, at, segment, last + 1)) onTorn(at);
      return;
    }
    if (sequence > last + 1) {
      // In the last segment a hole may be in the group that the crash interrupted.
      if (end === undefined && !(await provesDurable(reader, next, segment, last + 1))) {
        onTorn(at);
        return;
      }
      damageAt(at, last + 1, sequence - 1);
    }
    last = sequence;
    at = next.at + next.header.lengthBytes;
    let record: WalRecord;
    try {
      record = await readRecord(reader, next, segment.sealedUpto);
    } catch (error) {
      if (!(error instanceof SpoorError)) throw error;
      damageAt(next.at, sequence, sequence);
      continue;
    }
    yield { ...next, record };
  }
}

/** Whether at `at` the record with this sequence was begun, of which no more can be said. */
async function isBegun(
  reader: SegmentReader,
  at: number,
  { id, salt }: { readonly id: number; readonly salt: number },
  sequence: number,
): Promise<boolean> {
  if (reader.sizeBytes - at < RECORD_HEADER_BYTES) return false;
  const header = viewOf(await reader.view(at, RECORD_HEADER_BYTES));
  return resemblesRecord(header, { segmentId: id, salt, sequence });
}

/** @throws {SpoorError} corrupt as {@link decodeRecord} */
async function readRecord(
  reader: SegmentReader,
  { at, header: { sequence, lengthBytes } }: FoundRecord,
  sealedUpto: number,
): Promise<WalRecord> {
  if (sequence > sealedUpto) return decodeRecord(await reader.view(at, lengthBytes));
  const start = viewOf(await reader.view(at, RECORD_HEADER_BYTES));
  const head = await reader.view(at, Math.min(claimedHeadLength(start), lengthBytes));
  return { ...decodeRecordHead(head), batch: undefined };
}

/** The record that is wanted at `at`, or undefined. */
async function recordAt(
  reader: SegmentReader,
  at: number,
  wanted: WantedRecords,
): Promise<FoundRecord | undefined> {
  const available = reader.sizeBytes - at;
  if (available < RECORD_HEADER_BYTES) return undefined;
  const start = viewOf(await reader.view(at, RECORD_HEADER_BYTES));
  const length = claimedLength(start, available);
  // The checksum comes last: nothing that a sender put into a batch knows the salt and can make it slow.
  if (length === undefined || !claimsSegment(start, wanted)) return undefined;
  const headLength = claimedHeadLength(start);
  if (claimedSequence(start) <= wanted.sealedUpto && headLength <= length) {
    const header = checkRecordHead(await reader.view(at, headLength));
    if (header !== undefined) return { at, header };
  }
  const header = checkRecord(await reader.view(at, length));
  return header === undefined ? undefined : { at, header };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The first record that is wanted at or after `from` whose sequence is above `last`. */
async function findRecord(
  reader: SegmentReader,
  from: number,
  wanted: WantedRecords,
  last: number,
): Promise<FoundRecord | undefined> {
  let at = from;
  while (at + RECORD_HEADER_BYTES <= reader.sizeBytes) {
    const piece = await reader.viewLoaded(at, RECORD_HEADER_BYTES);
    const hit = Buffer.from(piece.buffer, piece.byteOffset, piece.length).indexOf(RECORD_MAGIC);
    if (hit < 0) {
      // Records are aligned, so are `at` and the ends of pieces: none cuts the magic of a record.
      at += piece.length;
      continue;
    }
    at += hit;
    const record = at % RECORD_ALIGNMENT === 0 ? await recordAt(reader, at, wanted) : undefined;
    if (record !== undefined && record.header.sequence > last) return record;
    at = Math.floor(at / RECORD_ALIGNMENT + 1) * RECORD_ALIGNMENT;
  }
  return undefined;
}

/** Whether some record at or after `record` was written when the one with sequence `missing` was durable. */
async function provesDurable(
  reader: SegmentReader,
  record: FoundRecord,
  wanted: WantedRecords,
  missing: number,
): Promise<boolean> {
  let next: FoundRecord | undefined = record;
  while (next !== undefined) {
    if (next.header.groupFirst > missing) return true;
    const { sequence, lengthBytes }: RecordHeader = next.header;
    const at: number = next.at + lengthBytes;
    next =
      (await recordAt(reader, at, wanted)) ??
      (await findRecord(reader, at + RECORD_ALIGNMENT, wanted, sequence));
  }
  return false;
}
