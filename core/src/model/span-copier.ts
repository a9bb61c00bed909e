// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel } from './attributes.ts';
import type { BatchBuilder } from './batch-builder.ts';
import { RowValues } from './row-cursor.ts';
import type { SpanColumns, SymbolTable } from './span-columns.ts';
import type { EditedCell, SpanEdit } from './span-edit.ts';
import type { SymbolInterner } from './symbol-interner.ts';

/**
 * Finds an entry of a column's values where reading the whole table would cost too much: a table that holds it, and its
 * index there.
 */
export type ValueLookup = (column: number, entry: number) => { table: SymbolTable; index: number };

/** Copies rows of one source into a builder. Rows in ascending order cost least. */
export class SpanCopier {
  readonly #source: SpanColumns;
  readonly #builder: BatchBuilder;
  readonly #values: RowValues;
  readonly #lookup: ValueLookup;
  /** Entries of the values that an edited span, event or link has in the source. */
  readonly #entries: number[] = [];

  constructor(source: SpanColumns, builder: BatchBuilder, lookup?: ValueLookup) {
    this.#source = source;
    this.#builder = builder;
    const values = new RowValues(source);
    this.#values = values;
    this.#lookup = lookup ?? ((column, entry) => ({ table: values.table(column), index: entry }));
  }

  /** Appends a row, as it is or with what an edit changes. */
  copy(row: number, edit?: SpanEdit): void {
    const source = this.#source;
    const builder = this.#builder;
    this.#values.start(row);
    const to = builder.beginSpan();
    copyId(source.traceId, row, builder.traceId, to, 16);
    copyId(source.spanId, row, builder.spanId, to, 8);
    copyId(source.parentSpanId, row, builder.parentSpanId, to, 8);
    builder.startLo[to] = source.startLo[row]!;
    builder.startHi[to] = source.startHi[row]!;
    builder.durationLo[to] = source.durationLo[row]!;
    builder.durationHi[to] = source.durationHi[row]!;
    builder.flags[to] = source.flags[row]!;
    builder.kind[to] = source.kind[row]!;
    builder.status[to] = source.status[row]!;
    builder.name[to] = copySymbol(source.names, source.name[row]!, builder.names);
    const resource = edit?.resource(source.resource[row]!);
    builder.resource[to] =
      resource === undefined
        ? copySymbol(source.resources, source.resource[row]!, builder.resources)
        : builder.resources.intern(resource, 0, resource.length);
    builder.scope[to] = copySymbol(source.scopes, source.scope[row]!, builder.scopes);
    this.#copyShape(source.shape[row]!, edit, AttributeLevel.span);
    const { events, links } = source;
    if (events !== undefined) {
      for (let e = events.rowOffsets[row]!; e < events.rowOffsets[row + 1]!; e++) {
        const event = builder.beginEvent();
        builder.eventTimeLo[event] = events.timeLo[e]!;
        builder.eventTimeHi[event] = events.timeHi[e]!;
        builder.eventName[event] = copySymbol(
          source.eventNames,
          events.name[e]!,
          builder.eventNames,
        );
        this.#copyShape(events.shape[e]!, edit, AttributeLevel.event);
        builder.endEvent();
      }
    }
    if (links !== undefined) {
      for (let l = links.rowOffsets[row]!; l < links.rowOffsets[row + 1]!; l++) {
        const link = builder.beginLink();
        copyId(links.traceId, l, builder.linkTraceId, link, 16);
        copyId(links.spanId, l, builder.linkSpanId, link, 8);
        builder.linkFlags[link] = links.flags[l]!;
        this.#copyShape(links.shape[l]!, edit, AttributeLevel.link);
        builder.endLink();
      }
    }
    builder.endSpan();
  }

  #copyShape(shape: number, edit: SpanEdit | undefined, owner: AttributeLevel): void {
    const cells = edit?.cells(owner, shape);
    if (cells !== undefined) {
      this.#writeCells(shape, cells);
      return;
    }
    const { shapes, columns, keys } = this.#source;
    for (let i = shapes.offsets[shape]!; i < shapes.offsets[shape + 1]!; i++) {
      const id = shapes.columns[i]!;
      const { level, type, key } = columns[id]!;
      const { table, index } = this.#lookup(id, this.#values.next(id));
      this.#builder.attribute(
        level,
        type,
        keys.bytes,
        keys.offsets[key]!,
        keys.offsets[key + 1]!,
        table.bytes,
        table.offsets[index]!,
        table.offsets[index + 1]!,
      );
    }
  }

  #writeCells(shape: number, cells: readonly EditedCell[]): void {
    const { shapes } = this.#source;
    const first = shapes.offsets[shape]!;
    const count = shapes.offsets[shape + 1]! - first;
    const entries = this.#entries;
    for (let i = 0; i < count; i++) entries[i] = this.#values.next(shapes.columns[first + i]!);
    for (const { level, type, key, from, value, map } of cells) {
      if (from < 0) {
        this.#builder.attribute(level, type, key, 0, key.length, value, 0, value.length);
        continue;
      }
      const entry = entries[from]!;
      const { table, index } = this.#lookup(shapes.columns[first + from]!, entry);
      const start = table.offsets[index]!;
      const end = table.offsets[index + 1]!;
      if (map === undefined) {
        this.#builder.attribute(level, type, key, 0, key.length, table.bytes, start, end);
      } else {
        const mapped = map(entry, table.bytes, start, end);
        this.#builder.attribute(level, type, key, 0, key.length, mapped, 0, mapped.length);
      }
    }
  }
}

function copySymbol(source: SymbolTable, code: number, target: SymbolInterner): number {
  return target.intern(source.bytes, source.offsets[code]!, source.offsets[code + 1]!);
}

function copyId(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  size: number,
): void {
  for (let i = 0; i < size; i++) target[to * size + i] = source[from * size + i]!;
}
