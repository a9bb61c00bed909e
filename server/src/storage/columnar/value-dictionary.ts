// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '@spoor/core/model/attributes.ts';
import type { AttributeColumn, SymbolTable } from '@spoor/core/model/span-columns.ts';
import { SymbolInterner } from '@spoor/core/model/symbol-interner.ts';

/** A column with more distinct values than this is stored plain: codes would cost more than they save. */
const PLAIN_DISTINCT_RATIO = 0.7;

/** Below this many values a column always keeps its dictionary, which makes searching it cheaper. */
const PLAIN_MIN_COUNT = 1024;

/** The values of one column of a block: those of all its sources. */
export interface ColumnValues {
  /** True: every value stands for itself, in row order; `table` is only where they are looked up while writing. */
  readonly plain: boolean;
  readonly table: SymbolTable;
  /** Per source, in order: entry of the source's values table to entry of `table`. */
  readonly maps: readonly Uint32Array[];
}

/** Unites symbol tables. Codes of the union are in order of first appearance. */
export function uniteTables(tables: readonly SymbolTable[]): {
  table: SymbolInterner;
  maps: Uint32Array[];
} {
  const table = new SymbolInterner(256, 4096);
  return { table, maps: tables.map((source) => internAll(table, source)) };
}

/** Unites the values of one column over its sources and orders them; see {@link compareEntries} for the order. */
export function uniteValues(type: ValueType, sources: readonly AttributeColumn[]): ColumnValues {
  let count = 0;
  let plainCount = 0;
  for (const source of sources) {
    count += source.count;
    if (source.codes === undefined) plainCount += source.count;
  }
  if (plainCount * 2 > count && count >= PLAIN_MIN_COUNT) {
    return concatenate(sources.map((source) => source.values));
  }
  const { table, maps } = uniteTables(sources.map((source) => source.values));
  if (count >= PLAIN_MIN_COUNT && table.count > count * PLAIN_DISTINCT_RATIO) {
    return { plain: true, table, maps };
  }
  const order = sortedOrder(type, table);
  const rank = new Uint32Array(table.count);
  for (let i = 0; i < order.length; i++) rank[order[i]!] = i;
  for (const map of maps) for (let i = 0; i < map.length; i++) map[i] = rank[map[i]!]!;
  return { plain: false, table: reordered(table, order), maps };
}

function internAll(target: SymbolInterner, source: SymbolTable): Uint32Array {
  const { count, offsets, bytes, hashes } = source;
  const map = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const start = offsets[i]!;
    const end = offsets[i + 1]!;
    map[i] =
      hashes === undefined
        ? target.intern(bytes, start, end)
        : target.internHashed(bytes, start, end, hashes[i]!);
  }
  return map;
}

function concatenate(tables: readonly SymbolTable[]): ColumnValues {
  let count = 0;
  let byteCount = 0;
  for (const table of tables) {
    count += table.count;
    byteCount += table.offsets[table.count]!;
  }
  const offsets = new Uint32Array(count + 1);
  const bytes = new Uint8Array(byteCount);
  const maps: Uint32Array[] = [];
  let at = 0;
  let entry = 0;
  for (const table of tables) {
    const map = new Uint32Array(table.count);
    for (let i = 0; i < table.count; i++) {
      map[i] = entry;
      offsets[++entry] = at + table.offsets[i + 1]!;
    }
    bytes.set(table.bytes.subarray(0, table.offsets[table.count]), at);
    at += table.offsets[table.count]!;
    maps.push(map);
  }
  return { plain: true, table: { count, offsets, bytes, hashes: undefined }, maps };
}

function reordered(table: SymbolTable, order: Uint32Array): SymbolTable {
  const offsets = new Uint32Array(order.length + 1);
  const bytes = new Uint8Array(table.offsets[table.count]!);
  let at = 0;
  for (let i = 0; i < order.length; i++) {
    const start = table.offsets[order[i]!]!;
    const end = table.offsets[order[i]! + 1]!;
    if (end - start <= 24) for (let p = start; p < end; p++) bytes[at++] = table.bytes[p]!;
    else {
      bytes.set(table.bytes.subarray(start, end), at);
      at += end - start;
    }
    offsets[i + 1] = at;
  }
  return { count: order.length, offsets, bytes, hashes: undefined };
}

/** A run of entries that are equal so far is sorted by comparing when it is as short as this. */
const COMPARED_RUN = 6;

/** Entries that the numeric sort can tell apart: 32 bits of the value and the entry share the 53 bits of a double. */
const MAX_SORTED_ENTRIES = 2 ** 21;

/** Entries in ascending order: ints by value, everything else by its bytes. */
function sortedOrder(type: ValueType, table: SymbolTable): Uint32Array {
  const { count } = table;
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  if (count > MAX_SORTED_ENTRIES) return order.sort((a, b) => compareEntries(type, table, a, b));
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
  const { offsets, bytes } = table;
  const count = order.length;
  const type = numeric ? ValueType.int : ValueType.bytes;
  for (let i = 0; i < count; i++) {
    const entry = order[i]!;
    const start = offsets[entry]! + depth;
    let head: number;
    if (numeric) {
      head = depth === 0 ? (word(bytes, start + 4) ^ 0x80000000) >>> 0 : word(bytes, start - 4);
    } else {
      const end = offsets[entry + 1]!;
      head = 0;
      for (let k = 0; k < 4; k++) head = head * 256 + (start + k < end ? bytes[start + k]! : 0);
    }
    keys[first + i] = head * MAX_SORTED_ENTRIES + entry;
  }
  keys.subarray(first, first + count).sort();
  for (let i = 0; i < count; i++) order[i] = keys[first + i]! % MAX_SORTED_ENTRIES;
  for (let i = 0; i < count;) {
    const head = Math.floor(keys[first + i]! / MAX_SORTED_ENTRIES);
    let end = i + 1;
    while (end < count && Math.floor(keys[first + end]! / MAX_SORTED_ENTRIES) === head) end++;
    // The whole run was equal: long common parts are for comparing, not for going ever deeper.
    if (end - i === count || end - i <= COMPARED_RUN) {
      if (end - i > 1) order.subarray(i, end).sort((a, b) => compareEntries(type, table, a, b));
    } else {
      sortRun(table, numeric, order.subarray(i, end), keys, first + i, depth + 4);
    }
    i = end;
  }
}

/** Order of two entries of a dictionary: ints by value, everything else by its bytes. */
export function compareEntries(type: ValueType, table: SymbolTable, a: number, b: number): number {
  const { offsets, bytes } = table;
  const aStart = offsets[a]!;
  const bStart = offsets[b]!;
  if (type === ValueType.int) {
    const high = (word(bytes, aStart + 4) | 0) - (word(bytes, bStart + 4) | 0);
    return high === 0 ? word(bytes, aStart) - word(bytes, bStart) : high;
  }
  const aLength = offsets[a + 1]! - aStart;
  const bLength = offsets[b + 1]! - bStart;
  const length = Math.min(aLength, bLength);
  for (let i = 0; i < length; i++) {
    const difference = bytes[aStart + i]! - bytes[bStart + i]!;
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
