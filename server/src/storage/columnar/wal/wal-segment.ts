// SPDX-License-Identifier: Apache-2.0
import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import {
  fileErrorCode,
  makeDurableDir,
  readFully,
  readInto,
  writeFully,
} from '../files/store-files.ts';
import type { StoreFile, StoreFiles } from '../files/store-files.ts';
import { getUint53, setUint53 } from './wal-record.ts';

/** Directory of the write-ahead log, in a data directory. */
export const WAL_DIR = 'wal';

/*
 * The header of a segment of the write-ahead log, little endian. The first 12 bytes and the checksum are
 * the same in every format to come.
 *
 *   at  size  what
 *    0     8  "SPOORWAL"
 *    8     4  format: 1
 *   12     4  id of the segment: the number in its name
 *   16     4  salt: drawn anew each time the log is opened
 *   20     4  0
 *   24     8  sequence of the first record
 *   32     8  size of the file: a shorter one was cut
 *   40    20  0
 *   60     4  CRC-32 (zlib) of the 60 bytes before
 *
 * Records follow from byte 64. The header is written together with the first commit group, so a segment
 * that was only prepared has zeros or the header of an earlier life, with another id than its name.
 */
const MAGIC = new TextEncoder().encode('SPOORWAL');
/** Format of the segments that this version writes, and the newest that it reads. */
export const WAL_FORMAT = 1;
/** Bytes of a segment's header; the first record begins there. */
export const SEGMENT_HEADER_BYTES = 64;
const CRC_AT = 60;

/** Bytes of zeros per write when a new segment is filled. */
const FILL_BYTES = 1 << 20;
/** Zeros between two syncs of a new segment, so that commits of the segment in use wait little for the device. */
const FILL_SYNC_BYTES = 4 << 20;

/** What the name of a segment ends in while it is filled with zeros. */
const UNFINISHED = '.tmp';

/** What the header of a segment says. */
export interface SegmentHeader {
  readonly format: number;
  readonly id: number;
  readonly salt: number;
  readonly firstSequence: number;
  /** Size that the file was made with. */
  readonly sizeBytes: number;
}

/** Path of a segment. */
export function segmentPath(dir: string, id: number): string {
  return join(dir, `${String(id).padStart(10, '0')}.wal`);
}

/** Id of the segment with this path. */
export function segmentId(path: string): number {
  return Number.parseInt(basename(path), 10);
}

/** What the name of a damaged segment that is kept ends in, and that of a note that one is missing. */
export const DAMAGED = '.damaged';
const MISSING = '.missing';

async function namesIn(files: StoreFiles, dir: string): Promise<string[]> {
  try {
    return await files.readdir(dir);
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** What earlier starts found damaged or missing in a log: files that stay until somebody removes them, each with a sentence. */
export async function listLosses(
  files: StoreFiles,
  dir: string,
): Promise<{ readonly path: string; readonly message: string }[]> {
  const names = (await namesIn(files, dir)).filter((name) =>
    /^[0-9]{10}\.wal\.(?:damaged|missing)$/.test(name),
  );
  return names.sort().map((name) => ({
    path: join(dir, name),
    message: `write-ahead log: ${name}: an earlier start found ${name.endsWith(MISSING) ? 'that segment missing' : 'this segment damaged and kept it'}; spans in no block may be lost since. Remove the file when nothing is to be done about it any more`,
  }));
}

/** Notes durably, by a file in the log, that a segment is missing; its content says `message`. */
export async function noteMissing(files: StoreFiles, path: string, message: string): Promise<void> {
  await makeDurableDir(files, dirname(path));
  const file = await files.open(path + MISSING, 'create');
  try {
    await writeFully(file, [new TextEncoder().encode(`${message}\n`)], 0);
    await file.fdatasync();
  } finally {
    await file.close();
  }
  await files.fsyncDir(dirname(path));
}

/** The segments in a directory with the ids of their names, ascending; none when there is no directory. */
export async function listSegments(
  files: StoreFiles,
  dir: string,
): Promise<{ readonly id: number; readonly path: string }[]> {
  const names = await namesIn(files, dir);
  return names
    .filter((name) => /^[0-9]{10}\.wal$/.test(name))
    .map((name) => ({ id: Number(name.slice(0, 10)), path: join(dir, name) }))
    .sort((a, b) => a.id - b.id);
}

/** The header of a segment of this version's format. */
export function encodeSegmentHeader(header: Omit<SegmentHeader, 'format'>): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, WAL_FORMAT, true);
  view.setUint32(12, header.id, true);
  view.setUint32(16, header.salt, true);
  setUint53(view, 24, header.firstSequence);
  setUint53(view, 32, header.sizeBytes);
  view.setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)), true);
  return bytes;
}

/** Reads the header; undefined when it is none or damaged. Of a newer format only `format` means something. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte)) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(CRC_AT, true) !== crc32(bytes.subarray(0, CRC_AT))) return undefined;
  return {
    format: view.getUint32(8, true),
    id: view.getUint32(12, true),
    salt: view.getUint32(16, true),
    firstSequence: getUint53(view, 24),
    sizeBytes: getUint53(view, 32),
  };
}

/**
 * Looks at the header of every segment, and touches nothing.
 * @throws {SpoorError} corrupt when one is of a newer format
 */
export async function checkSegmentFormats(files: StoreFiles, dir: string): Promise<void> {
  for (const { path } of await listSegments(files, dir)) {
    const file = await files.open(path, 'read');
    try {
      refuseNewer(decodeSegmentHeader(await readFully(file, 0, SEGMENT_HEADER_BYTES)), path);
    } finally {
      await file.close();
    }
  }
}

/** @throws {SpoorError} corrupt for a header of a newer format */
export function refuseNewer(header: SegmentHeader | undefined, path: string): void {
  if (header === undefined || header.format <= WAL_FORMAT) return;
  throw new SpoorError(
    'corrupt',
    `write-ahead log ${path}: format ${header.format} is newer than this version reads (${WAL_FORMAT})`,
  );
}

/**
 * Makes a segment of `sizeBytes` zeros that survives a power loss, and opens it. Zeros instead of a hole:
 * syncing a write into written blocks takes no change of the file's metadata, which saves about 45 % of
 * the time and CPU of each commit.
 */
export async function createSegment(
  files: StoreFiles,
  dir: string,
  id: number,
  sizeBytes: number,
): Promise<StoreFile> {
  const path = segmentPath(dir, id);
  const unfinished = path + UNFINISHED;
  const file = await files.open(unfinished, 'create');
  try {
    const zeros = new Uint8Array(Math.min(FILL_BYTES, sizeBytes));
    let unsynced = 0;
    for (let at = 0; at < sizeBytes; at += zeros.length) {
      await writeFully(file, [zeros.subarray(0, Math.min(zeros.length, sizeBytes - at))], at);
      unsynced += zeros.length;
      if (unsynced >= FILL_SYNC_BYTES) {
        await file.fdatasync();
        unsynced = 0;
      }
    }
    await file.fdatasync();
    await files.rename(unfinished, path);
    await files.fsyncDir(dir);
    return file;
  } catch (error) {
    // The first error is the one to tell; closing and removing only give the space back.
    await file.close().catch(() => undefined);
    await files.unlink(unfinished).catch(() => undefined);
    await files.unlink(path).catch(() => undefined);
    throw error;
  }
}

/** Removes what a crash during {@link createSegment} left. */
export async function removeUnfinishedSegments(files: StoreFiles, dir: string): Promise<void> {
  for (const name of await files.readdir(dir)) {
    if (name.endsWith(`.wal${UNFINISHED}`)) await files.unlink(join(dir, name));
  }
}

/** Least piece that a {@link SegmentReader} reads at once. */
const WINDOW_BYTES = 1 << 20;

/** Who leaves out so much will do so again: then only {@link FAR_WINDOW_BYTES} are read, more than a record's head usually has. */
const FAR_BYTES = 128 << 10;
const FAR_WINDOW_BYTES = 4096;

/** Reads a segment forwards through a window in memory, which is as large as the largest piece asked for. */
export class SegmentReader {
  readonly #file: StoreFile;
  readonly sizeBytes: number;
  /** What the window lies in. */
  #memory: Uint8Array = new Uint8Array(0);
  #window: Uint8Array = this.#memory;
  #windowAt = 0;
  /** End of what was asked for last. */
  #askedUpto = 0;

  private constructor(file: StoreFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  /** `update` for one that is to be hardened. */
  static async open(
    files: StoreFiles,
    path: string,
    mode: 'read' | 'update' = 'read',
  ): Promise<SegmentReader> {
    const file = await files.open(path, mode);
    try {
      return new SegmentReader(file, await file.size());
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  /** The bytes `[at, at + length)`, fewer at the end of the file; valid until the next call. */
  async view(at: number, length: number): Promise<Uint8Array> {
    const end = Math.min(at + length, this.sizeBytes);
    const least = at > this.#askedUpto + FAR_BYTES ? FAR_WINDOW_BYTES : WINDOW_BYTES;
    this.#askedUpto = end;
    if (at < this.#windowAt || end > this.#windowAt + this.#window.length) {
      await this.#moveWindow(at, Math.max(end - at, Math.min(least, this.sizeBytes - at)));
    }
    return this.#window.subarray(at - this.#windowAt, Math.max(at, end) - this.#windowAt);
  }

  async #moveWindow(at: number, length: number): Promise<void> {
    if (length > this.#memory.length) this.#memory = new Uint8Array(length);
    // Empty meanwhile: what was in it is gone, whatever becomes of the reading.
    this.#window = this.#memory.subarray(0, 0);
    this.#window = await readInto(this.#file, at, this.#memory.subarray(0, Math.max(0, length)));
    this.#windowAt = at;
  }

  /** As many bytes from `at` on as are in memory, at least `least` but for the end of the file; see {@link view}. */
  async viewLoaded(at: number, least: number): Promise<Uint8Array> {
    await this.view(at, least);
    return this.#window.subarray(at - this.#windowAt);
  }

  /**
   * Makes the bytes `[start, end)` durable by writing them again as they are: after a failed sync the system may take them for
   * written, and a process that died may have left them in memory only.
   */
  async harden(start: number, end: number): Promise<void> {
    if (end > start) await writeFully(this.#file, [await this.view(start, end - start)], start);
    await this.#file.fdatasync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
