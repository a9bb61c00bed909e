// SPDX-License-Identifier: Apache-2.0
import { dirname, resolve } from 'node:path';

/**
 * How a file is opened: `read`; `update`: read and write what exists; `create`: read and write, made
 * when missing, emptied when not.
 */
export type OpenMode = 'read' | 'update' | 'create';

/** What `node:fs` calls the modes. */
export const OPEN_FLAGS = { read: 'r', update: 'r+', create: 'w+' } as const;

/** An open file of the store. Positions and lengths are in bytes. */
export interface StoreFile {
  size(): Promise<number>;
  /** Reads up to `into.length` bytes; returns how many there were, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes the views back to back; returns how many bytes were taken, which may be fewer than given. */
  writev(views: readonly Uint8Array[], position: number): Promise<number>;
  /** Resolves when all that was written, and the size, would survive a power loss. */
  fdatasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every file call of the store on the main thread. With {@link WorkerFiles} it is the seam where a test makes calls fail and drops
 * what was not synced. Errors are those of `node:fs`, with their `code`.
 */
export interface StoreFiles {
  open(path: string, mode: OpenMode): Promise<StoreFile>;
  /** Replaces `to` in one step; durable after {@link StoreFiles.fsyncDir}. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes a directory and its parents; returns the first that it made, undefined when all were there. */
  mkdir(path: string): Promise<string | undefined>;
  /** Names in a directory, in no order. */
  readdir(path: string): Promise<string[]>;
  /** Makes the names in a directory durable: files made, renamed and removed. */
  fsyncDir(path: string): Promise<void>;
  /** Space on the disk of a directory that this process may use. */
  space(path: string): Promise<DiskRoom>;
  /**
   * Takes a directory for this process alone, until the lock is released or the process ends.
   * @throws {SpoorError} unavailable when another holds it; nothing was touched
   */
  lock(path: string): DirectoryLock;
}

/** Exclusive hold on a directory. */
export interface DirectoryLock {
  /** May be called more than once. */
  release(): void;
  /** Whether the directory that was locked is not the one that is found under its path now. Never rejects. */
  isLost(): Promise<boolean>;
}

/** Space of a disk, in bytes. */
export interface DiskRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** An open file of a worker; see {@link StoreFile}. */
export interface WorkerFile {
  size(): number;
  read(into: Uint8Array, position: number): number;
  writev(views: readonly Uint8Array[], position: number): number;
  fdatasync(): void;
  close(): void;
}

/** The file calls of the workers, done when they return: a worker does nothing else meanwhile. See {@link StoreFiles}. */
export interface WorkerFiles {
  open(path: string, mode: OpenMode): WorkerFile;
  unlink(path: string): void;
  mkdir(path: string): string | undefined;
  fsyncDir(path: string): void;
}

/** Writes all of `views` at `position`, in as many calls as it takes. */
export async function writeFully(
  file: StoreFile,
  views: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let rest = views;
  let at = position;
  while (rest.length > 0) {
    const taken = await file.writev(rest, at);
    rest = viewsAfter(rest, taken, at);
    at += taken;
  }
}

/** {@link writeFully} of a worker. */
export function writeFullySync(
  file: WorkerFile,
  views: readonly Uint8Array[],
  position: number,
): void {
  let rest = views;
  let at = position;
  while (rest.length > 0) {
    const taken = file.writev(rest, at);
    rest = viewsAfter(rest, taken, at);
    at += taken;
  }
}

/** What is left of views to write once so many bytes of them were taken. */
function viewsAfter(views: readonly Uint8Array[], taken: number, position: number): Uint8Array[] {
  let left = taken;
  let i = 0;
  while (i < views.length && left >= views[i]!.length) left -= views[i++]!.length;
  if (i === views.length) return [];
  if (taken === 0) throw new Error(`write of ${views.length} pieces at ${position} took no byte`);
  return [views[i]!.subarray(left), ...views.slice(i + 1)];
}

/** Reads `length` bytes at `position`, fewer when the file ends before. */
export function readFully(file: StoreFile, position: number, length: number): Promise<Uint8Array> {
  return readInto(file, position, new Uint8Array(length));
}

/** Fills memory with the bytes at `position`; returns the part of it that was filled, which is less when the file ends before. */
export async function readInto(
  file: StoreFile,
  position: number,
  memory: Uint8Array,
): Promise<Uint8Array> {
  let have = 0;
  while (have < memory.length) {
    const count = await file.read(memory.subarray(have), position + have);
    if (count === 0) return memory.subarray(0, have);
    have += count;
  }
  return memory;
}

/** Makes a directory whose name survives a power loss, and parents that are missing likewise. */
export async function makeDurableDir(files: StoreFiles, path: string): Promise<void> {
  for (const parent of namersOf(path, await files.mkdir(path))) await files.fsyncDir(parent);
}

/** {@link makeDurableDir} of a worker. */
export function makeDurableDirSync(files: WorkerFiles, path: string): void {
  for (const parent of namersOf(path, files.mkdir(path))) files.fsyncDir(parent);
}

/**
 * The directories that hold the names of `path` and of its parents from `firstNew` down. A name that was there already may be that
 * of a process that ended before it synced it.
 */
function namersOf(path: string, firstNew: string | undefined): string[] {
  let made = resolve(path);
  const namers = [dirname(made)];
  while (firstNew !== undefined && made !== resolve(firstNew)) {
    made = dirname(made);
    namers.push(dirname(made));
  }
  return namers;
}

/** Error code of a failed file call, such as `ENOSPC`; empty for other errors. */
export function fileErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** Whether an error is, or was caused by, a file call that failed because the disk is full. */
export function isOutOfSpace(error: unknown): boolean {
  return isCausedBy(error, ['ENOSPC', 'EDQUOT']);
}

/** The same of want of something that may come back: space, quota, descriptors. */
export function isTransientFileError(error: unknown): boolean {
  return isCausedBy(error, ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);
}

function isCausedBy(error: unknown, codes: readonly string[]): boolean {
  if (codes.includes(fileErrorCode(error))) return true;
  return error instanceof Error && error.cause !== undefined && isCausedBy(error.cause, codes);
}
