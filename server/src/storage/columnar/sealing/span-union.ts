// SPDX-License-Identifier: Apache-2.0
import { ShapeInterner } from '@spoor/core/model/shape-interner.ts';
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { ShapeTable, SymbolTable } from '@spoor/core/model/span-columns.ts';
import { WordList } from '@spoor/core/model/word-list.ts';
import { UnionColumn, UnionValues } from './union-columns.ts';
import { inColumnOrder, uniteTables } from '../block/value-dictionary.ts';
import type { WritableSpans } from '../block/writable-spans.ts';

/** From this size on memory is given back at once, not when the garbage collector comes by. */
const RELEASED_BYTES = 64 << 10;

/**
 * Several sources under one set of symbols, columns and shapes, rows one source after the other. This is what a block is
 * written from: symbols are mapped once for each distinct one, rows are then numbers.
 */
export class SpanUnion implements WritableSpans {
  readonly rows: number;
  readonly sources: readonly SpanBatch[];
  /** First row of each source, and the number of rows at the end. */
  readonly bases: Uint32Array;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly traceWords: Uint32Array;
  readonly spanWords: Uint32Array;
  readonly parentWords: Uint32Array;
  readonly startLo: Uint32Array;
  readonly startHi: Uint32Array;
  readonly durationLo: Uint32Array;
  readonly durationHi: Uint32Array;
  readonly flags: Uint32Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly name: Uint32Array;
  readonly resource: Uint32Array;
  readonly scope: Uint32Array;
  readonly shape: Uint32Array;
  readonly cellStart: Uint32Array;
  readonly cells: Uint32Array;
  readonly names: SymbolTable;
  readonly resources: SymbolTable;
  readonly scopes: SymbolTable;
  readonly eventNames: SymbolTable;
  readonly keys: SymbolTable;
  readonly shapes: ShapeTable;
  readonly columns: readonly UnionColumn[];
  /** The values of all columns. */
  readonly values: UnionValues;
  readonly events: WritableSpans['events'];
  readonly links: WritableSpans['links'];

  constructor(sources: readonly SpanBatch[]) {
    const bases = basesOf(sources.map((source) => source.rows));
    const rows = bases[sources.length]!;
    const names = uniteTables(sources.map((source) => source.names));
    const resources = uniteTables(sources.map((source) => source.resources));
    const scopes = uniteTables(sources.map((source) => source.scopes));
    const eventNames = uniteTables(sources.map((source) => source.eventNames));
    const keys = uniteTables(sources.map((source) => source.keys));
    const { columns, columnMaps } = uniteColumns(sources, keys);
    const shapes = new ShapeInterner();
    const shapeMaps = sources.map((source, s) => mapShapes(source, columnMaps[s]!, shapes));

    const words = (pick: (source: SpanBatch) => Uint32Array): Uint32Array =>
      joinWords(bases, sources.map(pick));
    const octets = (
      size: number,
      pick: (source: SpanBatch) => Uint8Array,
    ): Uint8Array<ArrayBuffer> => joinBytes(bases, size, sources.map(pick));
    const mapped = (
      pick: (source: SpanBatch) => Uint32Array,
      maps: readonly Uint32Array[],
    ): Uint32Array => joinMapped(bases, sources.map(pick), maps);

    const shape = mapped((source) => source.shape, shapeMaps);
    const eventBases = basesOf(sources.map((source) => source.events?.count ?? 0));
    const linkBases = basesOf(sources.map((source) => source.links?.count ?? 0));
    const events = uniteItems(sources, bases, (source) => source.events, eventBases, shapeMaps);
    const links = uniteItems(sources, bases, (source) => source.links, linkBases, shapeMaps);
    const rowCells = placeCells(shapes, shape, 0);
    const eventCells = placeCells(shapes, events.shape, rowCells.end);
    const linkCells = placeCells(shapes, links.shape, eventCells.end);
    const cells = new Uint32Array(linkCells.end);
    const values = new UnionValues(columns, {
      entries: cells.length,
      bytes: sources.reduce((sum, source) => sum + source.values.bytes.length, 0),
    });
    const writer = new CellWriter(values, cells);
    sources.forEach((source, s) => {
      writer.begin(source, columnMaps[s]!);
      if (source.rows > 0) writer.write(source.shape, rowCells.starts[bases[s]!]!);
      if (source.events !== undefined) {
        writer.write(source.events.shape, eventCells.starts[eventBases[s]!]!);
      }
      if (source.links !== undefined) {
        writer.write(source.links.shape, linkCells.starts[linkBases[s]!]!);
      }
    });
    const places = values.settle();
    putMapped(cells, places, cells, 0);
    for (const column of columns) if (column.isPlain) column.table = values;

    const traceId = octets(16, (source) => source.traceId);
    const spanId = octets(8, (source) => source.spanId);
    const parentSpanId = octets(8, (source) => source.parentSpanId);
    const eventSources = sources.map((source) => source.events);
    const linkSources = sources.map((source) => source.links);
    this.rows = rows;
    this.sources = sources;
    this.bases = bases;
    this.traceId = traceId;
    this.spanId = spanId;
    this.parentSpanId = parentSpanId;
    this.traceWords = new Uint32Array(traceId.buffer);
    this.spanWords = new Uint32Array(spanId.buffer);
    this.parentWords = new Uint32Array(parentSpanId.buffer);
    this.startLo = words((source) => source.startLo);
    this.startHi = words((source) => source.startHi);
    this.durationLo = words((source) => source.durationLo);
    this.durationHi = words((source) => source.durationHi);
    this.flags = words((source) => source.flags);
    this.kind = octets(1, (source) => source.kind);
    this.status = octets(1, (source) => source.status);
    this.name = mapped((source) => source.name, names.maps);
    this.resource = mapped((source) => source.resource, resources.maps);
    this.scope = mapped((source) => source.scope, scopes.maps);
    this.shape = shape;
    this.cellStart = rowCells.starts;
    this.cells = cells;
    this.names = names.table;
    this.resources = resources.table;
    this.scopes = scopes.table;
    this.eventNames = eventNames.table;
    this.keys = keys.table;
    this.shapes = shapes;
    this.columns = columns;
    this.values = values;
    this.events = {
      ...events,
      cellStart: eventCells.starts,
      timeLo: joinWords(
        eventBases,
        eventSources.map((list) => list?.timeLo),
      ),
      timeHi: joinWords(
        eventBases,
        eventSources.map((list) => list?.timeHi),
      ),
      name: joinMapped(
        eventBases,
        eventSources.map((list) => list?.name),
        eventNames.maps,
      ),
    };
    this.links = {
      ...links,
      cellStart: linkCells.starts,
      traceId: joinBytes(
        linkBases,
        16,
        linkSources.map((list) => list?.traceId),
      ),
      spanId: joinBytes(
        linkBases,
        8,
        linkSources.map((list) => list?.spanId),
      ),
      flags: joinWords(
        linkBases,
        linkSources.map((list) => list?.flags),
      ),
    };
  }

  /**
   * Gives the memory back, some 20 MB for a slab: it lies outside of the heap, so that nothing would urge the collector to free it
   * before the next one is made. The union must not be used any more.
   */
  release(): void {
    for (const part of [this, this.values, this.events, this.links]) {
      for (const array of Object.values(part)) {
        if (!ArrayBuffer.isView(array) || array.byteLength < RELEASED_BYTES) continue;
        if (array.buffer instanceof ArrayBuffer) array.buffer.transfer(0);
      }
    }
  }
}

/** The columns of all sources; per source its columns to those of the union. */
function uniteColumns(
  sources: readonly SpanBatch[],
  keys: { readonly table: SymbolTable; readonly maps: readonly Uint32Array[] },
): { columns: UnionColumn[]; columnMaps: Uint32Array[] } {
  const finder = new ColumnFinder(keys.table.count);
  const columnMaps = sources.map((source, s) => finder.map(source, keys.maps[s]!));
  const found = finder.columns();
  const columns = inColumnOrder(found, keys.table);
  columns.forEach((column, place) => (column.place = place));
  const places = Uint32Array.from(found, ({ place }) => place);
  for (const map of columnMaps) putMapped(map, places, map, 0);
  return { columns, columnMaps };
}

/** Finds columns by key, level and type; a key has few of them. */
class ColumnFinder {
  /** Per column its level and type, as batches have them, its key, and its values, with those that batches have as plain. */
  readonly #kinds = new WordList();
  readonly #keys = new WordList();
  readonly #counts = new WordList();
  readonly #plainCounts = new WordList();
  /** Per key 1 + the last of its columns, and per column 1 + the one before it that has its key; 0 where there is none. */
  readonly #last: Uint32Array;
  readonly #before = new WordList();

  constructor(keys: number) {
    this.#last = new Uint32Array(keys);
  }

  /** For each column of a source its number here. @param keys per key of the source its number here */
  map({ directory, columnCount }: SpanBatch, keys: Uint32Array): Uint32Array {
    const map = new Uint32Array(columnCount);
    for (let c = 0, at = 0; c < columnCount; c++, at += 3) {
      const id = this.#find(directory[at]! & 0xffff, keys[directory[at + 1]!]!);
      const count = directory[at + 2]!;
      this.#counts.words[id]! += count;
      if (directory[at]! > 0xffff) this.#plainCounts.words[id]! += count;
      map[c] = id;
    }
    return map;
  }

  columns(): UnionColumn[] {
    return Array.from(this.#keys.words.subarray(0, this.#keys.count), (key, id) => {
      const kind = this.#kinds.words[id]!;
      // Both were numbers of their enum when the batch was made.
      const column = new UnionColumn((kind & 255) as AttributeLevel, (kind >> 8) as ValueType, key);
      column.count = this.#counts.words[id]!;
      column.plainCount = this.#plainCounts.words[id]!;
      return column;
    });
  }

  #find(kind: number, key: number): number {
    const kinds = this.#kinds.words;
    const before = this.#before.words;
    for (let id = this.#last[key]! - 1; id >= 0; id = before[id]! - 1) {
      if (kinds[id] === kind) return id;
    }
    this.#kinds.push(kind);
    this.#keys.push(key);
    this.#counts.push(0);
    this.#plainCounts.push(0);
    this.#before.push(this.#last[key]!);
    this.#last[key] = this.#kinds.count;
    return this.#kinds.count - 1;
  }
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
  readonly #values: UnionValues;
  readonly #cells: Uint32Array;
  #source!: SpanBatch;
  #ids!: Uint32Array;
  #next = 0;
  /** Two numbers per entry of the source's values: the column it was last used in, and its code there. Few are used in two. */
  #last = new Int32Array(0);

  constructor(values: UnionValues, cells: Uint32Array) {
    this.#values = values;
    this.#cells = cells;
  }

  begin(source: SpanBatch, ids: Uint32Array): void {
    this.#source = source;
    this.#ids = ids;
    this.#next = 0;
    const { count } = source.values;
    if (count * 2 > this.#last.length) this.#last = new Int32Array(count * 4);
    this.#last.fill(-1, 0, count * 2);
  }

  /** Takes over the attributes of everything that has the shapes in `list`; they go to `cells` from `at` on. */
  write(list: Uint32Array, at: number): void {
    const { shapes, cellCodes, values } = this.#source;
    const { offsets, columns } = shapes;
    const ids = this.#ids;
    const cells = this.#cells;
    const last = this.#last;
    let next = this.#next;
    for (let i = 0; i < list.length; i++) {
      const end = offsets[list[i]! + 1]!;
      for (let k = offsets[list[i]!]!; k < end; k++) {
        const id = ids[columns[k]!]!;
        const entry = cellCodes[next++]!;
        if (last[entry * 2] !== id) this.#take(values, entry, id);
        cells[at++] = last[entry * 2 + 1]!;
      }
    }
    this.#next = next;
  }

  #take(values: SymbolTable, entry: number, column: number): void {
    this.#last[entry * 2] = column;
    this.#last[entry * 2 + 1] = this.#values.add(column, values, entry);
  }
}

/** Where each of lists begins when they stand one after the other, and the end of the last one. */
function basesOf(counts: readonly number[]): Uint32Array {
  const bases = new Uint32Array(counts.length + 1);
  counts.forEach((count, s) => (bases[s + 1] = bases[s]! + count));
  return bases;
}

/** Where the cells of each item of `list` begin, from `first` on, and where those of the last one end. */
function placeCells(
  { offsets }: ShapeInterner,
  list: Uint32Array,
  first: number,
): { starts: Uint32Array; end: number } {
  const starts = new Uint32Array(list.length);
  let end = first;
  for (let i = 0; i < list.length; i++) {
    starts[i] = end;
    end += offsets[list[i]! + 1]! - offsets[list[i]!]!;
  }
  return { starts, end };
}

interface SourceItems {
  readonly count: number;
  readonly rowOffsets: Uint32Array;
  readonly shape: Uint32Array;
}

/** @param itemBases of the items that `pick` gives */
function uniteItems(
  sources: readonly SpanBatch[],
  bases: Uint32Array,
  pick: (source: SpanBatch) => SourceItems | undefined,
  itemBases: Uint32Array,
  shapeMaps: readonly Uint32Array[],
): SourceItems {
  const lists = sources.map(pick);
  const rowOffsets = new Uint32Array(bases[sources.length]! + 1);
  lists.forEach((list, s) => {
    const [first, end, itemBase] = [bases[s]!, bases[s + 1]!, itemBases[s]!];
    if (list === undefined) rowOffsets.fill(itemBase, first + 1, end + 1);
    else addTo(itemBase, list.rowOffsets.subarray(1, end - first + 1), rowOffsets, first + 1);
  });
  return {
    count: itemBases[sources.length]!,
    rowOffsets,
    shape: joinMapped(
      itemBases,
      lists.map((list) => list?.shape),
      shapeMaps,
    ),
  };
}

function addTo(base: number, values: Uint32Array, target: Uint32Array, at: number): void {
  for (let i = 0; i < values.length; i++) target[at + i] = base + values[i]!;
}

function joinWords(bases: Uint32Array, parts: readonly (Uint32Array | undefined)[]): Uint32Array {
  const joined = new Uint32Array(bases[parts.length]!);
  parts.forEach((part, s) => part && joined.set(part, bases[s]));
  return joined;
}

function joinBytes(
  bases: Uint32Array,
  size: number,
  parts: readonly (Uint8Array | undefined)[],
): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(bases[parts.length]! * size);
  parts.forEach((part, s) => part && joined.set(part, bases[s]! * size));
  return joined;
}

function joinMapped(
  bases: Uint32Array,
  parts: readonly (Uint32Array | undefined)[],
  maps: readonly Uint32Array[],
): Uint32Array {
  const joined = new Uint32Array(bases[parts.length]!);
  parts.forEach((part, s) => part && putMapped(part, maps[s]!, joined, bases[s]!));
  return joined;
}

function putMapped(codes: Uint32Array, map: Uint32Array, target: Uint32Array, at: number): void {
  for (let i = 0; i < codes.length; i++) target[at + i] = map[codes[i]!]!;
}
