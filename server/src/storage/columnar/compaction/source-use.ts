// SPDX-License-Identifier: Apache-2.0
import type { ShapeTable } from '@spoor/core/model/span-columns.ts';
import type { BlockColumns } from '../block/block-columns.ts';
import type { BlockReader } from '../block/block-reader.ts';
import type { RowGroup } from '../block/row-group.ts';

/** What of a block the rows use that are kept: 1 for each code that they have. Nothing else is taken over when rows are dropped. */
export class SourceUse {
  readonly names: Uint8Array;
  readonly resources: Uint8Array;
  readonly scopes: Uint8Array;
  readonly eventNames: Uint8Array;
  readonly keys: Uint8Array;
  readonly shapes: Uint8Array;
  readonly columns: Uint8Array;
  /** Per column the entries of its dictionary; undefined for a plain column. */
  readonly entries: readonly (Uint8Array | undefined)[];
  readonly #shapes: ShapeTable;
  readonly #blockColumns: BlockColumns;
  readonly #next: Uint32Array;

  constructor(reader: BlockReader) {
    const { footer, shapes } = reader;
    this.names = new Uint8Array(footer.names.count);
    this.resources = new Uint8Array(footer.resources.count);
    this.scopes = new Uint8Array(footer.scopes.count);
    this.eventNames = new Uint8Array(footer.eventNames.count);
    this.keys = new Uint8Array(footer.keys.count);
    this.shapes = new Uint8Array(shapes.count);
    this.columns = new Uint8Array(footer.columns.length);
    this.entries = Array.from({ length: footer.columns.length }, (_, c) =>
      footer.columns.isPlain(c) ? undefined : new Uint8Array(footer.columns.entries(c)),
    );
    this.#shapes = shapes;
    this.#blockColumns = footer.columns;
    this.#next = new Uint32Array(footer.columns.length);
  }

  /** Adds what the rows of a group use; `kept` is 1 for those that stay. */
  add(group: RowGroup, kept: Uint8Array | undefined): void {
    this.#next.fill(0);
    const { name, resource, scope, shape, events, links } = group;
    const codes = group.columns.map((column) => column.codes);
    for (let row = 0; row < group.rows; row++) {
      const isKept = kept === undefined || kept[row] === 1;
      if (isKept) {
        this.names[name[row]!] = 1;
        this.resources[resource[row]!] = 1;
        this.scopes[scope[row]!] = 1;
      }
      this.#addCells(shape[row]!, codes, isKept);
      if (events !== undefined) {
        for (let i = events.rowOffsets[row]!; i < events.rowOffsets[row + 1]!; i++) {
          if (isKept) this.eventNames[events.name[i]!] = 1;
          this.#addCells(events.shape[i]!, codes, isKept);
        }
      }
      if (links !== undefined) {
        for (let i = links.rowOffsets[row]!; i < links.rowOffsets[row + 1]!; i++) {
          this.#addCells(links.shape[i]!, codes, isKept);
        }
      }
    }
  }

  #addCells(shape: number, codes: readonly (Uint32Array | undefined)[], isKept: boolean): void {
    const { offsets, columns } = this.#shapes;
    if (isKept) this.shapes[shape] = 1;
    for (let i = offsets[shape]!; i < offsets[shape + 1]!; i++) {
      const column = columns[i]!;
      const value = this.#next[column]!++;
      if (!isKept) continue;
      this.columns[column] = 1;
      this.keys[this.#blockColumns.key(column)] = 1;
      const entries = this.entries[column];
      if (entries !== undefined) entries[codes[column]![value]!] = 1;
    }
  }
}
