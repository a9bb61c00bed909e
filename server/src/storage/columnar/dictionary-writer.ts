// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import type { ChunkRef, PageRef, TableRef } from './block-format.ts';
import { ByteSink, encodeCodes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import { allEntries, copyValue, encodeValues } from './values-chunk.ts';

/** A page of a dictionary holds at most this; reading one value costs one page. */
const PAGE_ENTRIES = 4096;
const PAGE_BYTES = 32 << 10;

/** Values of smaller dictionaries are in most groups: it is not worth saying in which. */
const INDEXED_ENTRIES = 128;

/** Writes the dictionary of a column: values are given in its order, a full page is written at once. */
export class DictionaryWriter {
  /** Values so far. */
  entries = 0;
  readonly #frames: FrameWriter;
  readonly #what: string;
  readonly #pages: TableRef[] = [];
  /** The page under way. It grows: a block may have thousands of dictionaries. */
  #offsets = new Uint32Array(8);
  #values = new ByteSink(32);
  #count = 0;

  /** @param what it is called in the breakdown */
  constructor(frames: FrameWriter, what: string) {
    this.#frames = frames;
    this.#what = what;
  }

  /** Adds entry `entry` of a table. */
  add({ offsets, bytes }: SymbolTable, entry: number): void {
    const start = offsets[entry]!;
    const end = offsets[entry + 1]!;
    const values = this.#values;
    const at = values.reserve(end - start);
    copyValue(bytes, start, values.bytes, at, end - start);
    if (++this.#count === this.#offsets.length) {
      const grown = new Uint32Array(this.#count * 4);
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    this.#offsets[this.#count] = values.length;
    this.entries++;
    if (this.#count === PAGE_ENTRIES || values.length >= PAGE_BYTES) this.#endPage();
  }

  /** Writes the page under way; nothing can be added any more. */
  finish(): void {
    if (this.#count > 0) this.#endPage();
    this.#offsets = new Uint32Array(0);
    this.#values = new ByteSink(0);
  }

  /**
   * What the footer says of the dictionary, once the groups are written.
   * @param groupBits see {@link PageRef}; it is written where a lookup gains by it
   */
  refs(groupBits: Uint32Array): PageRef[] {
    if (this.entries < INDEXED_ENTRIES) return this.#pages;
    let first = 0;
    return this.#pages.map(({ count, chunk }) => {
      const bits = groupBits.subarray(first, first + count);
      first += count;
      const groups = this.#frames.chunk('index', (sink) => encodeCodes(sink, bits, count));
      return { count, chunk, groups };
    });
  }

  #endPage(): void {
    const count = this.#count;
    const { bytes } = this.#values;
    const page = { count, offsets: this.#offsets, bytes, hashes: undefined };
    const chunk: ChunkRef = this.#frames.chunk(this.#what, (sink) =>
      encodeValues(sink, page, allEntries(count), count),
    );
    this.#pages.push({ count, chunk });
    this.#count = 0;
    this.#values.length = 0;
  }
}
