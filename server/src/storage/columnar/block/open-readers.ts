// SPDX-License-Identifier: Apache-2.0
import { BlockReader } from './block-reader.ts';
import type { ByteCache } from './frame-cache.ts';
import type { OpenFiles } from '../files/open-files.ts';

/** A block that a reader can be opened for. */
interface OpenableBlock {
  readonly path: string;
  readonly id: number;
}

/**
 * The readers of blocks, kept for as long as the blocks are there; but only those used last keep their footers. These grow with the
 * columns of a block: from some 80 kB for 100,000 plain spans to many megabytes.
 */
export class OpenReaders {
  readonly #cache: ByteCache<unknown>;
  readonly #files: OpenFiles;
  readonly #maxBytes: number;
  readonly #readers = new Map<OpenableBlock, BlockReader>();
  /** Those that may have their footers; what was used last stands last. */
  readonly #recent = new Set<BlockReader>();

  /** @param maxBytes of the footers of all blocks after {@link trim}, the last one aside */
  constructor(cache: ByteCache<unknown>, files: OpenFiles, maxBytes: number) {
    this.#cache = cache;
    this.#files = files;
    this.#maxBytes = maxBytes;
  }

  /** The reader of a block; the same one each time. @throws {SpoorError} as {@link BlockReader} */
  get(block: OpenableBlock): BlockReader {
    let reader = this.#readers.get(block);
    if (reader === undefined) {
      reader = new BlockReader(block.path, block.id, this.#cache, this.#files);
      this.#readers.set(block, reader);
    }
    this.#recent.delete(reader);
    this.#recent.add(reader);
    return reader;
  }

  /** The reader of a block if there is one already. */
  known(block: OpenableBlock): BlockReader | undefined {
    return this.#readers.get(block);
  }

  /** Lets footers go that were not used for the longest time until the rest is no more than allowed. They are read anew when needed. */
  trim(): void {
    let bytes = 0;
    for (const reader of this.#recent) bytes += reader.footerBytes;
    for (const reader of this.#recent) {
      if (bytes <= this.#maxBytes || this.#recent.size === 1) return;
      bytes -= reader.footerBytes;
      reader.release();
      this.#recent.delete(reader);
    }
  }

  /** Forgets a block. */
  close(block: OpenableBlock): void {
    const reader = this.#readers.get(block);
    if (reader === undefined) return;
    this.#readers.delete(block);
    this.#recent.delete(reader);
    reader.close();
  }
}
