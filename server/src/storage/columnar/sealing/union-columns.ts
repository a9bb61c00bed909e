// SPDX-License-Identifier: Apache-2.0
import {
  PLAIN_DISTINCT_RATIO,
  PLAIN_MIN_COUNT,
} from '@spoor/core/model/attribute-column-builder.ts';
import { grownBytes, grownWords } from '@spoor/core/model/column-arrays.ts';
import { CrowdedValues, LONGEST_RUN, takeSlot } from '@spoor/core/model/crowded-values.ts';
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { NO_SYMBOLS, type SymbolTable } from '@spoor/core/model/span-columns.ts';
import { equalBytes, hashBytes, NOT_HASHED } from '@spoor/core/model/symbol-interner.ts';
import { EntrySorter } from '../block/value-dictionary.ts';
import { copyValue } from '../block/values-chunk.ts';
import type { WritableColumn } from '../block/writable-spans.ts';

/** A column of a block while its sources are united. */
export class UnionColumn implements WritableColumn {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  /** Code in the union's keys. */
  readonly key: number;
  /** Values in all sources, and those in sources that did not intern them. */
  count = 0;
  plainCount = 0;
  /** Entries of {@link UnionValues} that are the column's: distinct ones, unless it is known to be plain. */
  entries = 0;
  /** True: every value stands for itself, in row order. */
  isPlain = false;
  /** Of a plain column the values. */
  table: SymbolTable = NO_SYMBOLS;
  /** Where the column stands among those of the block. */
  place = 0;
  /** Where the dictionary begins in the order of all entries. */
  first = 0;

  constructor(level: AttributeLevel, type: ValueType, key: number) {
    this.level = level;
    this.type = type;
    this.key = key;
  }

  /** Whether most values were found to be distinct by the sources already: then no time is lost on looking for equal ones. */
  get isKnownPlain(): boolean {
    return this.plainCount * 2 > this.count && this.count >= PLAIN_MIN_COUNT;
  }
}

/** Room for entries at the beginning. */
const MIN_CAPACITY = 256;

/**
 * The values of all columns while sources are united, in one table: a block may have tens of thousands of columns with a few values
 * each, and a table for each of them would cost more than what it holds.
 */
export class UnionValues implements SymbolTable {
  count = 0;
  offsets: Uint32Array;
  bytes: Uint8Array;
  readonly hashes = undefined;
  /** The entries of all dictionaries, column after column, each in its order; once settled. */
  order: Uint32Array = new Uint32Array(0);
  readonly #columns: readonly UnionColumn[];
  /** Column of each entry. */
  #owners: Uint32Array;
  /** Per column 1 where values are not looked up, and its entries. */
  readonly #isPlain: Uint8Array;
  readonly #entries: Uint32Array;
  /** Open addressing by linear probing, at most half full: the entry, -1 where a slot is free, and its hash. */
  #slots = new Int32Array(MIN_CAPACITY * 4).fill(-1);
  #interned = 0;
  /** Entries without a slot. */
  #crowded: CrowdedValues | undefined;

  /**
   * @param columns with `count` and `plainCount` as they are in the end
   * @param expected entries and bytes; memory that is not used is never touched
   */
  constructor(
    columns: readonly UnionColumn[],
    expected: { readonly entries: number; readonly bytes: number },
  ) {
    this.#columns = columns;
    this.#isPlain = Uint8Array.from(columns, ({ isKnownPlain }) => (isKnownPlain ? 1 : 0));
    this.#entries = new Uint32Array(columns.length);
    this.offsets = new Uint32Array(expected.entries + 1);
    this.#owners = new Uint32Array(expected.entries);
    this.bytes = new Uint8Array(expected.bytes);
  }

  /** Takes a value of a column over and returns its entry. */
  add(column: number, source: SymbolTable, entry: number): number {
    const { offsets, bytes, hashes } = source;
    const start = offsets[entry]!;
    const end = offsets[entry + 1]!;
    if (this.#isPlain[column] === 1) return this.#store(column, bytes, start, end);
    const known = hashes?.[entry] ?? NOT_HASHED;
    const own = ownHash(known === NOT_HASHED ? hashBytes(bytes, start, end) : known, column);
    const slots = this.#slots;
    const mask = slots.length - 2;
    let slot = (own << 1) & mask;
    let left = LONGEST_RUN;
    for (let found = slots[slot]!; found >= 0 && left > 0; found = slots[slot]!, left--) {
      if (slots[slot + 1] === own && this.#isSame(found, column, bytes, start, end)) return found;
      slot = (slot + 2) & mask;
    }
    if (left === 0) return this.#addCrowded(column, bytes, start, end);
    const added = this.#store(column, bytes, start, end);
    slots[slot] = added;
    slots[slot + 1] = own;
    if (++this.#interned * 4 > slots.length) this.#growSlots();
    return added;
  }

  #addCrowded(column: number, bytes: Uint8Array, start: number, end: number): number {
    this.#crowded ??= new CrowdedValues();
    const found = this.#crowded.get(column, bytes, start, end);
    if (found >= 0) return found;
    const added = this.#store(column, bytes, start, end);
    this.#crowded.set(column, bytes, start, end, added);
    return added;
  }

  /**
   * Decides how each column is stored and puts the dictionaries in order, when all values were added.
   * @returns for each entry what stands for it in the column: its place in the dictionary, or the entry where the column is plain
   */
  settle(): Uint32Array {
    const columns = this.#columns;
    let total = 0;
    for (const [c, column] of columns.entries()) {
      const { count } = column;
      const entries = (column.entries = this.#entries[c]!);
      column.isPlain =
        this.#isPlain[c] === 1 ||
        (count >= PLAIN_MIN_COUNT && entries > count * PLAIN_DISTINCT_RATIO);
      column.first = total;
      if (!column.isPlain) total += entries;
    }
    const order = new Uint32Array(total);
    const places = this.#byColumn(order);
    const sorter = new EntrySorter();
    for (const { type, isPlain, first, entries } of columns) {
      if (isPlain) continue;
      sorter.sort(type, this, order, first, first + entries);
      putPlaces(order, first, entries, places);
    }
    this.order = order;
    this.#slots = new Int32Array(0);
    this.#crowded = undefined;
    return places;
  }

  /** What the cells of a column are entries of, once settled: its dictionary, copied, or all values where it is plain. */
  valuesOf({ isPlain, first, entries }: UnionColumn): SymbolTable {
    if (isPlain) return this;
    const offsets = new Uint32Array(entries + 1);
    const values: Uint8Array[] = [];
    for (let i = 0; i < entries; i++) {
      const entry = this.order[first + i]!;
      const value = this.bytes.subarray(this.offsets[entry], this.offsets[entry + 1]);
      values.push(value);
      offsets[i + 1] = offsets[i]! + value.length;
    }
    return { count: entries, offsets, bytes: Buffer.concat(values), hashes: undefined };
  }

  /** Puts the entries of each column that has a dictionary into `order`, column by column; gives the places of the others. */
  #byColumn(order: Uint32Array): Uint32Array {
    const columns = this.#columns;
    const next = Uint32Array.from(columns, ({ first }) => first);
    const owners = this.#owners;
    const places = new Uint32Array(this.count);
    const isPlain = Uint8Array.from(columns, (column) => (column.isPlain ? 1 : 0));
    for (let entry = 0; entry < places.length; entry++) {
      const owner = owners[entry]!;
      if (isPlain[owner] === 1) places[entry] = entry;
      else order[next[owner]!++] = entry;
    }
    return places;
  }

  #isSame(entry: number, column: number, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = this.offsets[entry]!;
    const length = end - start;
    return (
      this.#owners[entry] === column &&
      this.offsets[entry + 1]! - offset === length &&
      equalBytes(this.bytes, offset, bytes, start, length)
    );
  }

  #store(column: number, bytes: Uint8Array, start: number, end: number): number {
    const entry = this.count++;
    if (entry === this.#owners.length) this.#growEntries();
    const offset = this.offsets[entry]!;
    const stop = offset + end - start;
    if (stop > this.bytes.length) {
      this.bytes = grownBytes(this.bytes, Math.max(this.bytes.length * 2, stop));
    }
    copyValue(bytes, start, this.bytes, offset, end - start);
    this.offsets[entry + 1] = stop;
    this.#owners[entry] = column;
    this.#entries[column]!++;
    return entry;
  }

  #growEntries(): void {
    const capacity = Math.max(MIN_CAPACITY, this.#owners.length * 2);
    this.offsets = grownWords(this.offsets, capacity + 1);
    this.#owners = grownWords(this.#owners, capacity);
  }

  #growSlots(): void {
    const before = this.#slots;
    const crowded = this.#crowded;
    this.#slots = new Int32Array(before.length * 2).fill(-1);
    this.#crowded = undefined;
    for (let i = 0; i < before.length; i += 2) {
      if (before[i]! >= 0) this.#place(before[i]!, before[i + 1]!);
    }
    for (const entry of crowded?.entries() ?? []) {
      const hash = hashBytes(this.bytes, this.offsets[entry]!, this.offsets[entry + 1]!);
      this.#place(entry, ownHash(hash, this.#owners[entry]!));
    }
  }

  /** Gives an entry its slot, or a place among those without one. */
  #place(entry: number, own: number): void {
    if (takeSlot(this.#slots, entry, own)) return;
    this.#crowded ??= new CrowdedValues();
    const [start, end] = [this.offsets[entry]!, this.offsets[entry + 1]!];
    this.#crowded.set(this.#owners[entry]!, this.bytes, start, end, entry);
  }
}

/** Hash of a value as one of its column. */
function ownHash(hash: number, column: number): number {
  return Math.imul(hash ^ Math.imul(column, 0x9e3779b1), 0x85ebca6b);
}

function putPlaces(order: Uint32Array, first: number, count: number, places: Uint32Array): void {
  for (let i = 0; i < count; i++) places[order[first + i]!] = i;
}
