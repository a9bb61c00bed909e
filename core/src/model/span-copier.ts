// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel } from './attributes.ts';
import type { BatchBuilder } from './batch-builder.ts';
import { KnownCodes } from './known-codes.ts';
import { RowValues } from './row-cursor.ts';
import type { SpanColumns, SymbolTable } from './span-columns.ts';
import type { EditedCell, SpanEdit } from './span-edit.ts';

/**
 * Finds an entry of a column's values where reading the whole table would cost too much: a table that holds it, and its
 * index there.
 */
export type ValueLookup = (column: number, entry: number) => { table: SymbolTable; index: number };

/** After so many rows it is remembered what was copied; for fewer the memory of it costs more than it saves. */
const MANY_ROWS = 16;

/** Copies rows of one source into a builder. Rows in ascending order cost least. */
export class SpanCopier {
  readonly #source: SpanColumns;
  readonly #builder: BatchBuilder;
  readonly #values: RowValues;
  readonly #lookup: ValueLookup;
  /** Entries of the values that an edited span, event or link has in the source. */
  readonly #entries: number[] = [];
  #copied = 0;
  #known: KnownCodes | undefined;

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
    if (this.#copied++ === MANY_ROWS) this.#known = new KnownCodes(source, builder);
    const known = this.#known;
    known?.begin();
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
    const name = source.name[row]!;
    const resourceCode = source.resource[row]!;
    const scope = source.scope[row]!;
    builder.name[to] = known?.name(name) ?? copySymbol(source.names, name, builder.names);
    const resource = edit?.resource(resourceCode);
    builder.resource[to] =
      resource === undefined
        ? (known?.resource(resourceCode) ??
          copySymbol(source.resources, resourceCode, builder.resources))
        : (known?.editedResource(resource) ??
          builder.resources.intern(resource, 0, resource.length));
    builder.scope[to] = known?.scope(scope) ?? copySymbol(source.scopes, scope, builder.scopes);
    this.#copyShape(source.shape[row]!, edit, AttributeLevel.span);
    const { events, links } = source;
    if (events !== undefined) {
      for (let e = events.rowOffsets[row]!; e < events.rowOffsets[row + 1]!; e++) {
        const event = builder.beginEvent();
        builder.eventTimeLo[event] = events.timeLo[e]!;
        builder.eventTimeHi[event] = events.timeHi[e]!;
        const eventName = events.name[e]!;
        builder.eventName[event] =
          known?.eventName(eventName) ??
          copySymbol(source.eventNames, eventName, builder.eventNames);
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
    const { shapes } = this.#source;
    for (let i = shapes.offsets[shape]!; i < shapes.offsets[shape + 1]!; i++) {
      const id = shapes.columns[i]!;
      this.#copyValue(id, this.#values.next(id));
    }
  }

  /** Adds an attribute or field as it is. */
  #copyValue(id: number, entry: number): void {
    const { columns, keys } = this.#source;
    const { level, type, key } = columns[id]!;
    const builder = this.#builder;
    const known = this.#known;
    if (known !== undefined) {
      const code = known.values[entry] ?? -1;
      const column = known.columns[id] ?? -1;
      if (code >= 0 && column >= 0 && builder.again(level, column, code)) return;
    }
    const { table, index } = this.#lookup(id, entry);
    builder.attribute(
      level,
      type,
      keys.bytes,
      keys.offsets[key]!,
      keys.offsets[key + 1]!,
      table.bytes,
      table.offsets[index]!,
      table.offsets[index + 1]!,
    );
    if (known === undefined) return;
    if (entry < known.values.length) known.values[entry] = builder.lastCode;
    known.columns[id] = builder.lastColumn;
  }

  #writeCells(shape: number, cells: readonly EditedCell[]): void {
    const { shapes } = this.#source;
    const first = shapes.offsets[shape]!;
    const count = shapes.offsets[shape + 1]! - first;
    const entries = this.#entries;
    for (let i = 0; i < count; i++) entries[i] = this.#values.next(shapes.columns[first + i]!);
    for (const cell of cells) {
      const { from, isKept, map } = cell;
      if (from < 0) {
        this.#writeOwn(cell);
        continue;
      }
      const id = shapes.columns[first + from]!;
      const entry = entries[from]!;
      if (isKept) {
        this.#copyValue(id, entry);
        continue;
      }
      const { level, type, key } = cell;
      const { table, index } = this.#lookup(id, entry);
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

  /** Adds an attribute with a value of its own. */
  #writeOwn(cell: EditedCell): void {
    const { level, type, key, value } = cell;
    const builder = this.#builder;
    const known = this.#known;
    const place = known?.edited.get(cell);
    if (place !== undefined && builder.again(level, place.column, place.code)) return;
    builder.attribute(level, type, key, 0, key.length, value, 0, value.length);
    known?.edited.set(cell, { column: builder.lastColumn, code: builder.lastCode });
  }
}

function copySymbol(source: SymbolTable, code: number, target: BatchBuilder['names']): number {
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
