// SPDX-License-Identifier: Apache-2.0
import fs from 'node:fs';
import { OPEN_FLAGS, type WorkerFile, type WorkerFiles } from './store-files.ts';

/** The file system, for workers. */
export const DISK_WORKER_FILES: WorkerFiles = {
  open: (path, mode) => new DiskWorkerFile(fs.openSync(path, OPEN_FLAGS[mode])),
  unlink: (path) => fs.unlinkSync(path),
  mkdir: (path) => fs.mkdirSync(path, { recursive: true }),
  fsyncDir: (path) => {
    const handle = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  },
};

class DiskWorkerFile implements WorkerFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  size(): number {
    return fs.fstatSync(this.#fd).size;
  }

  read(into: Uint8Array, position: number): number {
    return fs.readSync(this.#fd, into, 0, into.length, position);
  }

  writev(views: readonly Uint8Array[], position: number): number {
    return fs.writevSync(this.#fd, views, position);
  }

  fdatasync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}
