// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { WordList } from '@spoor/core/model/word-list.ts';
import { ValueType } from '@spoor/core/model/attributes.ts';
import { BlockColumns, COLUMN_WORDS, NO_CHUNK, PAGE_WORDS, putColumn } from './block-columns.ts';
import { ByteSink, encodeCodes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import { GramSet } from './gram-set.ts';
import type { GramsRef } from './block-format.ts';
import type { WritableColumn } from './writable-spans.ts';
import { allEntries, copyValue, encodeValues } from './values-chunk.ts';

/** A page of a dictionary holds at most this; reading one value costs one page. */
const PAGE_ENTRIES = 4096;
const PAGE_BYTES = 8 << 10;

/** To go through fewer pages takes about as long as to read the grams of their values. */
const GRAM_PAGES = 16;

/** Values of smaller dictionaries are in most groups: it is not worth saying in which. */
const INDEXED_ENTRIES = 128;

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
  /** Per column the entries of its dictionary, and the pages of it and of all before it. */
  readonly #entryCounts = new WordList();
  readonly #pageEnds = new WordList();
  /** Per page its entries and the three of its chunk. */
  readonly #pages = new WordList();
  /** Grams of the dictionary under way, from its first full page on. */
  #grams: GramSet | undefined;
  #isText = false;
  readonly #gramSets: { readonly column: number; readonly bits: Uint8Array }[] = [];
  /** The page under way. */
  readonly #offsets = new Uint32Array(PAGE_ENTRIES + 1);
  readonly #values = new ByteSink(PAGE_BYTES * 2);
  #count = 0;

  constructor(frames: FrameWriter) {
    this.#frames = frames;
  }

  /** Begins the dictionary of the next column. */
  begin(what: string, type: ValueType): void {
    this.#what = what;
    this.#isText = type === ValueType.string;
    this.#grams = undefined;
    this.entries = 0;
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
    if (this.#count === PAGE_ENTRIES || values.length >= PAGE_BYTES) this.#endPage(false);
  }

  /** Adds the entries `order[start, end)` of a table, after none were added one by one: they are written from where they lie. */
  addAll(table: SymbolTable, order: Uint32Array, start: number, end: number): void {
    for (let from = start; from < end;) {
      const to = pageEnd(table, order, from, end);
      this.#writePage(table, order, { start: from, end: to, isLast: to === end });
      from = to;
    }
    this.entries += end - start;
  }

  /** Ends the dictionary under way. */
  end(): void {
    if (this.#count > 0) this.#endPage(true);
    const column = this.#pageEnds.count;
    const pages = this.#pages.count / 4;
    const before = column === 0 ? 0 : this.#pageEnds.words[column - 1]!;
    if (this.#grams !== undefined && pages - before >= GRAM_PAGES) {
      this.#gramSets.push({ column, bits: this.#grams.bits });
    }
    this.#entryCounts.push(this.entries);
    this.#pageEnds.push(pages);
  }

  /** Goes past a column that has no dictionary. */
  skip(): void {
    this.begin('', ValueType.absent);
    this.end();
  }

  /** Entries of a column's dictionary for which it is worth saying in which groups they are; 0 where it is not. */
  indexedEntries(column: number): number {
    const count = this.#entryCounts.words[column]!;
    return count < INDEXED_ENTRIES ? 0 : count;
  }

  /** Writes the grams of large dictionaries of texts; undefined where there are none. */
  finishGrams(): GramsRef[] | undefined {
    if (this.#gramSets.length === 0) return undefined;
    return this.#gramSets.map(({ column, bits }) => ({
      column,
      chunk: this.#frames.chunk('grams', (sink) => sink.append(bits)),
    }));
  }

  /**
   * What the footer says of the columns, once the groups are written.
   * @param groupBits per column, see `PageRef`; undefined where it is not worth to say it
   */
  finish(
    columns: readonly Pick<WritableColumn, 'level' | 'type' | 'key' | 'isPlain'>[],
    groupBits: readonly (Uint32Array | undefined)[],
  ): BlockColumns {
    const pages = this.#pages.words;
    const pagesAt = columns.length * COLUMN_WORDS;
    const words = new Uint32Array(pagesAt + (this.#pages.count / 4) * PAGE_WORDS);
    let page = 0;
    for (let c = 0; c < columns.length; c++) {
      const end = this.#pageEnds.words[c]!;
      putColumn(words, c, columns[c]!, end);
      const bits = groupBits[c];
      let first = 0;
      for (; page < end; page++) {
        const at = pagesAt + page * PAGE_WORDS;
        const count = pages[page * 4]!;
        for (let k = 0; k < 4; k++) words[at + k] = pages[page * 4 + k]!;
        words[at + 4] = NO_CHUNK;
        if (bits === undefined) continue;
        encodeCodes(this.#frames.begin(), bits, count, first);
        words.set(this.#frames.end('index'), at + 4);
        first += count;
      }
    }
    return new BlockColumns(words, columns.length);
  }

  #endPage(isLast: boolean): void {
    const count = this.#count;
    const { bytes } = this.#values;
    const page = { count, offsets: this.#offsets, bytes, hashes: undefined };
    this.#writePage(page, ALL_ENTRIES, { start: 0, end: count, isLast });
    this.#count = 0;
    this.#values.length = 0;
  }

  /** Writes the entries `order[start, end)` of a table as a page. */
  #writePage(
    table: SymbolTable,
    order: Uint32Array,
    { start, end, isLast }: { start: number; end: number; isLast: boolean },
  ): void {
    encodeValues(this.#frames.begin(), table, order, end - start, start);
    this.#pages.push(end - start);
    this.#frames.endTo(this.#pages, this.#what);
    // What is on one page alone is no large dictionary.
    if (!this.#isText || (isLast && this.#grams === undefined)) return;
    (this.#grams ??= new GramSet()).add(table, order, start, end);
  }
}

/** Where a page ends that begins at `start`. */
function pageEnd({ offsets }: SymbolTable, order: Uint32Array, start: number, end: number): number {
  const last = Math.min(end, start + PAGE_ENTRIES);
  let bytes = 0;
  for (let i = start; i < last; i++) {
    const entry = order[i]!;
    bytes += offsets[entry + 1]! - offsets[entry]!;
    if (bytes >= PAGE_BYTES) return i + 1;
  }
  return last;
}

const ALL_ENTRIES = allEntries(PAGE_ENTRIES);
