// SPDX-License-Identifier: Apache-2.0
import type { CellTable, SpanColumns, SymbolTable } from './span-columns.ts';

/** Rows between two notes at least, and notes at most, 4 bytes a column each. */
const MIN_STRIDE = 32;
const MAX_NOTES = 256;

/**
 * Finds the values of a row (or of its events and links) in the attribute columns.
 *
 * Columns hold their values one after the other, so the position of a row follows from the shapes of all rows before
 * it. Moving forward is cheap. From the first move back on, positions are noted every so many rows, and moving back starts
 * at the nearest note: a trace is read by start, but often stored by end, the last span first.
 */
export class RowCursor {
  readonly columns: SpanColumns;
  /** The row under the cursor. */
  row = 0;
  /** Per column: index of the first value that belongs to the row under the cursor. */
  readonly positions: Uint32Array;
  /** Positions at the rows 0, `#stride`, 2 `#stride`, …, as far as they were passed since the first move back. */
  #notes: Uint32Array[] = [];
  readonly #stride: number;

  constructor(columns: SpanColumns) {
    this.columns = columns;
    this.#stride = Math.max(MIN_STRIDE, Math.ceil(columns.rows / MAX_NOTES));
    this.positions = new Uint32Array(columns.columns.length);
  }

  /** Moves to a row. */
  seek(row: number): void {
    if (row < this.row) {
      if (this.#notes.length === 0) this.#notes.push(new Uint32Array(this.positions.length));
      const note = Math.min(Math.floor(row / this.#stride), this.#notes.length - 1);
      this.row = note * this.#stride;
      this.positions.set(this.#notes[note]!);
    }
    const { shape, events, links } = this.columns;
    const notes = this.#notes;
    for (let r = this.row; r < row; r++) {
      if (notes.length > 0 && r === notes.length * this.#stride) notes.push(this.positions.slice());
      this.#pass(shape[r]!);
      if (events !== undefined) {
        for (let e = events.rowOffsets[r]!; e < events.rowOffsets[r + 1]!; e++) {
          this.#pass(events.shape[e]!);
        }
      }
      if (links !== undefined) {
        for (let l = links.rowOffsets[r]!; l < links.rowOffsets[r + 1]!; l++) {
          this.#pass(links.shape[l]!);
        }
      }
    }
    this.row = row;
  }

  #pass(shape: number): void {
    const { offsets, columns } = this.columns.shapes;
    for (let i = offsets[shape]!; i < offsets[shape + 1]!; i++) this.positions[columns[i]!]!++;
  }
}

/**
 * Walks the values of one row in order; make one for a source and `start` it for each row. Where the source has
 * {@link SpanColumns.cells} any row costs the same; otherwise rows in ascending order cost least.
 */
export class RowValues {
  readonly #columns: SpanColumns;
  readonly #cells: CellTable | undefined;
  /** Next cell of the row, of its events and of its links. */
  readonly #at = new Uint32Array(3);
  readonly #cursor: RowCursor | undefined;
  readonly #taken: Uint32Array;
  readonly #used: number[] = [];

  constructor(columns: SpanColumns) {
    this.#columns = columns;
    this.#cells = columns.cells;
    this.#cursor = this.#cells === undefined ? new RowCursor(columns) : undefined;
    this.#taken = new Uint32Array(this.#cells === undefined ? columns.columns.length : 0);
  }

  /** Goes to a row. */
  start(row: number): void {
    const cells = this.#cells;
    if (cells !== undefined) {
      const { events, links } = this.#columns;
      this.#at[0] = cells.rowStart[row]!;
      if (events !== undefined) this.#at[1] = cells.eventStart[events.rowOffsets[row]!] ?? 0;
      if (links !== undefined) this.#at[2] = cells.linkStart[links.rowOffsets[row]!] ?? 0;
      return;
    }
    for (const column of this.#used) this.#taken[column] = 0;
    this.#used.length = 0;
    this.#cursor!.seek(row);
  }

  /**
   * Entry, in {@link table} of `column`, of the column's next value in this row. Ask for the columns of the span's
   * shape, then of each event's shape, then of each link's, in order.
   */
  next(column: number): number {
    if (this.#cells !== undefined) {
      return this.#cells.codes[this.#at[this.#columns.columns[column]!.level >> 1]!++]!;
    }
    const taken = this.#taken[column]!++;
    if (taken === 0) this.#used.push(column);
    const position = this.#cursor!.positions[column]! + taken;
    const { codes } = this.#columns.columns[column]!;
    return codes === undefined ? position : codes[position]!;
  }

  /** The table that {@link next} gives entries of. */
  table(column: number): SymbolTable {
    return this.#cells === undefined ? this.#columns.columns[column]!.values : this.#cells.values;
  }
}
