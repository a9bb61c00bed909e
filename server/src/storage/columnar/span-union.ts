// SPDX-License-Identifier: Apache-2.0
import { ShapeInterner } from '@spoor/core/model/shape-interner.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { ColumnValues, uniteTables } from './value-dictionary.ts';
import type { WritableSpans } from './writable-spans.ts';

/**
 * Several sources under one set of symbols, columns and shapes, rows one source after the other. This is what a block is
 * written from: symbols are mapped once for each distinct one, rows are then numbers.
 */
export interface SpanUnion extends WritableSpans {
  readonly rows: number;
  readonly sources: readonly SpanBatch[];
  /** First row of each source, and the number of rows at the end. */
  readonly bases: Uint32Array;
  readonly traceWords: Uint32Array;
  readonly columns: readonly ColumnValues[];
}

/** Unites sources. */
export function uniteSpans(sources: readonly SpanBatch[]): SpanUnion {
  const bases = new Uint32Array(sources.length + 1);
  sources.forEach((source, s) => (bases[s + 1] = bases[s]! + source.rows));
  const rows = bases[sources.length]!;
  const names = uniteTables(sources.map((source) => source.names));
  const resources = uniteTables(sources.map((source) => source.resources));
  const scopes = uniteTables(sources.map((source) => source.scopes));
  const eventNames = uniteTables(sources.map((source) => source.eventNames));
  const keys = uniteTables(sources.map((source) => source.keys));
  const { columns, columnMaps } = uniteColumns(sources, keys.maps);
  const shapes = new ShapeInterner();
  const shapeMaps = sources.map((source, s) => mapShapes(source, columnMaps[s]!, shapes));

  const words = (pick: (source: SpanBatch) => Uint32Array): Uint32Array =>
    joinWords(rows, bases, sources.map(pick));
  const octets = (size: number, pick: (source: SpanBatch) => Uint8Array): Uint8Array<ArrayBuffer> =>
    joinBytes(rows * size, bases, size, sources.map(pick));
  const mapped = (
    pick: (source: SpanBatch) => Uint32Array,
    maps: readonly Uint32Array[],
  ): Uint32Array => joinMapped(rows, bases, sources.map(pick), maps);

  const shape = mapped((source) => source.shape, shapeMaps);
  const events = uniteItems(sources, bases, (source) => source.events, shapeMaps);
  const links = uniteItems(sources, bases, (source) => source.links, shapeMaps);
  let cellCount = 0;
  const cellStarts = (list: Uint32Array): Uint32Array => {
    const starts = new Uint32Array(list.length);
    for (let i = 0; i < list.length; i++) {
      starts[i] = cellCount;
      cellCount += shapes.offsets[list[i]! + 1]! - shapes.offsets[list[i]!]!;
    }
    return starts;
  };
  const cellStart = cellStarts(shape);
  const eventCellStart = cellStarts(events.shape);
  const linkCellStart = cellStarts(links.shape);
  const cells = new Uint32Array(cellCount);
  const writer = new CellWriter(columns, cells);
  let eventBase = 0;
  let linkBase = 0;
  sources.forEach((source, s) => {
    writer.begin(source, columnMaps[s]!);
    if (source.rows > 0) writer.write(source.shape, cellStart[bases[s]!]!);
    if (source.events !== undefined) writer.write(source.events.shape, eventCellStart[eventBase]!);
    if (source.links !== undefined) writer.write(source.links.shape, linkCellStart[linkBase]!);
    eventBase += source.events?.count ?? 0;
    linkBase += source.links?.count ?? 0;
  });
  for (const column of columns) column.settle();

  const traceId = octets(16, (source) => source.traceId);
  const spanId = octets(8, (source) => source.spanId);
  const parentSpanId = octets(8, (source) => source.parentSpanId);
  const eventSources = sources.map((source) => source.events);
  const linkSources = sources.map((source) => source.links);
  return {
    rows,
    sources,
    bases,
    traceId,
    spanId,
    parentSpanId,
    traceWords: new Uint32Array(traceId.buffer),
    spanWords: new Uint32Array(spanId.buffer),
    parentWords: new Uint32Array(parentSpanId.buffer),
    startLo: words((source) => source.startLo),
    startHi: words((source) => source.startHi),
    durationLo: words((source) => source.durationLo),
    durationHi: words((source) => source.durationHi),
    flags: words((source) => source.flags),
    kind: octets(1, (source) => source.kind),
    status: octets(1, (source) => source.status),
    name: mapped((source) => source.name, names.maps),
    resource: mapped((source) => source.resource, resources.maps),
    scope: mapped((source) => source.scope, scopes.maps),
    shape,
    cellStart,
    cells,
    names: names.table,
    resources: resources.table,
    scopes: scopes.table,
    eventNames: eventNames.table,
    keys: keys.table,
    shapes,
    columns,
    events: {
      ...events,
      cellStart: eventCellStart,
      timeLo: concatWords(eventSources.map((list) => list?.timeLo)),
      timeHi: concatWords(eventSources.map((list) => list?.timeHi)),
      name: concatWords(
        eventSources.map((list, s) => list?.name.map((code) => eventNames.maps[s]![code]!)),
      ),
    },
    links: {
      ...links,
      cellStart: linkCellStart,
      traceId: concatBytes(linkSources.map((list) => list?.traceId)),
      spanId: concatBytes(linkSources.map((list) => list?.spanId)),
      flags: concatWords(linkSources.map((list) => list?.flags)),
    },
  };
}

/** From this size on memory is given back at once, not when the garbage collector comes by. */
const RELEASED_BYTES = 64 << 10;

/**
 * Gives the memory of a union back, some 20 MB for a slab: it lies outside of the heap, so that nothing would urge the collector
 * to free it before the next one is made. The union must not be used any more.
 */
export function releaseUnion(union: SpanUnion): void {
  for (const part of [union, union.events, union.links]) {
    for (const array of Object.values(part)) {
      if (!ArrayBuffer.isView(array) || array.byteLength < RELEASED_BYTES) continue;
      if (array.buffer instanceof ArrayBuffer) array.buffer.transfer(0);
    }
  }
}

/** The columns of all sources; per source its columns to those of the union. */
function uniteColumns(
  sources: readonly SpanBatch[],
  keyMaps: readonly Uint32Array[],
): { columns: ColumnValues[]; columnMaps: Uint32Array[] } {
  const found = new Map<number, number>();
  const columns: ColumnValues[] = [];
  const columnMaps = sources.map((source, s) => {
    const map = new Uint32Array(source.columnCount);
    for (let c = 0; c < map.length; c++) {
      const { level, type, key, count, isPlain } = source.column(c);
      const unionKey = keyMaps[s]![key]!;
      const slot = (unionKey * 8 + level) * 16 + type;
      let id = found.get(slot);
      if (id === undefined) {
        id = columns.push(new ColumnValues(level, type, unionKey)) - 1;
        found.set(slot, id);
      }
      const column = columns[id]!;
      column.count += count;
      if (isPlain) column.plainCount += count;
      map[c] = id;
    }
    return map;
  });
  return { columns, columnMaps };
}

function mapShapes(source: SpanBatch, ids: Uint32Array, shapes: ShapeInterner): Uint32Array {
  const { count, offsets, columns } = source.shapes;
  const map = new Uint32Array(count);
  let scratch = new Uint32Array(64);
  for (let shape = 0; shape < count; shape++) {
    const start = offsets[shape]!;
    const length = offsets[shape + 1]! - start;
    if (length > scratch.length) scratch = new Uint32Array(length * 2);
    for (let i = 0; i < length; i++) scratch[i] = ids[columns[start + i]!]!;
    map[shape] = shapes.intern(scratch, length);
  }
  return map;
}

/** Takes the attributes of the sources over, source by source: rows, then events, then links. */
class CellWriter {
  readonly #columns: readonly ColumnValues[];
  readonly #cells: Uint32Array;
  #source!: SpanBatch;
  #ids!: Uint32Array;
  #next = 0;
  /** Per entry of the source's values: the column it was last used in, and its code there. Few are used in two. */
  #lastColumn = new Int32Array(0);
  #lastCode = new Uint32Array(0);

  constructor(columns: readonly ColumnValues[], cells: Uint32Array) {
    this.#columns = columns;
    this.#cells = cells;
  }

  begin(source: SpanBatch, ids: Uint32Array): void {
    this.#source = source;
    this.#ids = ids;
    this.#next = 0;
    const { count } = source.values;
    if (count > this.#lastColumn.length) {
      this.#lastColumn = new Int32Array(count * 2);
      this.#lastCode = new Uint32Array(count * 2);
    }
    this.#lastColumn.fill(-1, 0, count);
  }

  /** Takes over the attributes of everything that has the shapes in `list`; they go to `cells` from `at` on. */
  write(list: Uint32Array, at: number): void {
    const { shapes, cellCodes, values } = this.#source;
    const { offsets, columns } = shapes;
    const ids = this.#ids;
    const cells = this.#cells;
    const lastColumn = this.#lastColumn;
    const lastCode = this.#lastCode;
    let next = this.#next;
    for (let i = 0; i < list.length; i++) {
      const end = offsets[list[i]! + 1]!;
      for (let k = offsets[list[i]!]!; k < end; k++) {
        const id = ids[columns[k]!]!;
        const entry = cellCodes[next++]!;
        if (lastColumn[entry] !== id) {
          lastColumn[entry] = id;
          lastCode[entry] = this.#columns[id]!.add(values, entry);
        }
        cells[at++] = lastCode[entry]!;
      }
    }
    this.#next = next;
  }
}

function uniteItems(
  sources: readonly SpanBatch[],
  bases: Uint32Array,
  pick: (
    source: SpanBatch,
  ) => { count: number; rowOffsets: Uint32Array; shape: Uint32Array } | undefined,
  shapeMaps: readonly Uint32Array[],
): { count: number; rowOffsets: Uint32Array; shape: Uint32Array } {
  const lists = sources.map(pick);
  const count = lists.reduce((sum, list) => sum + (list?.count ?? 0), 0);
  const rowOffsets = new Uint32Array(bases[sources.length]! + 1);
  const shape = new Uint32Array(count);
  let at = 0;
  lists.forEach((list, s) => {
    const base = bases[s]!;
    const rows = bases[s + 1]! - base;
    for (let row = 0; row < rows; row++) {
      rowOffsets[base + row + 1] = at + (list?.rowOffsets[row + 1] ?? 0);
    }
    if (list === undefined) return;
    for (let i = 0; i < list.count; i++) shape[at + i] = shapeMaps[s]![list.shape[i]!]!;
    at += list.count;
  });
  return { count, rowOffsets, shape };
}

function joinWords(rows: number, bases: Uint32Array, parts: readonly Uint32Array[]): Uint32Array {
  const joined = new Uint32Array(rows);
  parts.forEach((part, s) => joined.set(part, bases[s]));
  return joined;
}

function joinBytes(
  length: number,
  bases: Uint32Array,
  size: number,
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(length);
  parts.forEach((part, s) => joined.set(part, bases[s]! * size));
  return joined;
}

function joinMapped(
  rows: number,
  bases: Uint32Array,
  parts: readonly Uint32Array[],
  maps: readonly Uint32Array[],
): Uint32Array {
  const joined = new Uint32Array(rows);
  parts.forEach((part, s) => {
    const map = maps[s]!;
    const base = bases[s]!;
    for (let i = 0; i < part.length; i++) joined[base + i] = map[part[i]!]!;
  });
  return joined;
}

function concatWords(parts: readonly (Uint32Array | undefined)[]): Uint32Array {
  const joined = new Uint32Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    if (part === undefined) continue;
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function concatBytes(parts: readonly (Uint8Array | undefined)[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    if (part === undefined) continue;
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
