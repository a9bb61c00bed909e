// SPDX-License-Identifier: Apache-2.0
import { type AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { NO_SYMBOLS, type SymbolTable } from '@spoor/core/model/span-columns.ts';
import { NOT_HASHED, SymbolInterner } from '@spoor/core/model/symbol-interner.ts';
import { endOfHead, MAX_SORT_ITEMS, takeItems } from './sort-keys.ts';
import { copyValue } from './values-chunk.ts';
import type { WritableColumn } from './writable-spans.ts';

/** A column with more distinct values than this is stored plain: codes would cost more than they save. */
const PLAIN_DISTINCT_RATIO = 0.7;

/** Below this many values a column always keeps its dictionary, which makes searching it cheaper. */
const PLAIN_MIN_COUNT = 1024;

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

/** A column of a block while its sources are united: collects values, then settles how they are stored. */
export class ColumnValues implements WritableColumn {
  readonly level: AttributeLevel;
  readonly type: ValueType;
  /** Code in the union's keys. */
  readonly key: number;
  /** Values in all sources, and those in sources that did not intern them. */
  count = 0;
  plainCount = 0;
  /** True: every value stands for itself, in row order; `table` is only where they are looked up while writing. */
  isPlain = false;
  /** The values. Once settled, a dictionary is in order; see {@link compareEntries}. */
  table: SymbolTable = NO_SYMBOLS;
  /** Code that {@link add} gave to entry of `table`, once settled; undefined where they are the same. */
  ranks: Uint32Array | undefined;
  #interner: SymbolInterner | undefined;

  constructor(level: AttributeLevel, type: ValueType, key: number) {
    this.level = level;
    this.type = type;
    this.key = key;
  }

  /** Whether most values were found to be distinct by the sources already: then no time is lost on looking for equal ones. */
  get isKnownPlain(): boolean {
    return this.plainCount * 2 > this.count && this.count >= PLAIN_MIN_COUNT;
  }

  /** Takes a value over and returns its code. `count` and `plainCount` must be final. */
  add(source: SymbolTable, entry: number): number {
    // Thousands of columns may have a value or two each.
    const interner = (this.#interner ??= this.#begin());
    if (!this.isKnownPlain) return internEntry(interner, source, entry);
    const { offsets, bytes } = source;
    return interner.append(bytes, offsets[entry]!, offsets[entry + 1]!);
  }

  #begin(): SymbolInterner {
    const few = Math.min(this.count, 16);
    const interner = new SymbolInterner(few, few * 16);
    this.table = interner;
    return interner;
  }

  /** Decides how the values are stored, when all were added. */
  settle(): void {
    const { table } = this;
    this.isPlain =
      this.isKnownPlain ||
      (this.count >= PLAIN_MIN_COUNT && table.count > this.count * PLAIN_DISTINCT_RATIO);
    this.#interner = undefined;
    if (this.isPlain || table.count < 2) return;
    const order = sortedOrder(this.type, table);
    this.ranks = ranksOf(order);
    this.table = reordered(table, order);
  }
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
  const place = ({ level, type, key, isPlain }: Column): number =>
    columnNumber({ level, type, key: ranks[key]!, isPlain });
  return columns.toSorted((a, b) => place(a) - place(b));
}

/** The place of each entry in an order. */
function ranksOf(order: Uint32Array): Uint32Array {
  const ranks = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) ranks[order[i]!] = i;
  return ranks;
}

function reordered(table: SymbolTable, order: Uint32Array): SymbolTable {
  const offsets = new Uint32Array(order.length + 1);
  const bytes = new Uint8Array(table.offsets[table.count]!);
  let at = 0;
  for (let i = 0; i < order.length; i++) {
    const start = table.offsets[order[i]!]!;
    const end = table.offsets[order[i]! + 1]!;
    copyValue(table.bytes, start, bytes, at, end - start);
    at += end - start;
    offsets[i + 1] = at;
  }
  return { count: order.length, offsets, bytes, hashes: undefined };
}

/** A run of entries that are equal so far is sorted by comparing when it is as short as this. */
const COMPARED_RUN = 6;

/** Entries in ascending order: ints by value, everything else by its bytes. */
function sortedOrder(type: ValueType, table: SymbolTable): Uint32Array {
  const { count } = table;
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  if (count <= COMPARED_RUN) {
    insertionSort(type, table, order, 0, count);
    return order;
  }
  if (count > MAX_SORT_ITEMS) return order.sort((a, b) => compareEntries(type, table, a, b));
  const numeric = type === ValueType.int;
  const keys = new Float64Array(count);
  sortRun(table, numeric, order, keys, 0, numeric || count < 2 ? 0 : sharedPrefix(table));
  return order;
}

/**
 * Sorts `order` by the four bytes at `depth` as numbers, which is what sorts fast; then runs that are equal there by
 * the next four.
 */
function sortRun(
  table: SymbolTable,
  numeric: boolean,
  order: Uint32Array,
  keys: Float64Array,
  first: number,
  depth: number,
): void {
  const count = order.length;
  const type = numeric ? ValueType.int : ValueType.bytes;
  if (numeric) fillIntKeys(table, order, keys, first, depth);
  else fillByteKeys(table, order, keys, first, depth);
  keys.subarray(first, first + count).sort();
  takeItems(keys, first, order);
  for (let i = 0; i < count;) {
    const end = endOfHead(keys, first + i, first + count) - first;
    if (end - i <= COMPARED_RUN) {
      insertionSort(type, table, order, i, end);
    } else if (end - i === count) {
      // The whole run was equal: long common parts are for comparing, not for going ever deeper.
      order.sort((a, b) => compareEntries(type, table, a, b));
    } else {
      sortRun(table, numeric, order.subarray(i, end), keys, first + i, depth + 4);
    }
    i = end;
  }
}

/** For each entry, four bytes of the value and the entry. */
function fillByteKeys(
  { offsets, bytes }: SymbolTable,
  order: Uint32Array,
  keys: Float64Array,
  first: number,
  depth: number,
): void {
  for (let i = 0; i < order.length; i++) {
    const entry = order[i]!;
    const start = offsets[entry]! + depth;
    const end = offsets[entry + 1]!;
    let head = 0;
    for (let k = 0; k < 4; k++) head = head * 256 + (start + k < end ? bytes[start + k]! : 0);
    keys[first + i] = head * MAX_SORT_ITEMS + entry;
  }
}

/** As {@link fillByteKeys} for ints: first the upper half, then the lower one. */
function fillIntKeys(
  { offsets, bytes }: SymbolTable,
  order: Uint32Array,
  keys: Float64Array,
  first: number,
  depth: number,
): void {
  for (let i = 0; i < order.length; i++) {
    const entry = order[i]!;
    const start = offsets[entry]!;
    const head = depth === 0 ? (word(bytes, start + 4) ^ 0x80000000) >>> 0 : word(bytes, start);
    keys[first + i] = head * MAX_SORT_ITEMS + entry;
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
    const high = (word(aBytes, aStart + 4) | 0) - (word(bBytes, bStart + 4) | 0);
    return high === 0 ? word(aBytes, aStart) - word(bBytes, bStart) : high;
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

function sharedPrefix(table: SymbolTable): number {
  const { count, offsets, bytes } = table;
  let shared = offsets[1]! - offsets[0]!;
  for (let i = 1; i < count && shared > 0; i++) {
    const start = offsets[i]!;
    shared = Math.min(shared, offsets[i + 1]! - start);
    let k = 0;
    while (k < shared && bytes[start + k] === bytes[k]) k++;
    shared = k;
  }
  return shared;
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
