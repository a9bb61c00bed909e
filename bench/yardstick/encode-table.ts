// SPDX-License-Identifier: Apache-2.0
import { constants, zstdCompressSync } from 'node:zlib';
import type { ByteDictionary } from './byte-dictionary.ts';
import { ByteList, type SpanTable } from './span-table.ts';

/** The level that the store's blocks use. */
const ZSTD_LEVEL = 3;

/** Sorts a table by trace id, compresses it column by column, and returns the compressed bytes. */
export function encodeTable(table: SpanTable): number {
  const order = orderByTrace(table);
  const { rows } = table;
  let bytes = 0;
  const put = (column: Uint8Array): void => {
    const params = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL };
    bytes += zstdCompressSync(column, { params }).length;
  };
  const putCodes = (codes: Uint32Array): void => put(narrow(codes));
  const take = (column: Uint32Array): Uint32Array => {
    const taken = new Uint32Array(rows);
    for (let i = 0; i < rows; i++) taken[i] = column[order[i]!]!;
    return taken;
  };

  const runs = traceRuns(table, order);
  put(runs.ids);
  putCodes(runs.lengths);
  const parents = parentRows(table, order, runs.lengths);
  put(parents.spanIds);
  putCodes(parents.rows);
  for (const planes of timePlanes(table, order, runs.lengths)) put(planes);
  for (const column of [table.kind, table.name, table.resource, table.shape])
    putCodes(take(column));
  for (const dictionary of [table.names, table.resources, table.keys, table.shapes]) {
    put(dictionary.bytes.subarray(0, dictionary.offsets[dictionary.count]));
    putCodes(lengths(dictionary));
  }
  for (const [key, codes] of sortedCodes(table, order).entries()) {
    const { values } = table.columns[key]!;
    put(values.bytes.subarray(0, values.offsets[values.count]));
    putCodes(lengths(values));
    putCodes(codes);
  }
  const rest = new ByteList();
  const restLengths = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) {
    const row = order[i]!;
    const from = row === 0 ? 0 : table.restEnd[row - 1]!;
    rest.append(table.rest.bytes, from, table.restEnd[row]!);
    restLengths[i] = table.restEnd[row]! - from;
  }
  put(rest.bytes.subarray(0, rest.length));
  putCodes(restLengths);
  return bytes;
}

/** Rows by the first 32 bits of their trace id, which keeps traces together well enough here. */
function orderByTrace({ rows, traceId }: SpanTable): Uint32Array {
  const keys = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = row * 16;
    const prefix =
      ((traceId[at]! << 24) |
        (traceId[at + 1]! << 16) |
        (traceId[at + 2]! << 8) |
        traceId[at + 3]!) >>>
      0;
    keys[row] = prefix * 2 ** 20 + row;
  }
  keys.sort();
  return Uint32Array.from(keys, (key) => key % 2 ** 20);
}

function traceRuns(
  { rows, traceId }: SpanTable,
  order: Uint32Array,
): { ids: Uint8Array; lengths: Uint32Array } {
  const ids = new ByteList();
  const lengths = new Uint32Array(rows);
  let runs = 0;
  for (let i = 0; i < rows; i++) {
    const at = order[i]! * 16;
    let same = runs > 0;
    for (let k = 0; same && k < 16; k++) same = ids.bytes[ids.length - 16 + k] === traceId[at + k];
    if (!same) {
      ids.append(traceId, at, at + 16);
      runs++;
    }
    lengths[runs - 1]!++;
  }
  return { ids: ids.bytes.subarray(0, ids.length), lengths: lengths.slice(0, runs) };
}

/** Parents as row numbers inside the trace: 0 none, 1 unknown, else the row plus 2. */
function parentRows(
  { rows, spanId, parentSpanId }: SpanTable,
  order: Uint32Array,
  runs: Uint32Array,
): { spanIds: Uint8Array; rows: Uint32Array } {
  const spanIds = new Uint8Array(rows * 8);
  const parents = new Uint32Array(rows);
  const places = new Map<number, number>();
  const word = (ids: Uint8Array, at: number): number =>
    ids[at]! | (ids[at + 1]! << 8) | (ids[at + 2]! << 16) | (ids[at + 3]! << 24);
  let start = 0;
  for (const run of runs) {
    places.clear();
    for (let i = start; i < start + run; i++) {
      const at = order[i]! * 8;
      for (let k = 0; k < 8; k++) spanIds[i * 8 + k] = spanId[at + k]!;
      places.set(word(spanId, at), i - start);
    }
    for (let i = start; i < start + run; i++) {
      const parent = word(parentSpanId, order[i]! * 8);
      parents[i] = parent === 0 ? 0 : (places.get(parent) ?? -1) + 2;
    }
    start += run;
  }
  return { spanIds, rows: parents };
}

/** Starts as differences to the first of the trace, and durations, split into their bytes. */
function timePlanes(
  { rows, start, end }: SpanTable,
  order: Uint32Array,
  runs: Uint32Array,
): Uint8Array[] {
  const starts = new Float64Array(rows);
  const durations = new Float64Array(rows);
  let i = 0;
  for (const run of runs) {
    const first = order[i]!;
    for (const stop = i + run; i < stop; i++) {
      const row = order[i]!;
      const base = row === first ? 0 : first;
      starts[i] =
        (start[row * 2 + 1]! - start[base * 2 + 1]!) * 2 ** 32 + start[row * 2]! - start[base * 2]!;
      durations[i] =
        (end[row * 2 + 1]! - start[row * 2 + 1]!) * 2 ** 32 + end[row * 2]! - start[row * 2]!;
    }
  }
  return [planes(starts), planes(durations)];
}

/** Six bytes of each number, zigzag, all first bytes together, then all second ones, … */
function planes(numbers: Float64Array): Uint8Array {
  const count = numbers.length;
  const bytes = new Uint8Array(count * 6);
  for (let i = 0; i < count; i++) {
    const number = numbers[i]!;
    const value = number < 0 ? -2 * number - 1 : 2 * number;
    const high = Math.floor(value / 2 ** 32);
    const low = value - high * 2 ** 32;
    for (let plane = 0; plane < 4; plane++) bytes[plane * count + i] = low / 2 ** (8 * plane);
    bytes[4 * count + i] = high;
    bytes[5 * count + i] = high / 256;
  }
  return bytes;
}

/** The codes of every column in the order of the sorted rows. */
function sortedCodes(table: SpanTable, order: Uint32Array): Uint32Array[] {
  const { rows, columns, shape, shapes } = table;
  const keysOf: Uint16Array[] = [];
  for (let i = 0; i < shapes.count; i++) {
    keysOf.push(
      new Uint16Array(shapes.bytes.slice(shapes.offsets[i], shapes.offsets[i + 1]).buffer),
    );
  }
  // Where each row's values stand in their columns, row after row.
  const first = new Uint32Array(rows + 1);
  for (let row = 0; row < rows; row++) first[row + 1] = first[row]! + keysOf[shape[row]!]!.length;
  const places = new Uint32Array(first[rows]!);
  const next = new Uint32Array(columns.length);
  for (let row = 0, at = 0; row < rows; row++) {
    for (const key of keysOf[shape[row]!]!) places[at++] = next[key]!++;
  }
  const sorted = columns.map((column) => new Uint32Array(column.count));
  next.fill(0);
  for (let i = 0; i < rows; i++) {
    const row = order[i]!;
    let at = first[row]!;
    for (const key of keysOf[shape[row]!]!) {
      sorted[key]![next[key]!++] = columns[key]!.codes[places[at++]!]!;
    }
  }
  return sorted;
}

function lengths(dictionary: ByteDictionary): Uint32Array {
  const { count, offsets } = dictionary;
  const list = new Uint32Array(count);
  for (let i = 0; i < count; i++) list[i] = offsets[i + 1]! - offsets[i]!;
  return list;
}

/** The numbers in as few bytes each as the largest needs. */
function narrow(codes: Uint32Array): Uint8Array {
  let max = 0;
  for (const code of codes) if (code > max) max = code;
  const copy = max < 256 ? Uint8Array.from(codes) : max < 65_536 ? Uint16Array.from(codes) : codes;
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength);
}
