// SPDX-License-Identifier: Apache-2.0
import type { WorkerFile, WorkerFiles } from './store-files.ts';
import { DISK_WORKER_FILES } from './worker-files.ts';

/** Descriptors that one thread keeps open; a process may have 1,024 of them on many systems. */
const MAX_OPEN = 128;

/**
 * Files that are read, each opened when it is needed; beyond a number of them the one that was not read for the longest time is
 * closed. Errors are those of `node:fs`.
 */
export class OpenFiles {
  readonly #files: WorkerFiles;
  readonly #maxOpen: number;
  /** By path; what was used last stands last. */
  readonly #open = new Map<string, WorkerFile>();

  constructor(files: WorkerFiles = DISK_WORKER_FILES, maxOpen = MAX_OPEN) {
    this.#files = files;
    this.#maxOpen = maxOpen;
  }

  /** Size of a file in bytes. */
  size(path: string): number {
    return this.#file(path).size();
  }

  /** Reads up to `into.length` bytes; returns how many there were, 0 at the end. */
  read(path: string, into: Uint8Array, position: number): number {
    return this.#file(path).read(into, position);
  }

  /** Frees what is held of a file, if anything. */
  close(path: string): void {
    const file = this.#open.get(path);
    if (file === undefined) return;
    this.#open.delete(path);
    try {
      file.close();
    } catch {
      // What was read was read.
    }
  }

  #file(path: string): WorkerFile {
    let file = this.#open.get(path);
    if (file === undefined) {
      if (this.#open.size >= this.#maxOpen) this.close(this.#open.keys().next().value!);
      file = this.#files.open(path, 'read');
    } else {
      this.#open.delete(path);
    }
    this.#open.set(path, file);
    return file;
  }
}
