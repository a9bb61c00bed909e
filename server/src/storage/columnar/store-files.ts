// SPDX-License-Identifier: Apache-2.0
import fs from 'node:fs';
import { dirname } from 'node:path';

/**
 * How a file is opened: `read`; `update`: read and write what exists; `create`: read and write, made
 * when missing, emptied when not.
 */
export type OpenMode = 'read' | 'update' | 'create';

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
 * Every file call of the store: the seam where a test makes calls fail and drops what was not synced.
 * Errors are those of `node:fs`, with their `code`.
 */
export interface StoreFiles {
  open(path: string, mode: OpenMode): Promise<StoreFile>;
  /** Replaces `to` in one step; durable after {@link StoreFiles.fsyncDir}. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes a directory and its parents; nothing happens when it is there. */
  mkdir(path: string): Promise<void>;
  /** Names in a directory, in no order. */
  readdir(path: string): Promise<string[]>;
  /** Makes the names in a directory durable: files made, renamed and removed. */
  fsyncDir(path: string): Promise<void>;
}

const FLAGS = { read: 'r', update: 'r+', create: 'w+' } as const;

/** The file system. Callbacks instead of `FileHandle`: about half the CPU time of a call. */
export const DISK_FILES: StoreFiles = {
  open: (path, mode) =>
    new Promise((resolve, reject) => {
      fs.open(path, FLAGS[mode], (error, fd) => {
        if (error) reject(error);
        else resolve(new DiskFile(fd));
      });
    }),
  rename: (from, to) => fs.promises.rename(from, to),
  unlink: (path) => fs.promises.unlink(path),
  mkdir: async (path) => {
    await fs.promises.mkdir(path, { recursive: true });
  },
  readdir: (path) => fs.promises.readdir(path),
  fsyncDir: async (path) => {
    const handle = await fs.promises.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

class DiskFile implements StoreFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#fd, (error, stats) => {
        if (error) reject(error);
        else resolve(stats.size);
      });
    });
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, into, 0, into.length, position, (error, bytesRead) => {
        if (error) reject(error);
        else resolve(bytesRead);
      });
    });
  }

  writev(views: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.#fd, views, position, (error, bytesWritten) => {
        if (error) reject(error);
        else resolve(bytesWritten);
      });
    });
  }

  fdatasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  truncate(length: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.#fd, length, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.#fd, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
}

/** Writes all of `views` at `position`, in as many calls as it takes. */
export async function writeFully(
  file: StoreFile,
  views: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let rest = views;
  let at = position;
  for (;;) {
    const written = await file.writev(rest, at);
    at += written;
    let taken = written;
    let i = 0;
    while (i < rest.length && taken >= rest[i]!.length) taken -= rest[i++]!.length;
    if (i === rest.length) return;
    if (written === 0) throw new Error(`write of ${rest.length} pieces at ${at} took no byte`);
    rest = [rest[i]!.subarray(taken), ...rest.slice(i + 1)];
  }
}

/** Reads `length` bytes at `position`, fewer when the file ends before. */
export async function readFully(
  file: StoreFile,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let have = 0;
  while (have < length) {
    const count = await file.read(bytes.subarray(have), position + have);
    if (count === 0) return bytes.subarray(0, have);
    have += count;
  }
  return bytes;
}

/** Makes a directory whose name survives a power loss. */
export async function makeDurableDir(files: StoreFiles, path: string): Promise<void> {
  await files.mkdir(path);
  await files.fsyncDir(dirname(path));
}

/** Error code of a failed file call, such as `ENOSPC`; empty for other errors. */
export function fileErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** Whether the file call failed for want of something that may come back: space, quota, descriptors. */
export function isTransientFileError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'].includes(fileErrorCode(error));
}
