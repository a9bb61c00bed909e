// SPDX-License-Identifier: Apache-2.0
import type { CellTable, ShapeTable, SymbolTable } from '@spoor/core/model/span-columns.ts';
import { WordList } from '@spoor/core/model/word-list.ts';
import type { BlockReader } from './block-reader.ts';
import { ByteSink, codeAt } from './chunk-codec.ts';
import type { RowGroup } from './row-group.ts';
import { copyValue, decodeValues } from './values-chunk.ts';

/** Bytes of a value, most often; for room at the beginning. */
const USUAL_VALUE_BYTES = 16;

/** With a column's number: that many cells can be told apart in a double. */
const MAX_CELLS = 2 ** 32;

/** Some rows of a group, ascending. */
export interface GroupRowList {
  readonly group: RowGroup;
  readonly rows: Uint32Array;
}

/** The attributes of some rows of a group, row by row; of the others nothing is told. */
export interface RowCells {
  readonly cells: CellTable;
  /** Columns that the rows, or others that were asked for at the same time, have. */
  readonly columns: Uint32Array;
}

/**
 * The attributes of some rows of a block. Of each column only what they have is read, once for all of them and in the order of the
 * file, in which no frame has to be unpacked twice.
 */
export function rowCells(block: BlockReader, lists: readonly GroupRowList[]): RowCells[] {
  const places = new CellPlaces(block.shapes, block.footer.columns.length);
  const starts = lists.map(({ group, rows }) => {
    const { events, links } = group;
    places.begin(group.number);
    return {
      rowStart: places.add(group.shape, rows),
      eventStart: places.add(events?.shape, itemsOf(events?.rowOffsets, rows)),
      linkStart: places.add(links?.shape, itemsOf(links?.rowOffsets, rows)),
    };
  });
  const reader = new CellReader(block, places);
  reader.read();
  const { codes, values, columns } = reader;
  return starts.map((start) => ({ cells: { codes, values, ...start }, columns }));
}

/** Where the values of wanted rows, events and links stand in their columns. */
class CellPlaces {
  /** Per cell its group, its column, and its place among the values that the group has of the column. */
  readonly groups = new WordList();
  readonly columns = new WordList();
  readonly positions = new WordList();
  readonly #shapes: ShapeTable;
  /** Per column how many values of the group have been passed. */
  readonly #passed: Uint32Array;
  #group = 0;

  constructor(shapes: ShapeTable, columnCount: number) {
    this.#shapes = shapes;
    this.#passed = new Uint32Array(columnCount);
  }

  /** Begins a group. */
  begin(group: number): void {
    this.#group = group;
    this.#passed.fill(0);
  }

  /**
   * Goes through all rows, events or links of the group.
   * @param wanted which of them, ascending
   * @returns where the cells of each begin that is wanted
   */
  add(shapeOf: Uint32Array = NONE, wanted: Uint32Array): Uint32Array {
    const starts = new Uint32Array(shapeOf.length);
    let from = 0;
    for (const item of wanted) {
      this.#pass(shapeOf, from, item);
      starts[item] = this.columns.count;
      this.#take(shapeOf[item]!);
      from = item + 1;
    }
    return starts;
  }

  #pass(shapeOf: Uint32Array, from: number, end: number): void {
    const { offsets, columns } = this.#shapes;
    const passed = this.#passed;
    for (let i = from; i < end; i++) {
      const shape = shapeOf[i]!;
      for (let k = offsets[shape]!; k < offsets[shape + 1]!; k++) passed[columns[k]!]!++;
    }
  }

  #take(shape: number): void {
    const { offsets, columns } = this.#shapes;
    for (let k = offsets[shape]!; k < offsets[shape + 1]!; k++) {
      const column = columns[k]!;
      this.groups.push(this.#group);
      this.columns.push(column);
      this.positions.push(this.#passed[column]!++);
    }
  }
}

const NONE = new Uint32Array(0);

/** The events or links of some rows. */
function itemsOf(rowOffsets: Uint32Array | undefined, rows: Uint32Array): Uint32Array {
  if (rowOffsets === undefined) return NONE;
  const items = new WordList();
  for (const row of rows) {
    for (let item = rowOffsets[row]!; item < rowOffsets[row + 1]!; item++) items.push(item);
  }
  return items.words.subarray(0, items.count);
}

/** Reads the values of cells; each becomes an entry of its own. */
class CellReader {
  /** Entry of each cell. */
  readonly codes: Uint32Array;
  columns: Uint32Array = NONE;
  readonly #block: BlockReader;
  readonly #places: CellPlaces;
  readonly #offsets: Uint32Array;
  readonly #bytes: ByteSink;
  #count = 0;

  constructor(block: BlockReader, places: CellPlaces) {
    const { count } = places.columns;
    this.#block = block;
    this.#places = places;
    this.codes = new Uint32Array(count);
    this.#offsets = new Uint32Array(count + 1);
    this.#bytes = new ByteSink(count * USUAL_VALUE_BYTES);
  }

  get values(): SymbolTable {
    const { bytes } = this.#bytes;
    return { count: this.#count, offsets: this.#offsets, bytes, hashes: undefined };
  }

  /** Reads all of them, column by column. */
  read(): void {
    const { columns, groups } = this.#places;
    const order = byColumn(columns.words, columns.count);
    const seen = new WordList();
    for (let first = 0; first < order.length;) {
      const column = columns.words[order[first]!]!;
      const group = groups.words[order[first]!]!;
      let end = first + 1;
      while (
        end < order.length &&
        columns.words[order[end]!] === column &&
        groups.words[order[end]!] === group
      ) {
        end++;
      }
      this.#readColumn(group, column, order.subarray(first, end));
      if (seen.count === 0 || seen.words[seen.count - 1] !== column) seen.push(column);
      first = end;
    }
    this.columns = seen.words.subarray(0, seen.count);
  }

  /** @param cells all of one group and column */
  #readColumn(group: number, column: number, cells: Uint32Array): void {
    const block = this.#block;
    const positions = this.#places.positions.words;
    const { columns } = block.footer.groups[group]!;
    const part = columns.find(column);
    const chunk = block.chunk(columns.chunk(part));
    if (block.footer.columns.isPlain(column)) {
      const table = decodeValues(chunk, columns.count(part));
      for (const cell of cells) this.#put(cell, table, positions[cell]!);
      return;
    }
    const dictionary = block.dictionary(column);
    if (dictionary.isOnePage) {
      const { table } = dictionary;
      for (const cell of cells) this.#put(cell, table, codeAt(chunk, positions[cell]!));
      return;
    }
    const table = dictionary.gather(cells.map((cell) => codeAt(chunk, positions[cell]!)));
    cells.forEach((cell, entry) => this.#put(cell, table, entry));
  }

  #put(cell: number, { offsets, bytes }: SymbolTable, entry: number): void {
    const start = offsets[entry]!;
    const length = offsets[entry + 1]! - start;
    const sink = this.#bytes;
    const at = sink.reserve(length);
    copyValue(bytes, start, sink.bytes, at, length);
    this.codes[cell] = this.#count++;
    this.#offsets[this.#count] = sink.length;
  }
}

/** Cells column by column, those of a column in their order, which is also that of the groups. */
function byColumn(columns: Uint32Array, count: number): Uint32Array {
  const keys = new Float64Array(count);
  for (let cell = 0; cell < count; cell++) keys[cell] = columns[cell]! * MAX_CELLS + cell;
  keys.sort();
  return Uint32Array.from(keys, (key) => key % MAX_CELLS);
}
