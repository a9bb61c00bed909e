// SPDX-License-Identifier: Apache-2.0
import { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { type GroupSlice, numberAnew } from './group-slice.ts';
import { compareSpanIds } from './span-ids.ts';
import { allEntries, copyValue } from './values-chunk.ts';

/** With more columns it takes more memory than it saves work: it has a list for each. */
const MAX_COLUMNS = 1024;

/**
 * The rows of a slice as a batch of the spans that `joinTrace` gives, for a fifth of the work: equal symbols of a block have equal codes,
 * so none has to be looked at. A value is written once for each column that has it, those of plain columns each time. Undefined where rows
 * have the same start and id, for whether they are copies only their content tells, and where there are very many columns.
 */
export function sliceBatch(slice: GroupSlice): SpanBatch | undefined {
  if (slice.shapes.used.length > MAX_COLUMNS || !areInOrder(slice)) return undefined;
  const { rows, events, links, shapes, columns } = slice;
  const names = new UsedSymbols(slice.names, slice.name);
  const resources = new UsedSymbols(slice.resources, slice.resource);
  const scopes = new UsedSymbols(slice.scopes, slice.scope);
  const eventNames = new UsedSymbols(slice.eventNames, events?.name ?? NONE);
  const keys = new UsedSymbols(
    slice.keys,
    Uint32Array.from(columns, ({ key }) => key),
  );
  const values = columns.map(
    ({ values: table, codes, count }) => new UsedSymbols(table, codes, count),
  );
  const batch = SpanBatch.allocate({
    rows,
    events: events?.count ?? 0,
    links: links?.count ?? 0,
    shapes: shapes.count,
    shapeColumns: shapes.columns.length,
    cells: columns.reduce((sum, { count }) => sum + count, 0),
    values: {
      count: values.reduce((sum, { count }) => sum + count, 0),
      byteCount: values.reduce((sum, { byteCount }) => sum + byteCount, 0),
    },
    tables: [names, resources, scopes, eventNames, keys],
    columns: columns.map(({ level, type, count }, i) => {
      return { level, type, key: keys.codes[i]!, count, isPlain: false };
    }),
  });
  batch.startLo.set(slice.startLo);
  batch.startHi.set(slice.startHi);
  batch.durationLo.set(slice.durationLo);
  batch.durationHi.set(slice.durationHi);
  batch.flags.set(slice.flags);
  batch.kind.set(slice.kind);
  batch.status.set(slice.status);
  batch.traceId.set(slice.traceId);
  batch.spanId.set(slice.spanId);
  batch.parentSpanId.set(slice.parentSpanId);
  batch.name.set(names.codes);
  batch.resource.set(resources.codes);
  batch.scope.set(scopes.codes);
  batch.shape.set(slice.shape);
  names.copyTo(batch.names);
  resources.copyTo(batch.resources);
  scopes.copyTo(batch.scopes);
  eventNames.copyTo(batch.eventNames);
  keys.copyTo(batch.keys);
  batch.shapes.offsets.set(shapes.offsets);
  batch.shapes.columns.set(shapes.columns);
  if (batch.events !== undefined && events !== undefined) {
    batch.events.rowOffsets.set(events.rowOffsets);
    batch.events.timeLo.set(events.timeLo);
    batch.events.timeHi.set(events.timeHi);
    batch.events.name.set(eventNames.codes);
    batch.events.shape.set(events.shape);
  }
  if (batch.links !== undefined && links !== undefined) {
    batch.links.rowOffsets.set(links.rowOffsets);
    batch.links.traceId.set(links.traceId);
    batch.links.spanId.set(links.spanId);
    batch.links.flags.set(links.flags);
    batch.links.shape.set(links.shape);
  }
  let first = 0;
  for (const used of values) first = used.copyTo(batch.values, first);
  putCells(batch, values);
  return batch;
}

/** Whether each row comes after the one before by start and id, and not only by content. */
function areInOrder({ rows, startLo, startHi, spanId }: GroupSlice): boolean {
  for (let row = 1; row < rows; row++) {
    if (startLo[row] !== startLo[row - 1] || startHi[row] !== startHi[row - 1]) continue;
    if (compareSpanIds(spanId, row * 8, spanId, row * 8 - 8) === 0) return false;
  }
  return true;
}

/** Some symbols of a table, numbered anew in the order in which they are used. */
class UsedSymbols {
  /** The new number of each. */
  readonly codes: Uint32Array;
  byteCount = 0;
  readonly #table: SymbolTable;
  /** By new number. */
  readonly #used: ArrayLike<number>;

  /** @param codes undefined: the column is plain, and the first `count` symbols of the table are its values, equal ones among them */
  constructor(table: SymbolTable, codes: Uint32Array | undefined, count = codes?.length ?? 0) {
    this.#table = table;
    if (codes === undefined) {
      this.codes = allEntries(count);
      this.#used = allEntries(count);
      this.byteCount = table.offsets[count]! - table.offsets[0]!;
      return;
    }
    const { numbers, distinct } = numberAnew(codes);
    this.codes = numbers;
    this.#used = distinct;
    for (const code of distinct) this.byteCount += table.offsets[code + 1]! - table.offsets[code]!;
  }

  get count(): number {
    return this.#used.length;
  }

  /**
   * Writes them as entries `first`, `first + 1`, … of a table that has those before it, and makes `codes` theirs.
   * @returns the entry after them
   */
  copyTo({ offsets, bytes }: SymbolTable, first = 0): number {
    const source = this.#table;
    let entry = first;
    for (let i = 0; i < this.count; i++) {
      const code = this.#used[i]!;
      const start = source.offsets[code]!;
      const length = source.offsets[code + 1]! - start;
      copyValue(source.bytes, start, bytes, offsets[entry]!, length);
      offsets[entry + 1] = offsets[entry]! + length;
      entry++;
    }
    if (first > 0)
      for (let i = 0; i < this.codes.length; i++) this.codes[i] = this.codes[i]! + first;
    return entry;
  }
}

/** Writes the attributes of all rows, then events, then links: those of a column are in this order. */
function putCells(
  { cellCodes, shapes, shape, events, links }: SpanBatch,
  values: readonly UsedSymbols[],
): void {
  const next = new Uint32Array(values.length);
  let cell = 0;
  for (const owners of [shape, events?.shape ?? NONE, links?.shape ?? NONE]) {
    for (let i = 0; i < owners.length; i++) {
      const end = shapes.offsets[owners[i]! + 1]!;
      for (let k = shapes.offsets[owners[i]!]!; k < end; k++) {
        const column = shapes.columns[k]!;
        cellCodes[cell++] = values[column]!.codes[next[column]!++]!;
      }
    }
  }
}

const NONE = new Uint32Array(0);
