// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';
import {
  NO_SYMBOLS,
  type PagedValues,
  type PagePart,
  type SymbolTable,
} from '@spoor/core/model/span-columns.ts';
import type { PageRef } from './block-format.ts';
import type { BlockReader } from './block-reader.ts';
import { FrameScratch } from './frame-scratch.ts';
import { codeAt, decodeCodes } from './chunk-codec.ts';
import { bufferOf, decodeValue, decodeValues, mayHaveInside } from './values-chunk.ts';

/** Every bit set: the value may be in any group. */
export const ALL_GROUPS = 0xffffffff;

/** To find this many values among those of their pages takes about as long as to decode a page. */
const FEW_ENTRIES = 16;

/** The dictionary of one column of a block: sorted, and read page by page. */
export class BlockDictionary implements PagedValues {
  readonly count: number;
  readonly #block: BlockReader;
  readonly #column: number;
  readonly #pages: readonly PageRef[];
  /** Number of the first entry of each page. */
  readonly #firsts: readonly number[];
  #joined: WeakRef<SymbolTable> | undefined;
  readonly #groupsBySet = new WeakMap<Uint8Array, number>();

  /** @throws {SpoorError} internal: the column is plain */
  constructor(block: BlockReader, column: number) {
    const pages = block.footer.columns.pages(column);
    if (pages === undefined) throw new SpoorError('internal', `column ${column} has no dictionary`);
    this.#block = block;
    this.#column = column;
    this.#pages = pages;
    let count = 0;
    this.#firsts = pages.map((page) => (count += page.count) - page.count);
    this.count = count;
  }

  /** Whether all entries are read at once anyway. */
  get isOnePage(): boolean {
    return this.#pages.length === 1;
  }

  /** All entries as one table. */
  get table(): SymbolTable {
    if (this.isOnePage) return this.#block.table(this.#pages[0]!);
    // Kept for as long as somebody uses it, since the cache may have no room for it.
    const known = this.#joined?.deref();
    if (known !== undefined) return known;
    const table = this.#block.decoded(-1, `dictionary ${this.#column}`, sizeOf, () =>
      joinTables([...this.#chunks()].map((chunk, p) => decodeValues(chunk, this.#pages[p]!.count))),
    );
    this.#joined = new WeakRef(table);
    return table;
  }

  /**
   * Page after page, each to be looked at before the next is asked for. They are not kept in the cache, where all of them would push out
   * all else.
   */
  *pages(): Generator<SymbolTable, void, undefined> {
    let page = 0;
    for (const chunk of this.#chunks(new FrameScratch())) {
      yield decodeValues(chunk, this.#pages[page++]!.count);
    }
  }

  mayHaveInside(parts: readonly Uint8Array[]): boolean {
    if (parts.every(({ length }) => length < 3)) return true;
    const grams = this.#block.gramsOf(this.#column);
    return grams === undefined || parts.every((part) => grams.mayHave(part));
  }

  *pagesWith(part: Uint8Array): Generator<PagePart, void, undefined> {
    let page = 0;
    for (const chunk of this.#chunks(new FrameScratch())) {
      const first = this.#firsts[page]!;
      const { count } = this.#pages[page++]!;
      // Where the bytes are nowhere on the page, it need not be decoded.
      const table = mayHaveInside(chunk, part) ? decodeValues(chunk, count) : NO_SYMBOLS;
      yield { first, table, entries: entriesWith(table, part) };
    }
  }

  #chunks(scratch?: FrameScratch): Generator<Uint8Array, void, undefined> {
    return this.#block.chunksOnce(
      this.#pages.map(({ chunk }) => chunk),
      scratch,
    );
  }

  /** Entry of a value, or -1. Only for types whose dictionaries are in the order of their bytes: all but ints. */
  find(value: Uint8Array): number {
    const place = this.#search(value);
    return place === undefined ? -1 : this.#firsts[place.page]! + place.index;
  }

  /** In which groups an entry is: bit `g % 32` for group `g`. */
  groupsOf(entry: number): number {
    const page = this.#pageOf(entry);
    const { groups } = this.#pages[page]!;
    if (groups === undefined) return ALL_GROUPS;
    return codeAt(this.#block.chunk(groups), entry - this.#firsts[page]!);
  }

  /** In which groups one of the entries is that are marked with 1; as {@link groupsOf}. */
  groupsWithSome(marked: Uint8Array): number {
    const known = this.#groupsBySet.get(marked);
    if (known !== undefined) return known;
    let found = 0;
    for (const [p, { groups, count }] of this.#pages.entries()) {
      const first = this.#firsts[p]!;
      const next = marked.indexOf(1, first);
      if (next < 0) break;
      if (next >= first + count) continue;
      const bits = groups === undefined ? undefined : decodeCodes(this.#block.chunk(groups), count);
      for (let i = 0; i < count; i++) {
        if (marked[first + i] === 1) found |= bits?.[i] ?? ALL_GROUPS;
      }
      if (found >>> 0 === ALL_GROUPS) break;
    }
    this.#groupsBySet.set(marked, found >>> 0);
    return found >>> 0;
  }

  /**
   * Some entries, as a table in their order: of a page of which only a few are asked for no others are decoded.
   * @param scratch where such pages may be, see {@link BlockReader.chunkIn}
   */
  gather(entries: Uint32Array, scratch?: FrameScratch): SymbolTable {
    const count = entries.length;
    const offsets = new Uint32Array(count + 1);
    const values: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const value = this.#value(entries[i]!, count <= FEW_ENTRIES, scratch);
      values.push(value);
      offsets[i + 1] = offsets[i]! + value.length;
    }
    const bytes = new Uint8Array(offsets[count]!);
    values.forEach((value, i) => bytes.set(value, offsets[i]));
    return { count, offsets, bytes, hashes: undefined };
  }

  /** @throws {SpoorError} corrupt: there is no such entry */
  #value(entry: number, isOneOfFew: boolean, scratch: FrameScratch | undefined): Uint8Array {
    if (entry >= this.count) {
      throw new SpoorError(
        'corrupt',
        `block ${this.#block.path}: column ${this.#column} has no entry ${entry}`,
      );
    }
    const at = this.#pageOf(entry);
    const page = this.#pages[at]!;
    const index = entry - this.#firsts[at]!;
    return isOneOfFew
      ? decodeValue(this.#block.chunk(page.chunk, scratch), page.count, index)
      : symbolBytes(this.#block.table(page), index);
  }

  /** Number of the page that has an entry. */
  #pageOf(entry: number): number {
    let low = 0;
    let high = this.#firsts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#firsts[middle]! <= entry) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Reads one page for each halving of the dictionary, not all of it. */
  #search(value: Uint8Array): { page: number; index: number } | undefined {
    let low = 0;
    let high = this.#pages.length - 1;
    while (low <= high) {
      const page = (low + high) >>> 1;
      const index = findEntry(this.#block.table(this.#pages[page]!), value);
      if (index >= 0) return { page, index };
      if (index === BEFORE) high = page - 1;
      else if (index === AFTER) low = page + 1;
      else return undefined;
    }
    return undefined;
  }
}

/** The entries of a table that have some bytes in them, ascending. */
function entriesWith({ bytes, offsets }: SymbolTable, part: Uint8Array): number[] {
  const text = bufferOf(bytes);
  const entries: number[] = [];
  let entry = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at)) {
    while (offsets[entry + 1]! <= at) entry++;
    const end = offsets[entry + 1]!;
    if (at + part.length > end) {
      // It begins in one entry and ends in another.
      at++;
      continue;
    }
    entries.push(entry);
    at = end;
  }
  return entries;
}

/** Where a value would stand that is not on a page. */
const BEFORE = -1;
const AFTER = -2;
const BETWEEN = -3;

/** Entry of a value in a sorted table, or where it would stand. */
function findEntry(table: SymbolTable, value: Uint8Array): number {
  if (table.count === 0) return BEFORE;
  // Of most pages that are looked at the ends tell that it is not there.
  let low = 0;
  const first = compareEntry(table, low, value);
  if (first >= 0) return first === 0 ? low : BEFORE;
  let high = table.count - 1;
  const last = compareEntry(table, high, value);
  if (last <= 0) return last === 0 ? high : AFTER;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    const order = compareEntry(table, middle, value);
    if (order === 0) return middle;
    if (order < 0) low = middle;
    else high = middle;
  }
  return BETWEEN;
}

/** Order of an entry and a value by their bytes. Most differ early, before a native call would have begun. */
function compareEntry({ bytes, offsets }: SymbolTable, entry: number, value: Uint8Array): number {
  const start = offsets[entry]!;
  const length = offsets[entry + 1]! - start;
  const shared = Math.min(length, value.length);
  for (let i = 0; i < shared; i++) {
    const difference = bytes[start + i]! - value[i]!;
    if (difference !== 0) return difference;
  }
  return length - value.length;
}

function sizeOf(table: SymbolTable): number {
  return table.bytes.length + table.offsets.length * 4;
}

function joinTables(tables: readonly SymbolTable[]): SymbolTable {
  const count = tables.reduce((sum, table) => sum + table.count, 0);
  const offsets = new Uint32Array(count + 1);
  const bytes = new Uint8Array(tables.reduce((sum, table) => sum + table.bytes.length, 0));
  let at = 0;
  let entry = 0;
  for (const table of tables) {
    for (let i = 0; i < table.count; i++) offsets[++entry] = at + table.offsets[i + 1]!;
    bytes.set(table.bytes, at);
    at += table.bytes.length;
  }
  return { count, offsets, bytes, hashes: undefined };
}
