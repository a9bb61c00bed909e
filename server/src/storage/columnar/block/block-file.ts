// SPDX-License-Identifier: Apache-2.0
import { dirname } from 'node:path';
import {
  makeDurableDirSync,
  type WorkerFile,
  type WorkerFiles,
  writeFullySync,
} from '../files/store-files.ts';

/** A long file is synced piece by piece, so that the log's syncs never wait for much of it. */
const SYNC_BYTES = 4 << 20;

/** The file of a block that is written; nobody looks at it before it is in the manifest. */
export class BlockFile {
  readonly #files: WorkerFiles;
  readonly #path: string;
  readonly #file: WorkerFile;
  #bytes = 0;
  #syncedBytes = 0;
  #isOpen = true;

  /** Makes the file, and its directory when it is missing. */
  constructor(files: WorkerFiles, path: string) {
    makeDurableDirSync(files, dirname(path));
    this.#files = files;
    this.#path = path;
    this.#file = files.open(path, 'create');
  }

  /** Appends pieces. */
  write(parts: readonly Uint8Array[]): void {
    if (parts.length === 0) return;
    writeFullySync(this.#file, parts, this.#bytes);
    for (const { length } of parts) this.#bytes += length;
    if (this.#bytes - this.#syncedBytes < SYNC_BYTES) return;
    this.#file.fdatasync();
    this.#syncedBytes = this.#bytes;
  }

  /** Makes the file and its name durable. */
  finish(): void {
    this.#file.fdatasync();
    this.#isOpen = false;
    this.#file.close();
    this.#files.fsyncDir(dirname(this.#path));
  }

  /** Removes the file; what cannot be removed now is removed at the next start. */
  discard(): void {
    // The error that made it superfluous is the one to tell.
    const quietly = (call: () => void): void => {
      try {
        call();
      } catch {}
    };
    if (this.#isOpen) quietly(() => this.#file.close());
    quietly(() => this.#files.unlink(this.#path));
  }
}
