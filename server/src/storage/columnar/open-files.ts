// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Descriptors that one thread keeps open; a process may have 1,024 of them on many systems. */
const MAX_OPEN = 128;

/**
 * Files that are read, each opened when it is needed; beyond a number of them the one that was not read for the longest time is
 * closed. Errors are those of `node:fs`.
 */
export class OpenFiles {
  readonly #maxOpen: number;
  /** Descriptors by path; what was used last stands last. */
  readonly #open = new Map<string, number>();

  constructor(maxOpen = MAX_OPEN) {
    this.#maxOpen = maxOpen;
  }

  /** Size of a file in bytes. */
  size(path: string): number {
    return fstatSync(this.#descriptor(path)).size;
  }

  /** Reads up to `into.length` bytes; returns how many there were, 0 at the end. */
  read(path: string, into: Uint8Array, position: number): number {
    return readSync(this.#descriptor(path), into, 0, into.length, position);
  }

  /** Frees what is held of a file, if anything. */
  close(path: string): void {
    const descriptor = this.#open.get(path);
    if (descriptor === undefined) return;
    this.#open.delete(path);
    closeSync(descriptor);
  }

  #descriptor(path: string): number {
    let descriptor = this.#open.get(path);
    if (descriptor === undefined) {
      if (this.#open.size >= this.#maxOpen) this.close(this.#open.keys().next().value!);
      descriptor = openSync(path, 'r');
    } else {
      this.#open.delete(path);
    }
    this.#open.set(path, descriptor);
    return descriptor;
  }
}
