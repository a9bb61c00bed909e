// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { WordList } from '@spoor/core/model/word-list.ts';
import type { ChunkRef, PageRef } from './block-format.ts';
import { ByteSink, encodeCodes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import { allEntries, copyValue, encodeValues } from './values-chunk.ts';

/** A page of a dictionary holds at most this; reading one value costs one page. */
const PAGE_ENTRIES = 4096;
const PAGE_BYTES = 32 << 10;

/** Values of smaller dictionaries are in most groups: it is not worth saying in which. */
const INDEXED_ENTRIES = 128;

/** Of a page: its entries, and its chunk. */
const PAGE_WORDS = 4;

/**
 * Writes the dictionaries of a block, one column after the other: values are given in the order of the dictionary, a full page is
 * written at once.
 */
export class DictionaryWriter {
  /** Values so far of the dictionary under way. */
  entries = 0;
  readonly #frames: FrameWriter;
  /** Called so in the breakdown. */
  #what = '';
  /** Per column the entries of its dictionary, and per page of all dictionaries {@link PAGE_WORDS}. */
  readonly #entryCounts = new WordList();
  readonly #pages = new WordList();
  /** Per column its first page. */
  readonly #firstPages = new WordList();
  /** The page under way. */
  readonly #offsets = new Uint32Array(PAGE_ENTRIES + 1);
  readonly #values = new ByteSink(PAGE_BYTES * 2);
  #count = 0;

  constructor(frames: FrameWriter) {
    this.#frames = frames;
  }

  /** Begins the dictionary of the next column. */
  begin(what: string): void {
    this.#what = what;
    this.entries = 0;
    this.#firstPages.push(this.#pages.count / PAGE_WORDS);
  }

  /** Adds entry `entry` of a table. */
  add({ offsets, bytes }: SymbolTable, entry: number): void {
    const start = offsets[entry]!;
    const end = offsets[entry + 1]!;
    const values = this.#values;
    const at = values.reserve(end - start);
    copyValue(bytes, start, values.bytes, at, end - start);
    this.#offsets[++this.#count] = values.length;
    this.entries++;
    if (this.#count === PAGE_ENTRIES || values.length >= PAGE_BYTES) this.#endPage();
  }

  /** Ends the dictionary under way. */
  end(): void {
    if (this.#count > 0) this.#endPage();
    this.#entryCounts.push(this.entries);
  }

  /** Goes past a column that has no dictionary. */
  skip(): void {
    this.begin('');
    this.end();
  }

  /** Entries of a column's dictionary for which it is worth saying in which groups they are; 0 where it is not. */
  indexedEntries(column: number): number {
    const count = this.#entryCounts.words[column]!;
    return count < INDEXED_ENTRIES ? 0 : count;
  }

  /**
   * What the footer says of a column's dictionary, once the groups are written.
   * @param groupBits see {@link PageRef}; undefined where it is not worth to say it
   */
  refs(column: number, groupBits: Uint32Array | undefined): PageRef[] {
    const pages = this.#pages;
    const end =
      column + 1 < this.#firstPages.count
        ? this.#firstPages.words[column + 1]!
        : pages.count / PAGE_WORDS;
    const refs: PageRef[] = [];
    let first = 0;
    for (let page = this.#firstPages.words[column]!; page < end; page++) {
      const [count, frame, offset, length] = pages.words.subarray(page * PAGE_WORDS);
      const chunk: ChunkRef = [frame!, offset!, length!];
      if (groupBits === undefined) {
        refs.push({ count: count!, chunk });
        continue;
      }
      const bits = groupBits.subarray(first, first + count!);
      first += count!;
      const groups = this.#frames.chunk('index', (sink) => encodeCodes(sink, bits, count!));
      refs.push({ count: count!, chunk, groups });
    }
    return refs;
  }

  #endPage(): void {
    const count = this.#count;
    const { bytes } = this.#values;
    const page = { count, offsets: this.#offsets, bytes, hashes: undefined };
    const chunk = this.#frames.chunk(this.#what, (sink) =>
      encodeValues(sink, page, allEntries(count), count),
    );
    this.#pages.push(count);
    for (const word of chunk) this.#pages.push(word);
    this.#count = 0;
    this.#values.length = 0;
  }
}
