// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '@spoor/core/model/attributes.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { NOT_HASHED, SymbolInterner } from '@spoor/core/model/symbol-interner.ts';
import { getUint32 } from '@spoor/core/model/uint32.ts';
import { endOfWord, WordSorter } from '@spoor/core/model/word-sorter.ts';
import { allEntries } from './values-chunk.ts';
import type { WritableColumn } from './writable-spans.ts';

/**
 * Unites symbol tables. Codes of the union are in order of first appearance.
 * @param used per table 1 for each entry that is taken; undefined where all are
 */
export function uniteTables(
  tables: readonly SymbolTable[],
  used: readonly (Uint8Array | undefined)[] = [],
): { table: SymbolInterner; maps: Uint32Array[] } {
  const table = new SymbolInterner(256, 4096);
  return { table, maps: tables.map((source, i) => internUsed(table, source, used[i])) };
}

function internUsed(
  target: SymbolInterner,
  source: SymbolTable,
  used: Uint8Array | undefined,
): Uint32Array {
  const map = new Uint32Array(source.count);
  for (let i = 0; i < source.count; i++) {
    if (used === undefined || used[i] === 1) map[i] = internEntry(target, source, i);
  }
  return map;
}

/** Code in `target` of an entry of another table. */
function internEntry(
  target: SymbolInterner,
  { offsets, bytes, hashes }: SymbolTable,
  entry: number,
) {
  const start = offsets[entry]!;
  const end = offsets[entry + 1]!;
  const hash = hashes?.[entry] ?? NOT_HASHED;
  return hash === NOT_HASHED
    ? target.intern(bytes, start, end)
    : target.internHashed(bytes, start, end, hash);
}

/** What tells a column from others of a block. */
type ColumnIdentity = Pick<WritableColumn, 'level' | 'type' | 'key' | 'isPlain'>;

/** A number for each column, which orders by key, level, type and kind of storage. */
export function columnNumber({ level, type, key, isPlain }: ColumnIdentity): number {
  return ((key * 8 + level) * 16 + type) * 2 + (isPlain ? 1 : 0);
}

/**
 * Columns in the order of all blocks: by the bytes of their keys, then level, type and kind of storage. So those who merge blocks come
 * upon the same column of each at the same time.
 * @param keys that `key` is a code in
 */
export function inColumnOrder<Column extends ColumnIdentity>(
  columns: readonly Column[],
  keys: SymbolTable,
): Column[] {
  const ranks = ranksOf(sortedOrder(ValueType.string, keys));
  const placed = columns.map((column) => {
    const { level, type, key, isPlain } = column;
    return { column, place: columnNumber({ level, type, key: ranks[key]!, isPlain }) };
  });
  return placed.sort((a, b) => a.place - b.place).map(({ column }) => column);
}

/** The place of each entry in an order. */
function ranksOf(order: Uint32Array): Uint32Array {
  const ranks = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) ranks[order[i]!] = i;
  return ranks;
}

/** A run of entries that are equal so far is sorted by comparing when it is as short as this. */
const COMPARED_RUN = 6;

/** All entries of a table in the order of dictionaries of a type. */
function sortedOrder(type: ValueType, table: SymbolTable): Uint32Array {
  const order = allEntries(table.count);
  new EntrySorter().sort(type, table, order, 0, order.length);
  return order;
}

/** Sorts entries as dictionaries are: ints by value, everything else by its bytes. One is for thousands of small dictionaries. */
export class EntrySorter {
  readonly #sorter = new WordSorter();
  #heads = new Uint32Array(256);

  /** Sorts the entries `order[first, end)` of a table. */
  sort(type: ValueType, table: SymbolTable, order: Uint32Array, first: number, end: number): void {
    if (end - first <= COMPARED_RUN) {
      insertionSort(type, table, order, first, end);
      return;
    }
    const list = order.subarray(first, end);
    if (list.length > this.#heads.length) this.#heads = new Uint32Array(list.length * 2);
    const isInt = type === ValueType.int;
    const depth = isInt ? 0 : sharedPrefix(table, list, 0);
    this.#sortRun(table, isInt, list, this.#heads.subarray(0, list.length), depth);
  }

  /**
   * Sorts `order` by the four bytes at `depth`, the head of each entry; then runs whose heads are the same by the next four that
   * are not.
   */
  #sortRun(
    table: SymbolTable,
    isInt: boolean,
    order: Uint32Array,
    heads: Uint32Array,
    depth: number,
  ): void {
    const type = isInt ? ValueType.int : ValueType.bytes;
    if (isInt) fillIntHeads(table, order, heads, depth);
    else fillByteHeads(table, order, heads, depth);
    this.#sorter.sort(heads, order);
    for (let i = 0; i < order.length;) {
      const end = endOfWord(heads, i);
      if (end - i <= COMPARED_RUN) {
        insertionSort(type, table, order, i, end);
      } else if (end - i === order.length && depth > 0) {
        // All that remain equal end here or have zeros.
        order.sort((a, b) => compareEntries(type, table, a, b));
      } else {
        const run = order.subarray(i, end);
        const next = isInt ? 4 : sharedPrefix(table, run, depth + 4);
        this.#sortRun(table, isInt, run, heads.subarray(i, end), next);
      }
      i = end;
    }
  }
}

/** For each entry the four bytes at `depth` of its value. */
function fillByteHeads(
  { offsets, bytes }: SymbolTable,
  order: Uint32Array,
  heads: Uint32Array,
  depth: number,
): void {
  for (let i = 0; i < order.length; i++) {
    const entry = order[i]!;
    const start = offsets[entry]! + depth;
    const end = offsets[entry + 1]!;
    let head = 0;
    for (let k = 0; k < 4; k++) head = (head << 8) | (start + k < end ? bytes[start + k]! : 0);
    heads[i] = head;
  }
}

/** As {@link fillByteHeads} for ints: first the upper half, then the lower one. */
function fillIntHeads(
  { offsets, bytes }: SymbolTable,
  order: Uint32Array,
  heads: Uint32Array,
  depth: number,
): void {
  for (let i = 0; i < order.length; i++) {
    const start = offsets[order[i]!]!;
    heads[i] = depth === 0 ? getUint32(bytes, start + 4) ^ 0x80000000 : getUint32(bytes, start);
  }
}

function insertionSort(
  type: ValueType,
  table: SymbolTable,
  order: Uint32Array,
  first: number,
  end: number,
): void {
  for (let i = first + 1; i < end; i++) {
    const entry = order[i]!;
    let at = i;
    while (at > first && compareEntries(type, table, order[at - 1]!, entry) > 0) {
      order[at] = order[at - 1]!;
      at--;
    }
    order[at] = entry;
  }
}

/** Order of two entries of a dictionary: ints by value, everything else by its bytes. */
export function compareEntries(type: ValueType, table: SymbolTable, a: number, b: number): number {
  return compareValues(type, table, a, table, b);
}

/** Order of entries of two dictionaries; see {@link compareEntries}. */
export function compareValues(
  type: ValueType,
  aTable: SymbolTable,
  a: number,
  bTable: SymbolTable,
  b: number,
): number {
  const aBytes = aTable.bytes;
  const bBytes = bTable.bytes;
  const aStart = aTable.offsets[a]!;
  const bStart = bTable.offsets[b]!;
  if (type === ValueType.int) {
    const high = (getUint32(aBytes, aStart + 4) | 0) - (getUint32(bBytes, bStart + 4) | 0);
    return high === 0 ? getUint32(aBytes, aStart) - getUint32(bBytes, bStart) : high;
  }
  const aLength = aTable.offsets[a + 1]! - aStart;
  const bLength = bTable.offsets[b + 1]! - bStart;
  const length = Math.min(aLength, bLength);
  for (let i = 0; i < length; i++) {
    const difference = aBytes[aStart + i]! - bBytes[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/** All entries are compared by so many bytes before any is compared further: those that agree may be long, and others end it soon. */
const PREFIX_STEP = 64;

/** How many bytes all of the entries begin with, of which the first `known` are known to be the same. */
function sharedPrefix(table: SymbolTable, entries: Uint32Array, known: number): number {
  for (let from = known; ; from += PREFIX_STEP) {
    const shared = sharedWithin(table, entries, from, from + PREFIX_STEP);
    if (shared < from + PREFIX_STEP) return shared;
  }
}

/** As {@link sharedPrefix}, but no more than `most`. */
function sharedWithin(
  { offsets, bytes }: SymbolTable,
  entries: Uint32Array,
  known: number,
  most: number,
): number {
  const first = offsets[entries[0]!]!;
  let shared = Math.max(known, Math.min(most, offsets[entries[0]! + 1]! - first));
  for (let i = 1; i < entries.length && shared > known; i++) {
    const start = offsets[entries[i]!]!;
    shared = Math.min(shared, offsets[entries[i]! + 1]! - start);
    let k = known;
    while (k < shared && bytes[start + k] === bytes[first + k]) k++;
    shared = k;
  }
  return shared;
}
